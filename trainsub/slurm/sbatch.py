"""sbatch: its answers, and the directives in a script. Pure.

The three outcomes of a submission are decided here: accepted, refused, or unclear. In doubt it is unclear, because an
unclear submission is settled by asking the cluster, while a refused one may be sent again. ``refusals`` explains a
refusal.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainsub.slurm import jobids
from trainsub.slurm.refusals import Explanation, explain

__all__ = [
    "Accepted",
    "Answer",
    "Explanation",
    "Refused",
    "Unclear",
    "Value",
    "directive",
    "directives",
    "explain",
    "parse_answer",
]

_ANSWER = re.compile(r"^([0-9]+)(?:;([^\s;]+))?[ \t\r]*$", re.MULTILINE)
_PREFIX = re.compile(r"^sbatch: (?:fatal: |error: )?")
_VERDICT = "Batch job submission failed: "

# 125 to 127 say that sbatch was never started; 255 is what it exits with itself. All others from 124 on are the time
# limit or a signal, and it may have been sending.
_OWN_EXIT_CODES = frozenset({*range(1, 124), 125, 126, 127, 255})

# The request may have reached the controller: its answer was lost, or could not be read.
_LOST = re.compile(
    r"socket timed out|unable to confirm|(?:receive|send|shutdown) failure|shutting down|zero bytes were transmitted"
    r"|connection timed out (?:reading|writing)|connection reset|broken pipe|delayed socket error|insane message length"
    r"|unexpected message received|transport endpoint is not connected|expired credential|credential replayed"
    r"|authentication error|i/o stream version",
    re.IGNORECASE,
)

_OPTION = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_BARE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_FORBIDDEN = frozenset("\0\n\r")

Value = bool | int | str | Sequence[int | str] | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """There is a job.

    Attributes:
        job_id: Its id.
        cluster: The cluster's name where sbatch tells it, as in federations.
    """

    job_id: int
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no job, and there will be none.

    Attributes:
        reason: What sbatch gave as the reason, in one line.
        text: All that it said.
    """

    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Whether there is a job cannot be told from this answer.

    Attributes:
        text: All that sbatch said.
    """

    text: str


Answer = Accepted | Refused | Unclear


def parse_answer(rc: int, stdout: str, stderr: str) -> Answer:
    """Return what an answer of ``sbatch --parsable`` means.

    Args:
        rc: Its exit code; 124 or 137 when our own time limit ended it.
        stdout: What it printed; wrappers and plugins may add lines.
        stderr: What it complained about.
    """
    answers = set(_ANSWER.findall(stdout))
    text = (stderr + stdout).strip()
    if rc == 0 and len(answers) == 1:
        digits, cluster = answers.pop()
        # A plugin may print a number of its own.
        job_id = jobids.plain(digits)
        return Unclear(text=text) if job_id is None else Accepted(job_id=job_id, cluster=cluster or None)
    if answers or rc not in _OWN_EXIT_CODES or _LOST.search(text):
        return Unclear(text=text)
    return Refused(reason=_reason(rc, stderr, stdout), text=text)


def _reason(rc: int, stderr: str, stdout: str) -> str:
    """Return sbatch's errors in one line, without what it puts before each."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("sbatch: ")]
    if errors:
        return "; ".join(_PREFIX.sub("", line).removeprefix(_VERDICT) for line in errors)
    rest = lines or [line.strip() for line in stdout.splitlines() if line.strip()]
    return rest[-1] if rest else f"sbatch ended with exit code {rc} and said nothing"


def directives(options: Mapping[str, Value]) -> list[str]:
    """Return the ``#SBATCH`` lines of a script, in the order of the options; a list repeats its option.

    Args:
        options: Long options; ``_`` stands for ``-``. True is a flag; False and None are left out.

    Raises:
        ValueError: An option is no option, or a value cannot be written.
    """
    lines: list[str] = []
    for option, value in options.items():
        if value is None or value is False:
            continue
        if isinstance(value, (bool, int, str)):
            lines.append(directive(option, value))
        else:
            lines.extend(directive(option, one) for one in value)
    return lines


def directive(option: str, value: bool | int | str) -> str:  # noqa: FBT001  True is an option's value here, not a switch
    """Return one ``#SBATCH`` line that sbatch reads back as exactly this option and value.

    sbatch has its own parser for these lines: blanks separate, quotes of both kinds group, a backslash escapes the next
    character, also inside quotes, ``#`` begins a comment, and the end of the line ends all. A shell never sees them.

    Args:
        option: A long option; ``_`` stands for ``-``.
        value: True for an option without value.

    Raises:
        ValueError: The option is no option, or the value is False or holds a newline, carriage return or NUL.
    """
    name = option.replace("_", "-")
    if _OPTION.fullmatch(name) is None:
        raise ValueError(f"not a long option of sbatch: {option!r}")
    if value is True:
        return f"#SBATCH --{name}"
    if value is False:
        raise ValueError(f"{name} has no value to be false")
    text = str(value)
    if not _FORBIDDEN.isdisjoint(text):
        raise ValueError(f"the value of {name} holds a line break or a NUL: {text[:200]!r}")
    return f"#SBATCH --{name}={_quote(text)}"


def _quote(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    # Every backslash is doubled: before a blank, 22.05 and later releases read a single one differently.
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
