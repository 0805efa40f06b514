"""The #SBATCH lines, in the order in which one reads them, and those that no template may add. Pure."""

from collections.abc import Iterator, Mapping
from itertools import takewhile

from trainsub.errors import SpecError
from trainsub.slurm.batch_script import DirectiveError, read_line
from trainsub.slurm.sbatch import Value, directives
from trainsub.spec import SlurmOptions
from trainsub.spec.refused import REFUSED

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


def foreign(script: str, ours: str) -> Iterator[tuple[int, str]]:
    """Yield what is wrong with the directives that a template added to a script: the line, and why.

    Args:
        script: The whole script; sbatch reads what stands above its first command.
        ours: The directives that ``block`` made.
    """
    known = frozenset(ours.split("\n"))
    head = takewhile(lambda line: not line.strip() or line.lstrip().startswith("#"), script.split("\n"))
    for number, line in enumerate(head, start=1):
        if line not in known and (wrong := unseen(line)):
            yield number, wrong


def unseen(line: str) -> str | None:
    """Return why a template must not have a line: sbatch would read an option that trainsub does not see there.

    Options that trainsub neither knows nor refuses are welcome.
    """
    if line.startswith(("#PBS", "#BSUB")):
        return "sbatch reads such lines, too: write in [slurm] of the spec what this one asks for"
    if not line.startswith("#SBATCH"):
        return None
    try:
        found = [one.option for one in read_line(0, line.removeprefix("#SBATCH"))]
    except DirectiveError as error:
        return str(error)
    for option in found:
        name = option.replace("-", "_")
        if name in REFUSED:
            return f"--{option}: {REFUSED[name]}"
        if name in SlurmOptions.model_fields and name != "extra":
            return (
                f"--{option} would be seen neither in the plan nor in its price: "
                f"write {name} in [slurm] of the spec, or in the cluster's defaults"
            )
    return None


def _place(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)
