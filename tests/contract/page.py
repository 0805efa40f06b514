"""The reference page of the contract: its rows, and where versions of Slurm differ."""

import difflib

from contract.facts import MINISLURM, NORM, PLACES, VERSIONS, Row, load

INTRODUCTION = f"""\
# What minislurm answers

The cluster `minislurm` stands in for Slurm on one machine. What it must answer is not written from memory: each row below
is a script in [`tests/contract/rows`](../../tests/contract/rows) that was run on real Slurm, and its answers were
recorded in [`tests/contract/expected`](../../tests/contract/expected). The tests run every row on minislurm and on each
real version, and plant an error in minislurm for each row, which it must find.

"recorded" is the norm: minislurm answers as {NORM} does. "the same" is what was recorded from another version, too; where
one answers otherwise, the last part of this page tells how. `$JOB1` is the first job of the row, `$TIME` a time, `$DIR`
the directory it works in.
"""


def contract_page() -> str:
    """Return the page."""
    rows = load()
    lines = [INTRODUCTION, f"| row | what holds | {' | '.join(PLACES)} |", "|---|---|" + "---|" * len(PLACES)]
    for row in rows:
        cells = [_cell(row, place) for place in PLACES]
        name = f"[{row.name}](../../tests/contract/rows/{row.name}.sh)"
        lines.append(f"| {name} | {row.title.replace('|', chr(92) + '|')} | {' | '.join(cells)} |")
    lines += ["", "## Where versions differ", ""]
    lines += [f"`-` is what {NORM} says, `+` what the other one says.", ""]
    for row in rows:
        different = [version for version in VERSIONS if _differs(row, version)]
        if different:
            lines += [f"### {row.name}", ""]
        for version in different:
            lines += [f"{version}:", "", "```diff", *_difference(row, version), "```", ""]
    return "\n".join(lines)


def _cell(row: Row, place: str) -> str:
    if place == NORM:
        return "recorded"
    if place == MINISLURM:
        return f"as {NORM}"
    return f"[differs](#{row.name})" if _differs(row, place) else "the same"


def _differs(row: Row, version: str) -> bool:
    return row.expected(version) != row.expected(NORM)


def _difference(row: Row, version: str) -> list[str]:
    """Return the lines that differ."""
    norm, other = (row.expected(place).splitlines() for place in (NORM, version))
    found = difflib.ndiff(norm, other)
    return [line.rstrip() for line in found if line.startswith(("- ", "+ "))]
