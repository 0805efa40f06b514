"""``--nodelist``, ``--exclude`` and ``--nodefile``: names of nodes, or a file of them."""

from pathlib import Path
from typing import Any

from trainsub.minislurm.errors import RefusedError
from trainsub.minislurm.given import Given


def named_nodes(given: Given) -> dict[str, Any]:
    """Return the options that name nodes with the names in place of the text.

    Raises:
        RefusedError: The text is no list, or the file cannot be read.
    """
    found: dict[str, Any] = {}
    if "nodefile" in given:
        found["nodelist"] = _names(_in_file(given["nodefile"]))
    for name in ("nodelist", "exclude"):
        if name in given:
            found[name] = _names(_in_file(given[name]) if "/" in given[name] else given[name])
    return found


def _in_file(path: str) -> str:
    try:
        return ",".join(Path(path).read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not text"
        raise RefusedError(f"error: slurm_allocate_resources error opening file {path}, {why}") from None


def _names(text: str) -> tuple[str, ...]:
    from trainsub.slurm import hostlist  # noqa: PLC0415 - few submissions name nodes

    try:
        return tuple(dict.fromkeys(hostlist.expand(text)))
    except ValueError:
        raise RefusedError("fatal: Invalid node list specified") from None
