"""What a job or a step asks for or holds: CPUs, memory, nodes, GPUs, and how Slurm writes that. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from trainsub.minislurm.conf import Conf
from trainsub.minislurm.table import memory as memory_text
from trainsub.minislurm.values import Request, Share

_GPU = "gres/gpu"


@dataclass(frozen=True, slots=True)
class Amounts:
    """Trackable resources.

    Attributes:
        cpus: CPUs.
        memory: MiB.
        nodes: Nodes.
        gpus: GPUs.
        kind: What kind of GPUs; empty where it is not told.
    """

    cpus: int
    memory: int
    nodes: int
    gpus: int = 0
    kind: str = ""

    def in_order(self, *, convert: bool = True) -> str:
        """Return ``cpu=2,mem=8000M,node=2,billing=2,gres/gpu=6``, as squeue and scontrol write it."""
        mem = [f"mem={memory_text(self.memory, convert=convert)}"] if self.memory else []
        return ",".join([f"cpu={self.cpus}", *mem, f"node={self.nodes}", f"billing={self.cpus}", *self._gpus()])

    def by_name(self, *, billing: bool = True, convert: bool = True) -> str:
        """Return the same sorted by names, as sacct writes it; steps are not billed."""
        parts = self.in_order(convert=convert).split(",")
        return ",".join(sorted(part for part in parts if billing or not part.startswith("billing=")))

    def of_node(self) -> str:
        """Return ``cpu=2,mem=8000M,gres/gpu=6``: what is held of a node, or nothing."""
        if not self.cpus:
            return ""
        mem = [f"mem={memory_text(self.memory)}"] if self.memory else []
        return ",".join([f"cpu={self.cpus}", *mem, *self._gpus()])

    def _gpus(self) -> list[str]:
        if not self.gpus:
            return []
        return [f"{_GPU}={self.gpus}"] + ([f"{_GPU}:{self.kind}={self.gpus}"] if self.kind else [])


def tasks(request: Request) -> int:
    """Return how many tasks a job has."""
    if request.ntasks_given:
        return request.ntasks
    return request.nodes * request.ntasks_per_node if request.ntasks_per_node else max(request.nodes, request.ntasks)


def wanted(request: Request, conf: Conf) -> Amounts:
    """Return what a job asks for."""
    gpus = request.gpus_per_node * request.nodes
    cpus = max(request.nodes, tasks(request) * (request.cpus_per_task or 1), (request.cpus_per_gpu or 0) * gpus)
    names = [node.name for node in conf.nodes][: request.nodes]
    kind = request.gpu_option.removeprefix(_GPU).strip(":").rpartition(":")[0] if request.gpu_option else ""
    return Amounts(
        cpus, _memory(request, conf, cpus, names), request.nodes, request.gpus_per_node * request.nodes, kind
    )


def held(shares: Collection[Share], request: Request, conf: Conf) -> Amounts:
    """Return what a job, or a step of it, holds."""
    cpus = sum(share.cpus for share in shares)
    names = [share.node for share in shares]
    gpus = sum(len(share.gpus) for share in shares)
    return Amounts(cpus, _memory(request, conf, cpus, names), len(shares), gpus, conf.gpu_type)


def _memory(request: Request, conf: Conf, cpus: int, names: Iterable[str]) -> int:
    if request.memory is None:
        return cpus * conf.def_mem_per_cpu
    if request.memory:
        return request.memory * len(list(names))
    return sum(node.memory for node in conf.nodes if node.name in set(names))
