"""Indices of a job array: ``1-5:2,8%3``. Pure."""

import re

_ITEM = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9})(?::([0-9]{1,9}))?)?")


class ArrayError(ValueError):
    """It is no list of indices."""


def parse(text: str, size: int) -> tuple[tuple[int, ...], int]:
    """Return the indices, in order, and how many tasks may run at a time (0: any number).

    Args:
        text: As the user wrote it.
        size: ``max_array_size``; no index may reach it.

    Raises:
        ArrayError: Slurm would not take it either.
    """
    listed, percent, limit = text.partition("%")
    listed = listed.strip("[]") if listed.startswith("[") and listed.endswith("]") else listed
    found: set[int] = set()
    # What is behind the limit is not read, and neither is a limit that is no number.
    for item in filter(None, listed.split(",")):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ArrayError(f"not an index or a range: {item}")
        low = int(match.group(1))
        high, step = int(match.group(2) or low), int(match.group(3) or 1)
        if high < low or high >= size or step < 1:
            raise ArrayError(f"not a range below {size}: {item}")
        found.update(range(low, high + 1, step))
    if not found:
        raise ArrayError("no index")
    number = re.match(r"[0-9]{1,9}", limit) if percent else None
    return tuple(sorted(found)), int(number.group()) if number else 0


def show(indices: tuple[int, ...], limit: int = 0) -> str:
    """Return ``1-3,7%2`` or ``1,3,5``: the indices as Slurm shows them."""
    parts = ",".join(_runs(indices))
    return f"{parts}%{limit}" if limit else parts


def step(indices: tuple[int, ...]) -> int:
    """Return what Slurm calls the step between the indices: that between the first two."""
    return indices[1] - indices[0] if len(indices) > 1 else 1


def _runs(indices: tuple[int, ...]) -> list[str]:
    runs: list[list[int]] = []
    for index in indices:
        if runs and runs[-1][-1] == index - 1:
            runs[-1][1:] = [index]
        else:
            runs.append([index])
    return ["-".join(map(str, run)) for run in runs]
