"""Slurm's hostlists: ``n[1-3,7]`` and the names that it means. Python 3.6 syntax, standard library only; pure."""

import re
from typing import Dict, Iterable, List

MAX_HOSTS = 65536
"""More than any cluster has; a longer list is an error, because it would fill the memory."""

NOBODY = ("", "(null)", "None", "None assigned", "N/A")
"""What the commands print where a job holds no nodes."""

# Outside brackets anything but brackets, blanks and commas; inside numbers and ranges.
_ITEM = re.compile(r"(?:[^\[\],\s]|\[[0-9][0-9,-]*\])+")
_PART = re.compile(r"\[([0-9,-]+)\]|([^\[\]]+)")
_RANGE = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?")
_NUMBERED = re.compile(r"(.*?)([0-9]{1,18})")


def expand(text: str) -> List[str]:
    """Return the names that a hostlist means, in its order.

    Raises:
        ValueError: It is no hostlist, or means more than ``MAX_HOSTS`` names.
    """
    text = text.strip()
    if text in NOBODY:
        return []
    hosts: List[str] = []
    place = 0
    while True:
        match = _ITEM.match(text, place)
        if match is None:
            raise ValueError(f"not a hostlist: {text[:200]!r}")
        hosts.extend(_names(match.group(), MAX_HOSTS - len(hosts)))
        place = match.end()
        if place == len(text):
            return hosts
        if text[place] != ",":
            raise ValueError(f"not a hostlist: {text[:200]!r}")
        place += 1


def compress(hosts: Iterable[str]) -> str:
    """Return the shortest hostlist of these names, sorted, each once: only the last number of a name is folded."""
    plain: List[str] = []
    numbered: Dict[str, List[str]] = {}
    for host in sorted(set(hosts)):
        match = _NUMBERED.fullmatch(host)
        if match is None:
            plain.append(host)
        else:
            numbered.setdefault(match.group(1), []).append(match.group(2))
    folded = [prefix + _fold(numbers) for prefix, numbers in sorted(numbered.items())]
    return ",".join(plain + folded)


def _names(item: str, room: int) -> List[str]:
    """Return the names of one item, brackets multiplied out."""
    names = [""]
    for ranges, literal in _PART.findall(item):
        choices = _numbers(ranges, room) if ranges else [literal]
        if len(names) * len(choices) > room:
            raise ValueError(f"a hostlist of more than {MAX_HOSTS} names")
        names = [name + choice for name in names for choice in choices]
    return names


def _numbers(ranges: str, room: int) -> List[str]:
    """Return the numbers inside one pair of brackets, with their leading zeros."""
    numbers: List[str] = []
    for part in ranges.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"not a range of a hostlist: {part[:200]!r}")
        low, high = match.group(1), match.group(2) or match.group(1)
        count = int(high) - int(low) + 1
        if count < 1 or count + len(numbers) > room:
            raise ValueError(f"not a range of a hostlist, or too long: {part!r}")
        numbers.extend(str(number).zfill(len(low)) for number in range(int(low), int(high) + 1))
    return numbers


def _fold(numbers: List[str]) -> str:
    """Return ``3`` or ``[1-3,7]`` for numbers with leading zeros; a range keeps the width of its first number."""
    runs: List[List[str]] = []
    # Several runs can be open at a time: after 9 and 09, 10 fits both.
    open_runs: Dict[str, List[str]] = {}
    for number in sorted(numbers, key=lambda text: (int(text), len(text))):
        run = open_runs.pop(number, None)
        if run is None:
            run = [number, number]
            runs.append(run)
        run[1] = number
        open_runs[str(int(number) + 1).zfill(len(run[0]))] = run
    if len(numbers) == 1:
        return numbers[0]
    return "[{}]".format(",".join(low if low == high else f"{low}-{high}" for low, high in runs))
