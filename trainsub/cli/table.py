"""Tables without lines, as wide as they need to be, or as wide as the terminal is. Ten thousand rows take no time."""

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence

from trainsub.cli.words import visible

GAP = "  "
LEAST = 8
"""A column is not made narrower than this to fit the terminal."""
HEADER = "bold"
_CODES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "magenta": "35"}


class Table:
    """Rows of cells under headers.

    Args:
        columns: The headers.
        spare: Headers of columns that are left out, one after the other, where the terminal is too narrow for all.
    """

    def __init__(self, *columns: str, spare: Sequence[str] = ()) -> None:
        self._spare = [columns.index(name) for name in spare]
        self._rows: list[list[str]] = [list(columns)]
        self._styles: list[dict[int, str]] = [dict.fromkeys(range(len(columns)), HEADER)]

    def add(self, *cells: str, style: str = "", styled: int = 0) -> None:
        """Add a row.

        Args:
            cells: As many as there are columns; what steers a terminal is spelled out.
            style: Style of one cell: bold, red, green, yellow, magenta, or empty for none.
            styled: Which one.
        """
        self._rows.append([visible(cell) for cell in cells])
        self._styles.append({styled: style} if style else {})

    def lines(self, *, width: int | None = None, colour: bool = False) -> Iterator[str]:
        """The table, a line at a time, without blanks at the ends.

        Args:
            width: Columns of the terminal; None for as many as it takes. The first column is never folded.
            colour: Whether styles are shown.
        """
        needed = [_widest(column) for column in zip(*self._rows, strict=True)]
        kept = list(range(len(needed)))
        for number in self._spare:
            if width is not None and _total([needed[one] for one in kept]) > width:
                kept.remove(number)
        needed = [needed[one] for one in kept]
        widths = needed if width is None else _fitted(needed, width)
        for row, styles in zip(self._rows, self._styles, strict=True):
            cells = row if len(kept) == len(row) else [row[one] for one in kept]
            shown = {kept.index(one): style for one, style in styles.items() if one in kept} if colour else {}
            for part in [cells] if widths == needed else _folded(cells, widths):
                yield _line(part, widths, shown)


def _line(cells: Sequence[str], widths: Sequence[int], styles: dict[int, str]) -> str:
    """One line; blanks are outside of what is coloured."""
    if not styles and all(map(str.isascii, cells)):
        return GAP.join(map(str.ljust, cells, widths)).rstrip()
    shown = []
    for number, (cell, wanted) in enumerate(zip(cells, widths, strict=True)):
        code = _CODES.get(styles.get(number, "")) if cell else None
        text = cell if code is None else f"\x1b[{code}m{cell}\x1b[0m"
        shown.append(text + " " * (wanted - _width(cell)))
    return GAP.join(shown).rstrip()


def _fitted(needed: Sequence[int], width: int) -> list[int]:
    """Widths that fit, taken from the widest columns but the first; as they are where nothing can be taken."""
    widths = list(needed)
    while _total(widths) > width:
        widest = max(range(1, len(widths)), key=widths.__getitem__, default=0)
        if widest == 0 or widths[widest] <= LEAST:
            break
        widths[widest] -= 1
    return widths


def _total(widths: Sequence[int]) -> int:
    """Columns that a line takes."""
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _folded(cells: Sequence[str], widths: Sequence[int]) -> list[list[str]]:
    """A row as lines whose cells are no wider than the columns."""
    columns = [
        [cell] if number == 0 or _width(cell) <= wanted else textwrap.wrap(cell, wanted)
        for number, (cell, wanted) in enumerate(zip(cells, widths, strict=True))
    ]
    height = max(map(len, columns))
    return [[column[row] if row < len(column) else "" for column in columns] for row in range(height)]


def _widest(cells: Sequence[str]) -> int:
    """The width of the widest; most columns are ASCII throughout."""
    return max(map(len if all(map(str.isascii, cells)) else _width, cells))


def _width(text: str) -> int:
    """Columns that a text takes in a terminal: wide characters take two, combining ones none (UAX 11)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )
