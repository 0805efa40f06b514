"""``exit/<job_id>.<restart>``: how one start of the script ended. Python 3.6 syntax, standard library only; pure.

One line, ``code=<n> start=<epoch> end=<epoch> node=<host>``, renamed into place by the script's EXIT trap; an array's
task adds ``task=<array's id>_<index>``. It is what is left where a cluster keeps no accounting. Words that a later
script adds are ignored.
"""

import re
from typing import NamedTuple, Optional

from trainsub.errors import OutputError

_NUMBER = re.compile(r"[0-9]{1,18}")
_NODE = re.compile(r"[^\s=]*")
_TASK = re.compile(r"([0-9]{1,10})_([0-9]{1,10})")


class ExitRecord(NamedTuple):
    """How one start of a script ended: exit code, epoch seconds of begin and end, node, array and its task."""

    code: int
    start: int
    end: int
    node: str
    array: Optional[int] = None
    task: Optional[int] = None


def format_exit(record: ExitRecord) -> str:
    """Return the file's text.

    Raises:
        ValueError: A number is negative, or the node is no host name.
    """
    if min(record.code, record.start, record.end) < 0 or _NODE.fullmatch(record.node) is None:
        raise ValueError(f"not an exit record: {record!r}")
    task = "" if record.array is None else f" task={record.array}_{record.task}"
    return f"code={record.code} start={record.start} end={record.end} node={record.node}{task}\n"


def parse_exit(text: str) -> ExitRecord:
    """Return what the file says.

    Raises:
        OutputError: It is no such file.
    """
    words = dict(word.partition("=")[::2] for word in text.split(" ")) if text.endswith("\n") else {}
    words = {name: value.rstrip("\n") for name, value in words.items()}
    numbers = [words.get(name, "") for name in ("code", "start", "end")]
    node = words.get("node")
    if node is None or _NODE.fullmatch(node) is None or not all(map(_NUMBER.fullmatch, numbers)):
        raise OutputError(f"not an exit record: {text[:200]!r}")
    code, start, end = map(int, numbers)
    of_array = _TASK.fullmatch(words.get("task", ""))
    array, task = map(int, of_array.groups()) if of_array else (None, None)
    return ExitRecord(code=code, start=start, end=end, node=node, array=array, task=task)
