"""Ask a cluster many things over one exec.

Owns the conversation with ask.sh: requests go out as they come up, several in one round trip if they come together.
Knows no Slurm: it runs the commands that it is given, in an environment where their output can be parsed
(slurm/environment.py), and reads files by offset, so that following a log moves only its new bytes.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from trainsub.errors import ConnectionLostError, OutputError, TransportError
from trainsub.remote.frames import Frame
from trainsub.remote.program import Values, frame_text
from trainsub.remote.requests import (
    Completed,
    FindRoot,
    ListDirectory,
    ReadTail,
    Request,
    RunCommand,
    Tail,
)
from trainsub.remote.roots import check_root
from trainsub.remote.talk import Talk, start
from trainsub.transport.base import Transport

_SILENCE = 30.0
"""Seconds of silence that are borne beyond what a command itself is given."""
_IDLE = 900
"""Seconds without a request after which the program on the login node takes the client for dead."""

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


class Ask:
    """A conversation with a cluster.  It starts with the first request, and is a context manager.

    Args:
        transport: How to get there.
        slurm_bin: Where Slurm's commands are, if not on the PATH there.
        what: What it is about, for the audit log.
    """

    program = "ask"

    def __init__(self, transport: Transport, *, slurm_bin: str = "", what: str = "ask") -> None:
        self._transport = transport
        self._slurm_bin = slurm_bin
        self._what = what
        self._talk: Talk | None = None
        self._broken: TransportError | OutputError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the conversation."""
        if self._talk is not None:
            self._talk.close()
        self._broken = self._broken or ConnectionLostError(f"{self._transport.description}: this conversation is over")

    def run(self, argv: Sequence[str], *, timeout: int = 30) -> Completed:
        """Run a command; see RunCommand."""
        return self.batch(RunCommand(argv, timeout=timeout))[0]

    def tail(self, path: str, offset: int, limit: int) -> Tail | None:
        """Read a file from an offset; None if it does not exist; see ReadTail."""
        return self.batch(ReadTail(path, offset, limit))[0]

    def read(self, path: str, limit: int = 1 << 20) -> bytes | None:
        """Return the beginning of a file; None if it does not exist."""
        tail = self.tail(path, 0, limit)
        return None if tail is None else tail.data

    def list(self, path: str) -> list[str]:
        """Return the names in a directory; see ListDirectory."""
        return self.batch(ListDirectory(path))[0]

    def root(self, remote_root: str) -> str:
        """Return the absolute path of a remote root as configured."""
        return self.batch(FindRoot(check_root(remote_root)))[0]

    @overload
    def batch(self, first: Request[A], /) -> tuple[A]: ...
    @overload
    def batch(self, first: Request[A], second: Request[B], /) -> tuple[A, B]: ...
    @overload
    def batch(self, first: Request[A], second: Request[B], third: Request[C], /) -> tuple[A, B, C]: ...
    @overload
    def batch(self, *requests: Request[A]) -> tuple[A, ...]: ...

    def batch(self, *requests: Request[Any]) -> tuple[Any, ...]:
        """Ask several things in one round trip; they are answered in their order.

        Args:
            requests: What to ask.

        Returns:
            The answers.

        Raises:
            TransportError: The cluster cannot be reached, or the connection broke; the conversation is then over.
            OutputError: The answer is none.
            RemoteFileError: A file cannot be read.
            ValueError: A value holds NUL.
        """
        text = frame_text(f"{{\n{''.join(request.code() + chr(10) for request in requests)}}}\n")
        if self._broken is not None:
            raise self._broken
        if self._talk is None:
            self._talk = start(
                self._transport, self.program, self.values(), patience=_SILENCE, first=text, what=self._what
            )
        else:
            self._talk.send(text)
        for request in requests:
            self._talk.note(request.words())
        frames = self._frames(self._talk, _SILENCE + max((request.timeout for request in requests), default=0.0))
        if len(frames) != sum(request.frames for request in requests):
            raise OutputError(
                f"{self._transport.description}: the remote program's answer is not one to what was asked"
            )
        rest = iter(frames)
        return tuple(request.answer(tuple(islice(rest, request.frames))) for request in requests)

    def values(self) -> Values:
        """Return the values of the program."""
        return {"TS_SLURM_BIN": self._slurm_bin, "TS_IDLE": _IDLE}

    def _frames(self, talk: Talk, timeout: float) -> Sequence[Frame]:
        """Return the frames of one batch, without the one that ends it."""
        frames: deque[Frame] = deque()
        try:
            while (frame := talk.read_frame(timeout)).tag != "end":
                if frame.tag == "bye":
                    raise ConnectionLostError(
                        f"{talk.where}: nothing was asked for {_IDLE} s, and so the conversation was ended there"
                    )
                frames.append(frame)
        except (TransportError, OutputError) as error:
            # What comes later would be taken for the answer to the next question.
            self._broken = error
            raise
        return frames
