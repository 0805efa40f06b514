"""Indices of a job array as sbatch takes them and as the commands print them: ``0-9%2``, ``1,3,5-11:2``. Pure."""

import re
from collections.abc import Iterable
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


def text(indices: Iterable[int], at_once: int | None = None) -> str:
    """Return how sbatch is told of indices: ``0-2,7%2``; ``parse`` reads it back.

    Args:
        indices: At least one, in any order.
        at_once: How many may run at a time; None for any number.

    Raises:
        ValueError: There is no index.
    """
    ranges: list[list[int]] = []
    for index in sorted(set(indices)):
        if ranges and index == ranges[-1][-1] + 1:
            ranges[-1] = [ranges[-1][0], index]
        else:
            ranges.append([index])
    if not ranges:
        raise ValueError("an array has one index at least")
    return ",".join("-".join(map(str, one)) for one in ranges) + ("" if at_once is None else f"%{at_once}")
