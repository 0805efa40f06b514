"""How values are written for people: durations, times, money, tables."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from unicodedata import category

from trainsub.slurm import states

if TYPE_CHECKING:
    from trainsub.documents import models
    from trainsub.tracker.values import Job

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's classes of what steers a terminal or the order of what it shows, and of what is no character."""


def hours(seconds: int | None) -> str:
    """GPU-seconds as GPU-hours, in enough places that small runs are not zero."""
    if seconds is None:
        return "unknown"
    return f"{seconds / 3600:.2f}" if seconds >= 36_000 or seconds == 0 else f"{seconds / 3600:.4f}"  # noqa: PLR2004 -- 10 h


def duration(seconds: float) -> str:
    """Seconds in the largest units that say enough."""
    whole = max(0, int(seconds))
    if whole < 60:  # noqa: PLR2004 -- a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 -- an hour
        return f"{minutes} min {rest} s" if minutes < 10 else f"{minutes} min"  # noqa: PLR2004 -- seconds matter little then
    whole_hours, minutes = divmod(minutes, 60)
    if whole_hours < 48:  # noqa: PLR2004 -- two days
        return f"{whole_hours} h {minutes} min"
    return f"{whole_hours // 24} d {whole_hours % 24} h"


def visible(text: str, *, lines: bool = False) -> str:
    """Text that moves no cursor, sets no title and forges no line: its control characters are spelled out.

    Args:
        text: What a cluster, or anybody who writes there, may have chosen.
        lines: Whether line ends and tabs stay as they are.
    """
    if text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    return "".join(one if one in kept or category(one) not in _UNSEEN else _spelled(one) for one in text)


def _spelled(one: str) -> str:
    return one.encode("unicode_escape").decode()


def ago(moment: datetime) -> str:
    """How long ago a time was."""
    return f"{duration((datetime.now(UTC) - moment).total_seconds())} ago"


def age(seconds: float) -> str:
    """Seconds in one unit: how old something is need not be told to the second."""
    whole = max(0, int(seconds))
    for unit, size in (("d", 172_800), ("h", 7200), ("min", 60)):
        if whole >= size:
            return f"{whole // {'d': 86_400, 'h': 3600, 'min': 60}[unit]} {unit}"
    return f"{whole} s"


def elapsed(job: "Job | None") -> str:
    """How long a job has held its nodes, or did; nothing of one that waits, as it may once more after a requeue."""
    if job is None or job.start_time is None or states.phase(job.state) == states.PENDING:
        return "-"
    end = job.end_time or datetime.now(UTC)
    return duration((end - job.start_time).total_seconds())


def time(moment: datetime) -> str:
    """A time as the wall clock here shows it."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def money(money: "models.MoneyDocument | None") -> str:
    """An amount with its currency."""
    return "-" if money is None else f"{money.amount} {money.currency}"


def marks(one: "models.RunUsageDocument | models.TotalDocument") -> str:
    """Whether a figure still grows, whether it is an estimate, and whether a record of it never ends."""
    words = (("provisional", one.provisional), ("estimated", one.estimated), ("runaway", one.runaway))
    return ", ".join(word for word, true in words if true)


def count(number: int, what: str) -> str:
    """A number and its noun."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def home_path(path: str) -> str:
    """A path of this machine, with a tilde for the home directory."""
    from trainsub.transport.whoami import home as own_home

    home = str(own_home())
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}/") else path


def or_dash(value: int | None) -> str:
    """A number, or a dash for what is not known."""
    return "-" if value is None else str(value)


def toml(value: object) -> str:
    """A value as a configuration file has it."""
    import json

    return json.dumps(value, ensure_ascii=False, default=str)
