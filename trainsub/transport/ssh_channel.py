"""One program at the other end of an SSH connection.  Tells a program that ended from a connection that broke."""

import contextlib
import time
from typing import TYPE_CHECKING

from trainsub.errors import ConnectionLostError, RemoteTimeoutError, TransportError
from trainsub.transport.base import CHUNK, stalled
from trainsub.transport.stderr import StderrTail

if TYPE_CHECKING:
    import paramiko

    from trainsub.transport.wire import Wire

_PIECE = 1 << 15
_NO_STATUS = -1
_GRACE = 1.0
"""How long the last words of a connection may take after its channel ended."""


class SSHChannel:
    """A running program.

    Args:
        wire: Its connection.
        channel: Its session.
        description: Where it runs, for messages.
    """

    def __init__(self, wire: "Wire", channel: "paramiko.Channel", description: str) -> None:
        self._wire = wire
        self._channel = channel
        self._where = description
        self._tail = StderrTail(lambda: channel.recv_stderr(CHUNK))

    @property
    def stderr_seen(self) -> int:
        """All bytes of stderr so far."""
        return self._tail.seen

    def write(self, data: bytes, timeout: float | None = None) -> None:
        """See Channel."""
        if self._channel.eof_sent and not self._channel.closed:
            raise ValueError("write after close_write")
        position = 0
        while position < len(data):
            # Not by paramiko's own timeout: it has one for both directions, and it is the reader's.
            if not self._wire.wait_to_send(self._channel, timeout):
                raise stalled(self._where, timeout or 0.0)
            try:
                position += self._channel.send(data[position : position + _PIECE])
            except TimeoutError:
                continue  # the reader's timeout
            except (OSError, EOFError) as error:
                if self._lost():
                    raise self._loss() from error
                return  # the program ended; its exit status says the rest

    def close_write(self) -> None:
        """See Channel."""
        try:
            self._channel.shutdown_write()
        except (OSError, EOFError) as error:
            if self._lost():
                raise self._loss() from error

    def read(self, timeout: float | None = None) -> bytes:
        """See Channel."""
        self._channel.settimeout(timeout)
        try:
            data = self._channel.recv(CHUNK)
        except TimeoutError:
            raise RemoteTimeoutError(f"{self._where}: no answer in {timeout} s") from None
        if not data and not self._channel.eof_received:
            self._check_end()
        return data

    def stderr(self) -> bytes:
        """See Channel."""
        return self._tail.text()

    def exit_status(self, timeout: float | None = None) -> int | None:
        """See Channel."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.read(_left(deadline)):
            pass
        if not self._channel.status_event.wait(_left(deadline)):
            raise RemoteTimeoutError(f"{self._where}: the program did not end in {timeout} s")
        if self._channel.exit_status == _NO_STATUS:
            if self._lost():
                raise self._loss()
            return None
        self._tail.join(_GRACE)
        return self._channel.exit_status

    def close(self) -> None:
        """See Channel."""
        with contextlib.suppress(OSError, EOFError):  # the connection may be gone, and nobody has noticed yet
            self._channel.close()
        self._tail.join(_GRACE)

    def _check_end(self) -> None:
        """Tell what it means that stdout ended without the end-of-file that belongs there.

        An exit status is no proof that all has been read: a server sends it as soon as the program has ended, and its
        last output afterwards.
        """
        deadline = time.monotonic() + _GRACE
        while self._wire.is_active() and time.monotonic() < deadline:
            self._wire.join(0.01)
        if not self._wire.is_active():
            raise self._loss()
        if self._channel.exit_status != _NO_STATUS:
            return  # a server that closes without an end-of-file
        if self._channel.event.is_set() and not self._channel.event_ready:
            raise TransportError(
                f"{self._where} refuses to run commands",
                hint="the account may be restricted (a forced command, or file transfer only)",
            )

    def _lost(self) -> bool:
        """Whether the connection is gone; it ends its channels a moment before itself."""
        if self._channel.eof_received and self._channel.exit_status != _NO_STATUS:
            return False
        deadline = time.monotonic() + _GRACE
        while self._wire.is_active() and time.monotonic() < deadline:
            if self._channel.exit_status != _NO_STATUS:
                return False
            self._wire.join(0.01)
        return not self._wire.is_active()

    def _loss(self) -> ConnectionLostError:
        error = self._wire.saved_exception
        reason = self._wire.last_words or str(getattr(error, "strerror", None) or error or "")
        return ConnectionLostError(f"the connection to {self._where} broke{f': {reason}' if reason else ''}")


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.001, deadline - time.monotonic())
