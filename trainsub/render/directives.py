"""The #SBATCH lines, in the order in which one reads them. Pure."""

from collections.abc import Mapping

from trainsub.errors import SpecError
from trainsub.slurm.sbatch import Value, directives

_ORDER = (
    "array",
    "nodes",
    "ntasks",
    "ntasks_per_node",
    "gpus_per_node",
    "gpus",
    "gres",
    "cpus_per_task",
    "cpus_per_gpu",
    "exclusive",
    "mem",
    "mem_per_gpu",
    "mem_per_cpu",
    "time",
    "partition",
    "account",
    "qos",
    "reservation",
)
"""How large, how long, where; everything else follows by name."""


def block(options: Mapping[str, Value]) -> str:
    """Return the directives, one a line.

    Args:
        options: Long options of sbatch, with underscores.

    Raises:
        SpecError: A value cannot stand in a directive.
    """
    try:
        return "\n".join(directives({name: options[name] for name in sorted(options, key=_place)}))
    except ValueError as error:
        raise SpecError(f"slurm: {error}") from error


def _place(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)
