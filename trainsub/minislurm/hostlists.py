"""Hostlists as scontrol folds them: in the order given, each name as often as it was given. Pure."""

import re
from collections.abc import Iterable

_NUMBERED = re.compile(r"(.*?)([0-9]{1,18})", re.DOTALL)


def fold(names: Iterable[str]) -> str:
    """Return ``n[3,1-2,1]`` for n3, n1, n2, n1: neighbours with one prefix share brackets."""
    groups: list[tuple[str, list[list[str]]]] = []
    for name in names:
        match = _NUMBERED.fullmatch(name)
        prefix, number = (match.group(1), match.group(2)) if match is not None else (name, "")
        if not groups or groups[-1][0] != prefix or not number or not groups[-1][1]:
            groups.append((prefix, [[number, number]] if number else []))
            continue
        runs = groups[-1][1]
        last = runs[-1][1]
        if str(int(last) + 1).zfill(len(last)) == number:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(_text(prefix, runs) for prefix, runs in groups)


def sort(names: Iterable[str]) -> list[str]:
    """Return the names by prefix and number."""

    def place(name: str) -> tuple[str, int, str]:
        match = _NUMBERED.fullmatch(name)
        return (match.group(1), int(match.group(2)), name) if match is not None else (name, -1, name)

    return sorted(names, key=place)


def _text(prefix: str, runs: list[list[str]]) -> str:
    if not runs:
        return prefix
    if len(runs) == 1 and runs[0][0] == runs[0][1]:
        return prefix + runs[0][0]
    return f"{prefix}[{','.join(low if low == high else f'{low}-{high}' for low, high in runs)}]"
