"""What can be asked of a cluster within one exec: each request as shell text, and its answer read from frames. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from trainsub.errors import OutputError, RemoteFileError
from trainsub.remote.frames import Frame
from trainsub.remote.program import quote, word_list

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that has ended.

    Attributes:
        rc: Its exit status; 124 (or 137) if it ran into its time limit, 127 if there is no such command.
        out: What it printed, to the byte.
        err: What it complained about, without newlines at the end.
    """

    rc: int
    out: bytes
    err: bytes


@dataclass(frozen=True, slots=True)
class Tail:
    """A piece of a file.

    Attributes:
        data: The bytes.
        start: Where they begin: the offset asked for, or 0 if the file has become shorter than that.
        size: How long the file is.
    """

    data: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """The offset to ask for next."""
        return self.start + len(self.data)


class Request(Generic[T_co]):
    """One thing to ask."""

    __slots__ = ()
    frames = 1
    """How many frames answer it."""
    timeout = 0.0
    """Seconds that the answer may take, beyond the usual."""

    def code(self) -> str:
        """Return the shell text that asks it."""
        raise NotImplementedError

    def words(self) -> Sequence[str]:
        """Return the command that it stands for, for the audit log; nothing if there is none worth telling."""
        return ()

    def answer(self, frames: Sequence[Frame]) -> T_co:
        """Return the answer.

        Args:
            frames: As many as announced.

        Raises:
            OutputError: They are something else.
            RemoteFileError: A file cannot be read.
        """
        raise NotImplementedError


class RunCommand(Request[Completed]):
    """Run a command under a time limit.

    Args:
        argv: The command; ``slurm_bin`` is on its PATH.
        timeout: Seconds that it is given.
    """

    __slots__ = ("_argv", "timeout")
    frames = 2

    def __init__(self, argv: Sequence[str], *, timeout: int = 30) -> None:
        self._argv = argv
        self.timeout = float(timeout)

    def code(self) -> str:
        """See Request."""
        return f"ts_run {int(self.timeout)} {word_list(self._argv)}"

    def words(self) -> Sequence[str]:
        """See Request."""
        return self._argv

    def answer(self, frames: Sequence[Frame]) -> Completed:
        """See Request."""
        match frames:
            case (Frame("out", _, out), Frame("rc", (rc,), err)) if rc.isdecimal():
                return Completed(int(rc), out, err)
            case (Frame("out"), end):
                raise unexpected(end)
            case _:
                raise unexpected(frames[0])


class ReadTail(Request["Tail | None"]):
    """Read a file from an offset; None if it does not exist.

    Args:
        path: The file.
        offset: Where to begin.
        limit: The most bytes to read.
    """

    __slots__ = ("_limit", "_offset", "_path")

    def __init__(self, path: str, offset: int, limit: int) -> None:
        self._path = path
        self._offset = offset
        self._limit = limit

    def code(self) -> str:
        """See Request."""
        return f"ts_tail {quote(plain(self._path))} {self._offset:d} {self._limit:d}"

    def words(self) -> Sequence[str]:
        """See Request: without the offset, so that following a log is one thing."""
        return ("tail", self._path)

    def answer(self, frames: Sequence[Frame]) -> Tail | None:
        """See Request."""
        match frames[0]:
            case Frame("none"):
                return None
            case Frame("tail", (start, size), body) if start.isdecimal() and size.isdecimal():
                return Tail(body, int(start), int(size))
            case Frame("fail"):
                words = frames[0].body.decode("utf-8", "replace").strip()
                raise RemoteFileError(f"{self._path} cannot be read: {words or 'it is no readable file'}")
            case _:
                raise unexpected(frames[0])


class ListDirectory(Request[list[str]]):
    """The names in a directory, hidden ones left out; none if it does not exist.

    Args:
        path: The directory.
    """

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def code(self) -> str:
        """See Request."""
        return f"ts_list {quote(plain(self._path))}"

    def words(self) -> Sequence[str]:
        """See Request."""
        return ("ls", self._path)

    def answer(self, frames: Sequence[Frame]) -> list[str]:
        """See Request."""
        match frames[0]:
            case Frame("none"):
                return []
            case Frame("list", _, body):
                return [name.decode("utf-8", "surrogateescape") for name in body.split(b"\0")[:-1]]
            case _:
                raise unexpected(frames[0])


class ReadClock(Request["int | None"]):
    """The cluster's clock, epoch seconds; None where it has none that says so."""

    __slots__ = ()

    def code(self) -> str:
        """See Request."""
        return "ts_clock"

    def answer(self, frames: Sequence[Frame]) -> int | None:
        """See Request."""
        match frames[0]:
            case Frame("clock", (seconds,)) if seconds.isdecimal() and len(seconds) < 12:  # noqa: PLR2004 -- no time has more
                return int(seconds)
            case Frame("clock"):
                return None
            case _:
                raise unexpected(frames[0])


class FindRoot(Request[str]):
    """The absolute path of a remote root as configured.

    Args:
        root: As configured; checked by ``check_root``.
    """

    __slots__ = ("_root",)

    def __init__(self, root: str) -> None:
        self._root = root

    def code(self) -> str:
        """See Request."""
        return f"ts_root {quote(self._root)}"

    def answer(self, frames: Sequence[Frame]) -> str:
        """See Request."""
        if frames[0].tag != "root":
            raise unexpected(frames[0])
        return frames[0].body.decode("utf-8", "surrogateescape")


def plain(path: str) -> str:
    """Return a path that no command takes for an option."""
    return path if path.startswith("/") else f"./{path}"


def unexpected(frame: Frame) -> OutputError:
    """Return the error for a frame that means nothing here."""
    return OutputError(f"the remote program answered {frame.tag!r} {frame.words!r}, which means nothing here")
