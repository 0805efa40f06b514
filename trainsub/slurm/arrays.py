"""Indices of a job array as sbatch takes them and as the commands print them: ``0-9%2``, ``1,3,5-11:2``. Pure."""

import re
from dataclasses import dataclass

LARGEST = 4_000_000
"""The largest index that any Slurm takes (``MaxArraySize`` may be 4000001); a site's own limit is often 1000."""

_ITEM = re.compile(r"([0-9]{1,7})(?:-([0-9]{1,7})(?::([0-9]{1,7}))?)?")
_LIMIT = re.compile(r"[0-9]{1,7}")


@dataclass(frozen=True, slots=True)
class Indices:
    """Which tasks an array has.

    Attributes:
        indices: In order, each once.
        at_once: How many may run at a time; None for any number.
    """

    indices: tuple[int, ...]
    at_once: int | None = None


def parse(text: str) -> Indices:
    """Return the indices that a text such as ``0-9%2`` means.

    Raises:
        ValueError: sbatch would not take it either; the text says why.
    """
    listed, percent, limit = text.partition("%")
    if percent and _LIMIT.fullmatch(limit) is None:
        raise ValueError(f"after % comes how many tasks may run at a time, not {limit!r}")
    found: set[int] = set()
    for item in listed.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(f"{item!r} is neither an index, nor a range such as 0-9 or 0-9:2")
        low, high, step = (int(number) if number else None for number in match.groups())
        first = low or 0
        last = first if high is None else high
        if last < first or step == 0 or last > LARGEST:
            raise ValueError(f"{item} is not a range of indices from 0 to {LARGEST}")
        found.update(range(first, last + 1, step or 1))
    return Indices(tuple(sorted(found)), int(limit) or None if percent else None)
