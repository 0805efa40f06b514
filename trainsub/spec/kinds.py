"""The kinds of launch: what each of them starts on a node. Pure."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trainsub.spec.expect import Count, Natural, one_of
from trainsub.spec.table import Table, conflict

KINDS = ("torchrun", "srun", "deepspeed", "accelerate", "megatron", "command")
AGENTS = frozenset({"torchrun", "deepspeed", "accelerate", "megatron"})
"""Kinds in which one agent per node starts the ranks; megatron's may also be started by Slurm."""

_REASONS = {
    "srun": "one task per rank",
    "megatron": "one agent per node, or one task per rank",
    "command": "what slurm.ntasks_per_node says",
}


class Launch(Table):
    """How the ranks are started."""

    kind: Annotated[Literal["torchrun", "srun", "deepspeed", "accelerate", "megatron", "command"], one_of(*KINDS)] = (
        Field(
            "torchrun",
            description="`torchrun`, `deepspeed`, `accelerate`: one agent per node starts the ranks. `srun`: Slurm "
            "starts each rank. `megatron`: either, as `slurm.ntasks_per_node` says. `command`: any program, as often "
            "on a node as `slurm.ntasks_per_node` says. All others set that themselves: 1, or under `srun` the ranks "
            "per node.",
        )
    )
    nproc_per_node: Count | None = Field(
        None, description="Ranks on each node. Default: GPUs per node; without GPUs, 1. Not for `command`."
    )
    rendezvous: Annotated[Literal["c10d", "static"], one_of("c10d", "static")] = Field(
        "c10d",
        description="How the agents find each other, and in which order the nodes get their ranks: `c10d` by name, "
        "`static` in Slurm's own order, which knows the network.",
    )
    wait: Natural | None = Field(
        None,
        description="`srun --wait`: seconds after the first task that ends until srun ends the others, even if they "
        "save. Best left out; a task that fails ends the others at once in any case.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.kind not in AGENTS and self.rendezvous != "c10d":
            raise conflict("rendezvous", f"is for agents, and kind {self.kind} has none", "Leave it out.")
        if self.kind == "command" and self.nproc_per_node is not None:
            raise conflict("nproc_per_node", "counts ranks, and kind command has none", "Set slurm.ntasks_per_node.")
        return self


@dataclass(frozen=True, slots=True)
class Asked:
    """What a spec and a cluster say of the processes on a node.

    Attributes:
        kind: The kind of launch.
        gpus: GPUs on each node.
        nproc: ``launch.nproc_per_node``, if given.
        ntasks: ``slurm.ntasks_per_node``, if given.
    """

    kind: str
    gpus: int
    nproc: int | None
    ntasks: int | None

    @property
    def tasks(self) -> int:
        """What Slurm starts on each node: agents or ranks."""
        match self.kind:
            case "srun":
                return self.nproc or self.gpus or self.ntasks or 1
            case "command":
                return self.ntasks or 1
            case "megatron" if self.ntasks == self.ranks:
                return self.ranks
            case _:
                return 1

    @property
    def ranks(self) -> int:
        """The ranks on each node."""
        return self.tasks if self.kind in {"srun", "command"} else self.nproc or self.gpus or 1

    @property
    def reason(self) -> str:
        """Why the kind needs that many tasks."""
        return _REASONS.get(self.kind, "one agent per node")
