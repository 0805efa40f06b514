"""Which tasks go where, as Slurm lays them out. Pure."""

from collections.abc import Sequence


def dealt(total: int, capacities: Sequence[int]) -> tuple[int, ...]:
    """Return how many of the tasks each node gets: one by one in turn, as long as it has room.

    Args:
        total: Tasks.
        capacities: What each node has room for; where all are full, they get more all the same.
    """
    counts = [0] * len(capacities)
    left = total
    while left:
        roomy = [index for index, count in enumerate(counts) if count < capacities[index]] or range(len(counts))
        for index in list(roomy)[:left]:
            counts[index] += 1
        left -= min(left, len(roomy))
    return tuple(counts)


def nodes_of_tasks(counts: Sequence[int], how: str) -> tuple[int, ...]:
    """Return the node of each task.

    Args:
        counts: Tasks of each node.
        how: ``block``, ``cyclic`` or ``plane=N``.
    """
    size = max([1, *counts]) if how == "block" else int(how.partition("=")[2] or 1)
    left = list(counts)
    found: list[int] = []
    while any(left):
        for node, rest in enumerate(left):
            found += [node] * min(size, rest)
            left[node] -= min(size, rest)
    return tuple(found)


def shortened(numbers: Sequence[int]) -> str:
    """Return ``2(x3),1`` for 2, 2, 2, 1."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][0] == number:
            runs[-1][1] += 1
        else:
            runs.append([number, 1])
    return ",".join(f"{number}(x{count})" if count > 1 else str(number) for number, count in runs)
