"""The talk with one remote program: its head goes out, its frames come in.

Owns the nonce and the meaning of an end: a lost connection (nobody knows what happened) is one thing, a program that
ended early and said so by its exit status is another.
"""

import secrets
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from trainsub.errors import ConnectionLostError, OutputError, RemoteTimeoutError
from trainsub.remote.frames import Frame, FrameParser
from trainsub.remote.program import BOOT, Values, compose, program_text
from trainsub.transport.base import Channel, Notes, Transport

_STATUS_TIMEOUT = 5.0
_REST_TIMEOUT = 1.0
"""Seconds for what a program said before it stopped reading: that has come already, or is on its way."""
_NOT_STARTED = frozenset({126, 127})


class EndedError(OutputError):
    """The remote program ended before its last frame, and the channel was closed in good order.

    All that it ever printed has been read: what it did not announce, it did not do.
    """


class Talk:
    """A dialogue with a program that runs on the login node.

    Args:
        channel: Where the program runs; the talk closes it.
        nonce: The word that its headers begin with.
        where: The other side, for messages.
        patience: Seconds that the program may take none of what is sent; None: for ever.
    """

    def __init__(self, channel: Channel, nonce: str, *, where: str, patience: float | None = None) -> None:
        self._channel = channel
        self._parser = FrameParser(nonce)
        self._frames: deque[Frame] = deque()
        self._patience = patience
        self._lost: ConnectionLostError | RemoteTimeoutError | None = None
        self.where = where
        self.sent = 0
        self.received = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Write to the program's standard input.

        A program that has ended does not read, and one on a file system that hangs may never read again.  What it said
        last is worth more than the fact that it takes nothing, so a loss met here is raised by ``read_frame``, when
        there is nothing left to read.

        Args:
            data: The bytes.
        """
        if self._lost is not None:
            return
        try:
            self._channel.write(data, self._patience)
        except (ConnectionLostError, RemoteTimeoutError) as error:
            self._lost = error
        else:
            self.sent += len(data)

    def note(self, argv: Sequence[str]) -> None:
        """Note for the audit log what the program is asked to run."""
        if argv and isinstance(self._channel, Notes):
            self._channel.note(argv)

    @property
    def hung_up(self) -> bool:
        """Whether nobody takes what is sent."""
        return self._lost is not None

    def close_write(self) -> None:
        """Tell the program that nothing more will come."""
        if self._lost is None:
            try:
                self._channel.close_write()
            except ConnectionLostError as error:
                self._lost = error

    def read_frame(self, timeout: float | None) -> Frame:
        """Return the next frame.

        Args:
            timeout: Seconds of silence that are borne; None waits for ever.

        Raises:
            ConnectionLostError: The connection broke.
            RemoteTimeoutError: Silence for too long, or the program had stopped reading what was sent.
            EndedError: The program ended before it had said all.
            OutputError: What came is no talk of ours.
        """
        while not self._frames:
            data = self._read(timeout)
            if not data:
                raise self._end()
            self.received += len(data)
            self._frames.extend(self._parser.feed(data))
        return self._frames.popleft()

    def close(self) -> None:
        """Close the channel; the program sees the end of its input."""
        self._channel.close()

    def _read(self, timeout: float | None) -> bytes:
        if not isinstance(self._lost, RemoteTimeoutError):
            return self._channel.read(timeout)
        try:
            return self._channel.read(_REST_TIMEOUT)
        except RemoteTimeoutError:
            raise self._lost from None

    def _end(self) -> ConnectionLostError | RemoteTimeoutError | EndedError:
        status = self._channel.exit_status(_STATUS_TIMEOUT)
        if status is None:
            return self._lost or ConnectionLostError(
                f"{self.where}: the connection broke before the remote program had ended"
            )
        words = _last_words(self._channel.stderr()) or _last_words(self._parser.noise + self._parser.rest())
        message = f"{self.where}: the remote program ended early, with exit status {status}"
        hint = None
        if status in _NOT_STARTED:
            hint = "The login node must have /bin/sh and GNU coreutils, and let you run commands over this connection."
        return EndedError(f"{message}: {words}" if words else message, hint=hint)


def start(
    transport: Transport, program: str, values: Values, *, patience: float, first: bytes = b"", what: str = ""
) -> Talk:
    """Start a program on the login node.

    Args:
        transport: How to get there.
        program: ``submit``, ``ask`` or ``settle``.
        values: Its values; ``TS_NONCE`` is added.
        patience: Seconds that it may take none of what is sent.
        first: What the program will read, sent in the same flight as its head.
        what: A name for the audit log.

    Raises:
        TransportError: No channel could be opened; nothing was sent.
        ValueError: A value holds NUL.
    """
    nonce = secrets.token_hex(16)
    head = compose(program_text(program), {"TS_NONCE": nonce, **values})
    talk = Talk(transport.open(BOOT, what=what), nonce, where=transport.description, patience=patience)
    talk.send(head + first)
    return talk


def _last_words(data: bytes) -> str:
    """Return the last lines of an output, fit for one line of a message."""
    lines = data[-1000:].decode("utf-8", "replace").split("\n")
    return " | ".join(line.strip() for line in lines if line.strip())[-300:]
