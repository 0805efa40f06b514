"""How the asking commands print: formats with their widths, times, durations and amounts.

Pure, but for the time zone and ``SLURM_TIME_FORMAT`` of the process.
"""

import os
import time
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass

STANDARD = "%Y-%m-%dT%H:%M:%S"
_WORD_WIDTH = 20
_UNITS = ("M", "G", "T", "P")
_KIBI = 1024
_DAY = 86400


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a format, or a text between fields.

    Attributes:
        name: What is printed there; empty for a text alone.
        width: Characters; 0 prints all and fills nothing.
        right: Whether the text stands at the right end.
        suffix: What follows it.
    """

    name: str
    width: int = 0
    right: bool = False
    suffix: str = ""

    def fit(self, text: str) -> str:
        """Return a text as it stands in the column."""
        if self.width:
            text = text[: self.width]
            text = text.rjust(self.width) if self.right else text.ljust(self.width)
        return text + self.suffix


def letters(text: str, known: Container[str]) -> tuple[list[Column], list[str]]:
    """Return the columns of ``%.18i %j``, and the letters in it that are not known; those are printed as they stand.

    Args:
        text: What the user gave to ``--format``.
        known: All letters that may follow the percent sign and the width.
    """
    first, *tokens = text.split("%")
    columns = [Column("", suffix=first)] if first else []
    unknown: list[str] = []
    for token in filter(None, tokens):
        right = token.startswith(".")
        digits = _leading_digits(token[right:])
        letter, suffix = token[right + len(digits) :][:1], token[right + len(digits) :][1:]
        if letter in known and letter:
            columns.append(Column(letter, int(digits or 0), right, suffix))
        else:
            unknown.append(letter)
            columns.append(Column("", suffix=f"%{token}"))
    return columns, unknown


def words(text: str, known: Container[str]) -> tuple[list[Column], list[str]]:
    """Return the columns of ``JobID:8,Name:.20|``, and the words in it that are not known; only their ends are printed.

    Args:
        text: What the user gave to ``--Format``.
        known: All words, in small letters.
    """
    columns: list[Column] = []
    unknown: list[str] = []
    for token in filter(None, text.split(",")):
        name, colon, rest = token.partition(":")
        right = rest.startswith(".")
        digits = _leading_digits(rest[right:])
        suffix = rest[right + len(digits) :]
        if name.lower() not in known:
            unknown.append(name)
            columns += [Column("", suffix=suffix)] if suffix else []
        elif not colon:
            columns.append(Column(name.lower(), _WORD_WIDTH))
        else:
            columns.append(Column(name.lower(), int(digits or 0), right, suffix))
    return columns, unknown


def line(columns: Iterable[Column], text: Callable[[str], str]) -> str:
    """Return one line of a table.

    Args:
        columns: The format.
        text: Says what a field holds.
    """
    return "".join(column.fit(text(column.name) if column.name else "") for column in columns) + "\n"


def moment(seconds: int | None, missing: str = "N/A") -> str:
    """Return a time as ``SLURM_TIME_FORMAT`` wants it, ``relative`` aside.

    Args:
        seconds: Since 1970.
        missing: What to print where there is none.
    """
    if seconds is None:
        return missing
    wanted = os.environ.get("SLURM_TIME_FORMAT", "")
    form = STANDARD if wanted in {"", "standard", "relative"} else wanted
    # Not every system's strftime knows %s, or does it right.
    return time.strftime(form.replace("%s", str(seconds)), time.localtime(seconds))


def clock(seconds: int | None) -> str:
    """Return a duration as squeue and sinfo print it: ``0:05``, ``1:00:00``, ``7-00:00:00``; None: ``UNLIMITED``."""
    if seconds is None:
        return "UNLIMITED"
    days, rest = divmod(max(0, seconds), _DAY)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days}-{hours:02}:{minutes:02}:{rest:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def memory(mebibytes: int, *, convert: bool = True) -> str:
    """Return an amount of memory in the largest unit in which it is a whole number: ``4000M``, ``6G``, ``1T``.

    Args:
        mebibytes: The amount.
        convert: Not all in MiB.
    """
    unit = 0
    while convert and mebibytes and mebibytes % _KIBI == 0 and unit + 1 < len(_UNITS):
        mebibytes //= _KIBI
        unit += 1
    return f"{mebibytes}{_UNITS[unit]}"


def _leading_digits(text: str) -> str:
    for place, letter in enumerate(text):
        if letter not in "0123456789":
            return text[:place]
    return text
