"""What a template can name of the tasks of a sweep and the links of a chain. Pure."""

from trainsub.render.engine import Shell, home
from trainsub.spec import JobSpec

TAKEN = r"before|chain|index|kind|point|stalled|word"
"""Variables of the script in the blocks of sweeps and chains."""

_POINT = Shell('"$@"')
"""The words of a task's point, which the script has taken as its own arguments."""


def of_command(words: list[str], spec: JobSpec) -> list[str]:
    """Return the words of a command; in a sweep, those of the task's point follow them."""
    return words if spec.sweep is None else [*words, _POINT]


def of_chain(spec: JobSpec) -> dict[str, str | int | None] | None:
    """Return what the script must know of the chain; None where the job is none."""
    chain = spec.chain
    if chain is None:
        return None
    return {
        "checkpoint": _path(chain.checkpoint),
        "finished": _path(chain.finished),
        "max_stalled": chain.max_stalled,
    }


def variables_of(spec: JobSpec) -> tuple[str, ...]:
    """Return the variables that the blocks of sweeps and chains export for the ranks."""
    of_sweep = ("TRAINSUB_POINT", *spec.sweep.env) if spec.sweep is not None else ()
    return (*of_sweep, "TRAINSUB_CHAIN_LINK") if spec.chain is not None else of_sweep


def _path(path: str | None) -> str | None:
    """A path that no program takes for an option."""
    if path is None or path.startswith("/"):
        return path
    return home(path) if path.startswith("~/") else f"./{path}"
