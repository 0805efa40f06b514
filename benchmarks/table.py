"""The one table that all benchmarks print."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        what: What was measured.
        measured: The figure, with its unit.
        target: The target, in words.
        met: Whether it was met; None where there is none.
    """

    what: str
    measured: str
    target: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """In a word."""
        return {None: "", True: "met", False: "MISSED"}[self.met]


def markdown(rows: Iterable[Row]) -> str:
    """Write the rows as a table that is read as well in a terminal as in a document."""
    cells = [
        ("what", "measured", "target", "verdict"),
        *((row.what, row.measured, row.target, row.verdict) for row in rows),
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [_line(row, widths) for row in cells]
    lines.insert(1, _line(["-" * width for width in widths], widths))
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
