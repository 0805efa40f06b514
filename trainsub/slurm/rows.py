"""How rows cross the wire: fields that end with a control character, so that user text cannot be taken for one. Pure.

Names and comments may hold ``|``, blanks and newlines. So every field, the last one too, ends with US (unit separator),
free text comes last, a record ends with US and newline, and begins with more fields than there are of free text: an
answer that was cut off, or lost a field, is seen as such. A name that holds a few US itself spoils no other row.
"""

import re
from datetime import UTC, datetime

from trainsub.errors import OutputError

SEPARATOR = "\x1f"

QUEUE_HEAD = f"[0-9]+{SEPARATOR}(?:N/A|[0-9]+){SEPARATOR}(?:N/A|[0-9][0-9,:%.-]*){SEPARATOR}"
"""How squeue's records begin if JobID, ArrayJobID and ArrayTaskID are asked for first."""

ACCOUNTS_HEAD = f"[0-9][^{SEPARATOR}\\n]*{SEPARATOR}(?:Unknown|[0-9][^{SEPARATOR}\\n]*){SEPARATOR}"
"""How sacct's records begin if a job id and another id or a time are asked for first."""

_END = SEPARATOR + "\n"
_NO_TIME = frozenset({"", "(null)", "n/a", "none", "unknown"})
_DIGITS = re.compile(r"[0-9]{1,10}")
_LARGEST = 2**32 - 1
_EPOCH = re.compile(r"[0-9]{1,18}")
# Not the last second of all: each zone's own calendar, and a job's length, must still find room behind it.
_LAST_SECOND = int(datetime(9000, 1, 1, tzinfo=UTC).timestamp())


def program(name: str, slurm_bin: str) -> str:
    """Return how a Slurm command is called: by its name, or by its path where the cluster's folder is configured."""
    return f"{slurm_bin.rstrip('/')}/{name}" if slurm_bin else name


def split(text: str, *, columns: int, command: str, head: str = "") -> list[list[str]]:
    """Return the records, each of exactly so many fields.

    Args:
        text: What the command printed.
        columns: Number of fields asked for.
        command: For the message.
        head: Pattern of a record's first fields, each with its separator; at least one more than the fields of free
            text. Where an end is followed by something else, it lies in a user's text.

    Raises:
        OutputError: The text was cut off, or is something else.
    """
    if not text:
        return []
    if not text.endswith(_END):
        raise OutputError(f"{command}'s answer is cut off: it ends with {text[-80:]!r}", hint="Ask again.")
    records = re.split(f"{_END}(?={head})", text[: -len(_END)])
    for record in records:
        # With fewer a field is missing. With twice as many it is no text, but has swallowed a row that is not whole.
        if not columns - 1 <= record.count(SEPARATOR) < 2 * columns - 2:
            raise OutputError(f"{command} printed a row of the wrong form: {record[:200]!r}")
    return [record.split(SEPARATOR, columns - 1) for record in records]


def number(text: str, *, what: str) -> int:
    """Return a job id, a count or a number of seconds: Slurm keeps all of them in 32 bits.

    Raises:
        OutputError: It is none.
    """
    if _DIGITS.fullmatch(text) is None or int(text) > _LARGEST:
        raise OutputError(f"{what} should be a number: {text[:200]!r}")
    return int(text)


def moment(text: str, *, what: str) -> datetime | None:
    """Return a time that was printed as epoch seconds; None where Slurm has none.

    Raises:
        OutputError: It is neither.
    """
    if text.lower() in _NO_TIME:
        return None
    if _EPOCH.fullmatch(text) is None:
        raise OutputError(f"{what} should be a time in epoch seconds: {text[:200]!r}")
    seconds = int(text)
    # Behind jobs without a time limit Slurm plans for years that no calendar has.
    return datetime.fromtimestamp(seconds, tz=UTC) if seconds <= _LAST_SECOND else None


def blank(text: str) -> str:
    """Return the text, with Slurm's ways of printing nothing made empty."""
    return "" if text in {"(null)", "N/A", "None assigned"} else text
