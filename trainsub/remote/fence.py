"""What a settler asks of a run's directory: look at it, claim its fence, remove it.  settle.py decides when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trainsub.errors import RemoteFileError
from trainsub.remote.ask import Ask
from trainsub.remote.frames import Frame
from trainsub.remote.outcome import NO_FENCE, read_begun
from trainsub.remote.program import Values, quote
from trainsub.remote.requests import Request, unexpected
from trainsub.remote.roots import check_root, check_run
from trainsub.transport.base import Transport

_DIGITS = 18
"""A number of more digits is neither a time nor a number of seconds."""
SBATCH_TIMEOUT = 60
"""Seconds that sbatch is given, unless a submit asks for more."""
GRACE = 40
"""Seconds beyond that limit until a submit without an answer is given up: ``-k 10``, and a slow file system."""
REMOVAL = 600
"""Seconds after which nobody is removing a directory any more; TS_REMOVAL in root.sh."""


@dataclass(frozen=True, slots=True)
class State:
    """What the run's directory says.

    Attributes:
        now: The cluster's clock, in epoch seconds.
        started: When the submit took the lock, by the same clock; None if nobody has.
        limit: Seconds that its sbatch is given.
        owner: What the fence holds; ``-`` if nobody has created it.
        answer: sbatch's answer as recorded; empty if it is not.
        begun: When the submit called sbatch, by that clock; None if its mark does not tell.
        seen: When a submit that has not come to the lock yet gave its last sign of life, by that clock.
    """

    now: int
    started: int | None
    limit: int
    owner: str
    answer: bytes
    begun: datetime | None
    seen: int | None


class Look(Request[State]):
    """Look at the run's directory.

    Args:
        wait: Seconds to wait for the answer of a submit that has taken the lock, or is on its way there.
    """

    __slots__ = ("timeout",)

    def __init__(self, wait: int = 0) -> None:
        self.timeout = float(wait)

    def code(self) -> str:
        """See Request."""
        return f"ts_state {self.timeout:.0f}"

    def answer(self, frames: Sequence[Frame]) -> State:
        """See Request."""
        frame = frames[0]
        match frame:
            case Frame("state", (now, started, limit, owner, begun, seen)) if now.isdecimal():
                return State(
                    int(now),
                    _number(started, frame),
                    _number(limit, frame) or SBATCH_TIMEOUT,
                    owner,
                    frame.body,
                    read_begun(begun),
                    _number(seen, frame),
                )
            case _:
                raise unexpected(frame)


class Claim(Request[str]):
    """Create the fence, and return what it holds; ``-`` and a reason behind it if it cannot be created.

    Args:
        word: A job id, or ``void``.
    """

    __slots__ = ("_word",)

    def __init__(self, word: str) -> None:
        self._word = word

    def code(self) -> str:
        """See Request."""
        return f"ts_claim {quote(self._word)}"

    def words(self) -> Sequence[str]:
        """See Request."""
        return ("claim", self._word)

    def answer(self, frames: Sequence[Frame]) -> str:
        """See Request."""
        match frames[0]:
            case Frame("owner", (word,)):
                return word
            case Frame("fail", ("protocol", *found)):
                raise RemoteFileError(
                    f"the remote root belongs to another version of trainsub (PROTOCOL says {' '.join(found)!r})",
                    hint="Use the version of trainsub that made it.",
                )
            case Frame("fail", _, words):
                return f"{NO_FENCE} {words.decode('utf-8', 'replace').strip()}"
            case _:
                raise unexpected(frames[0])


class Discard(Request[bool]):
    """Remove a refused run's directory, if it still holds this answer and nobody has claimed it; true if it did.

    Args:
        answer: The answer as it was read.
    """

    __slots__ = ("_text",)

    def __init__(self, answer: bytes) -> None:
        self._text = answer.decode("utf-8", "surrogateescape").rstrip("\n")

    def code(self) -> str:
        """See Request."""
        return f"ts_discard {quote(self._text)}"

    def words(self) -> Sequence[str]:
        """See Request."""
        return ("discard",)

    def answer(self, frames: Sequence[Frame]) -> bool:
        """See Request."""
        if frames[0].tag not in {"gone", "kept"}:
            raise unexpected(frames[0])
        return frames[0].tag == "gone"


class SameFolder(Request[bool]):
    """Whether a job's working directory is that of this run, perhaps by another name; false where one is not there.

    Args:
        folder: The job's working directory.
    """

    __slots__ = ("_folder",)

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def code(self) -> str:
        """See Request."""
        return f"ts_same {quote(self._folder)}"

    def answer(self, frames: Sequence[Frame]) -> bool:
        """See Request."""
        if frames[0].tag not in {"same", "other"}:
            raise unexpected(frames[0])
        return frames[0].tag == "same"


class FenceAsk(Ask):
    """A conversation about one submission.

    Args:
        transport: How to get there.
        remote_root: As configured.
        run: Run id.
        link: The job's number in its run.
        slurm_bin: Where Slurm's commands are, if not on the PATH there.
    """

    program = "settle"

    def __init__(self, transport: Transport, remote_root: str, run: str, link: int, *, slurm_bin: str) -> None:
        super().__init__(transport, slurm_bin=slurm_bin, what="settle")
        self._about = {"TS_ROOT": check_root(remote_root), "TS_RUN": check_run(run), "TS_LINK": str(link)}

    def values(self) -> Values:
        """Return the values of the program."""
        return {**super().values(), **self._about}


def _number(word: str, frame: Frame) -> int | None:
    """Return a number; None for ``-``.

    Raises:
        OutputError: It is neither.
    """
    if word == "-":
        return None
    if not word.isdecimal() or len(word) > _DIGITS:
        raise unexpected(frame)
    return int(word)
