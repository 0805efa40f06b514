"""``answer.<link>``: what sbatch answered, kept beside the run. Python 3.6 syntax, standard library only; pure.

The first line is ``rc N``; each line that sbatch printed follows, after ``out `` or ``err ``. The file is renamed into
place, so it is whole or not there.
"""

import re
from typing import Dict, List, NamedTuple

from trainsub.errors import OutputError

_RC = re.compile(r"rc (0|[1-9][0-9]{0,8})")

Answer = NamedTuple("Answer", [("rc", int), ("out", str), ("err", str)])
Answer.__doc__ = """Exit code and output of one sbatch; each output is empty or ends with a newline."""


def format_answer(answer: Answer) -> str:
    """Return the file's text."""
    lines = [f"rc {answer.rc}"]
    for stream, text in (("out", answer.out), ("err", answer.err)):
        lines += [f"{stream} {line}" for line in _lines(text)]
    return "\n".join(lines) + "\n"


def parse_answer(text: str) -> Answer:
    """Return what the file says.

    Raises:
        OutputError: It is no such file.
    """
    first, *rest = _lines(text) or [""]
    match = _RC.fullmatch(first)
    if match is None:
        raise OutputError(f"an answer file begins with {first[:200]!r} instead of rc and a number")
    streams: Dict[str, List[str]] = {"out": [], "err": []}
    for line in rest:
        stream, _, said = line.partition(" ")
        if stream not in streams:
            raise OutputError(f"an answer file has a line that is neither out nor err: {line[:200]!r}")
        streams[stream].append(said + "\n")
    return Answer(rc=int(match.group(1)), out="".join(streams["out"]), err="".join(streams["err"]))


def _lines(text: str) -> List[str]:
    # Not splitlines(): that would also split at characters that are no line ends to a shell.
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]
