"""What the nodes do: how much of each is held, and its state. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from trainsub.minislurm.amounts import Amounts, held
from trainsub.minislurm.conf import Conf, Node
from trainsub.minislurm.values import Job

SHORT = {"ALLOCATED": "alloc", "IDLE": "idle", "MIXED": "mix"}
"""sinfo's short words."""


@dataclass(frozen=True, slots=True)
class NodeNow:
    """A node at a moment.

    Attributes:
        node: The node.
        held: What jobs hold of it.
        gpus: Which of its GPUs they hold, as it counts them.
    """

    node: Node
    held: Amounts
    gpus: tuple[int, ...]

    @property
    def state(self) -> str:
        """Slurm's word."""
        if not self.held.cpus:
            return "IDLE"
        return "ALLOCATED" if self.held.cpus >= self.node.cpus else "MIXED"

    @property
    def memory(self) -> int:
        """MiB that jobs hold."""
        return min(self.held.memory, self.node.memory)


def look(conf: Conf, jobs: Iterable[Job]) -> list[NodeNow]:
    """Return the nodes as running jobs leave them."""
    running = [job for job in jobs if job.running]
    return [_look(node, conf, running) for node in conf.nodes]


def gres(conf: Conf, node: Node) -> str:
    """Return ``gpu:h100:8``, or ``(null)`` of a node without GPUs."""
    return f"gpu:{_kind(conf)}{len(node.gpus)}" if node.gpus else "(null)"


def gres_used(conf: Conf, now: NodeNow) -> str:
    """Return ``gpu:h100:3(IDX:0-2)``."""
    from trainsub.minislurm.view import indices  # noqa: PLC0415 - rarely asked for

    places = [place for place, gpu in enumerate(now.node.gpus) if gpu in now.gpus]
    return f"gpu:{_kind(conf)}{len(places)}(IDX:{indices(places) or 'N/A'})" if now.node.gpus else "gpu:0"


def configured(conf: Conf, node: Node) -> Amounts:
    """Return all that a node has."""
    return Amounts(node.cpus, node.memory, 1, len(node.gpus), conf.gpu_type)


def _kind(conf: Conf) -> str:
    return f"{conf.gpu_type}:" if conf.gpu_type else ""


def _look(node: Node, conf: Conf, running: Iterable[Job]) -> NodeNow:
    parts = [(share, job.request) for job in running for share in job.shares if share.node == node.name]
    amounts = [held((share,), request, conf) for share, request in parts]
    gpus = tuple(gpu for share, _ in parts for gpu in share.gpus)
    cpus, memory = sum(one.cpus for one in amounts), sum(one.memory for one in amounts)
    return NodeNow(node, Amounts(cpus, memory, 1, len(gpus), conf.gpu_type), gpus)
