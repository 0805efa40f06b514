"""Slurm's grammar of durations and memory sizes. Python 3.6 syntax, standard library only; pure."""

import re
from typing import Optional

_UNLIMITED = ("UNLIMITED", "INFINITE", "-1")

# minutes | minutes:seconds | hours:minutes:seconds | days-hours[:minutes[:seconds]]; like Slurm, 90:00 is fine.
_TIME = re.compile(r"(?:([0-9]{1,6})-)?([0-9]{1,9})(?::([0-9]{1,9}))?(?::([0-9]{1,9}))?")

_MEMORY = re.compile(r"([0-9]{1,15})([KMGT]?)B?", re.IGNORECASE)
_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}

_DAY = 86400


def parse_time(text: str) -> Optional[int]:
    """Return the seconds that a duration such as ``12:00:00``, ``1-2`` or ``90`` (minutes) means; None: unlimited.

    Raises:
        ValueError: Slurm would not take it either.
    """
    if text.upper() in _UNLIMITED:
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"not a Slurm time: {text!r}; write minutes, H:M:S or D-H:M:S")
    days, first, second, third = match.groups()
    if days is not None:
        return int(days) * _DAY + int(first) * 3600 + int(second or 0) * 60 + int(third or 0)
    if third is not None:
        return int(first) * 3600 + int(second) * 60 + int(third)
    return int(first) * 60 + int(second or 0)


def format_time(seconds: Optional[int]) -> str:
    """Return the duration as Slurm prints it: ``1-02:03:04``, ``12:00:00`` or ``UNLIMITED``.

    Raises:
        ValueError: It is negative.
    """
    if seconds is None:
        return "UNLIMITED"
    if seconds < 0:
        raise ValueError(f"a duration cannot be negative: {seconds}")
    days, rest = divmod(seconds, _DAY)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days}-{clock}" if days else clock


def parse_memory(text: str) -> int:
    """Return the bytes that a size such as ``64G``, ``1500K`` or ``4000`` (MiB) means; units are powers of 1024.

    Raises:
        ValueError: Slurm would not take it either.
    """
    match = _MEMORY.fullmatch(text)
    if match is None or (text[-1] in "bB" and not match.group(2)):
        raise ValueError(f"not a Slurm memory size: {text!r}; write a whole number and K, M, G or T")
    return int(match.group(1)) * _UNITS[match.group(2).upper() or "M"]


def format_memory(size: int) -> str:
    """Return the shortest exact way to write a size; Slurm itself counts whole MiB.

    Raises:
        ValueError: It is negative, or no whole number of KiB.
    """
    if size < 0 or size % 1024:
        raise ValueError(f"not a whole number of KiB: {size}")
    unit = next(unit for unit in ("T", "G", "M", "K") if size % _UNITS[unit] == 0)
    return "0" if size == 0 else f"{size // _UNITS[unit]}{unit}"
