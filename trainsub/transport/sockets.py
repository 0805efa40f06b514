"""The byte streams under SSH: TCP, a ProxyCommand, or a channel of a jump host; counted and watched for silence.

No paramiko here, so that connecting can begin while it is still being imported.
"""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Protocol

from trainsub.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

GREETING = b"SSH-2.0-trainsub"
"""How trainsub introduces itself to servers."""
_GREETING_LINE = GREETING + b"\r\n"

_COMPLAINT = 2000
_REFUSED = "nothing listens there; check the port, and whether the login node is up"


class Stream(Protocol):
    """As much of a socket as SSH needs."""

    def send(self, data: bytes, /) -> int:
        """Send some of the bytes."""

    def recv(self, size: int, /) -> bytes:
        """Receive some bytes; ``b""`` at the end."""

    def settimeout(self, value: float | None, /) -> None:
        """Set how long ``send`` and ``recv`` wait."""

    def close(self) -> None:
        """Close it."""


def connect_tcp(host: str, port: int, timeout: float) -> socket.socket:
    """Connect, or say in the user's words why not.

    Raises:
        UnreachableError: Unknown host, refused, no route, or no answer in time.
    """
    where = f"{host}:{port}"
    try:
        stream = socket.create_connection((_plain(host), port), timeout=timeout)
    except socket.gaierror as error:
        raise UnreachableError(
            f"cannot find the address of {host}: {error.strerror}",
            hint="check the host's name in the configuration, and whether its network (VPN) is up",
        ) from error
    except TimeoutError as error:
        raise UnreachableError(
            f"{where} did not answer in {timeout:g} s",
            hint="a firewall may drop the packets; check the network (VPN), or set a longer connect_timeout",
        ) from error
    except ConnectionRefusedError as error:
        raise UnreachableError(f"{where} refused the connection", hint=_REFUSED) from error
    except OSError as error:
        raise UnreachableError(
            f"cannot connect to {where}: {error.strerror or error}", hint="check the network (VPN)"
        ) from error
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # many small packets, and each one is waited for
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return stream


def _plain(host: str) -> str:
    """As bytes, which takes 10 ms less: for a text Python loads its tables of international names."""
    return host.encode() if host.isascii() else host  # type: ignore[return-value] # the types know only texts


class ProxyCommand:
    """A program whose stdin and stdout are the connection.

    paramiko's own class never sees the end of the program; a socket pair does.

    Args:
        command: A shell command line, its tokens already expanded.
    """

    def __init__(self, command: str) -> None:
        ours, theirs = socket.socketpair()
        self.command = command
        self._socket = ours
        self._said = ""
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the connection
        with theirs:
            # As OpenSSH runs it: by the user's shell, replaced by the command itself.
            self._process = subprocess.Popen(  # noqa: S603 - the user's own configuration says so
                [os.environ.get("SHELL") or "/bin/sh", "-c", f"exec {command}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._stderr,
                start_new_session=True,
            )
        self.send = ours.send
        self.recv = ours.recv
        self.settimeout = ours.settimeout

    def complaint(self) -> str:
        """Return the end of what the program wrote to stderr."""
        if not self._stderr.closed:
            size = os.fstat(self._stderr.fileno()).st_size
            tail = os.pread(self._stderr.fileno(), _COMPLAINT, max(0, size - _COMPLAINT))
            self._said = tail.decode(errors="replace").strip()
        return self._said

    def close(self) -> None:
        """End the program."""
        self._socket.close()
        self.complaint()
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
        self._stderr.close()


class GreetedStream:
    """A stream on which our side's greeting has been sent.  SSH's engine will send it too: then it is swallowed.

    RFC 4253 lets both sides greet at once, and OpenSSH's server waits for the client's greeting before it says more.
    So the client that greets before its engine is loaded has won what it takes to load it, up to a round trip.

    Args:
        inner: The stream.
    """

    def __init__(self, inner: Stream) -> None:
        self.recv = inner.recv
        self.settimeout = inner.settimeout
        self._inner = inner
        self._sent = b""
        with contextlib.suppress(OSError):  # the engine will meet it again, and say so
            self._sent = _GREETING_LINE[: inner.send(_GREETING_LINE)]

    def send(self, data: bytes) -> int:
        """Send what has not been sent already."""
        if self._sent and data.startswith(self._sent):
            size, self._sent = len(self._sent), b""
            return size
        return self._inner.send(data)

    def close(self) -> None:
        """See Stream."""
        if isinstance(self._inner, socket.socket):
            with contextlib.suppress(OSError):  # it is closed already
                self._inner.shutdown(socket.SHUT_RDWR)  # wakes who waits in recv, for which the program's end waits
        self._inner.close()


class WatchedStream:
    """A stream that counts its bytes, and breaks when the other side has been silent for too long.

    A dead connection looks like a slow one; only a question tells them apart.  As OpenSSH does with
    ServerAliveInterval, it asks after each interval of silence and gives up after ``count`` of them.

    Args:
        inner: The stream.
        interval: Seconds of silence before a question.
        count: Questions before it gives up.
    """

    def __init__(self, inner: Stream, interval: float, count: int) -> None:
        self.sent = 0
        self.received = 0
        self.ask: Callable[[], None] | None = None  # set once the connection can carry a question
        self._inner = inner
        self._interval = interval
        self._count = count
        self._asked = 0
        self._quiet_since = time.monotonic()
        self._stalled: float | None = None
        self._closed = False  # paramiko looks for it, as real sockets have it

    def send(self, data: bytes) -> int:
        """Send; an OSError once nothing could be sent for as long as a connection may be silent."""
        try:
            size = self._inner.send(data)
        except TimeoutError:
            now = time.monotonic()
            self._stalled = self._stalled or now
            if now - self._stalled > self._interval * (self._count + 1):
                raise _aborted("nothing could be sent for too long") from None
            raise
        self._stalled = None
        self.sent += size
        return size

    def recv(self, size: int) -> bytes:
        """Receive; called all the time, with a short timeout, so that it is also the clock."""
        try:
            data = self._inner.recv(size)
        except TimeoutError:
            self._watch()
            raise
        self._quiet_since = time.monotonic()
        self._asked = 0
        self.received += len(data)
        return data

    def _watch(self) -> None:
        now = time.monotonic()
        if self.ask is None or now - self._quiet_since < self._interval:
            return  # before there is something to ask, the handshake has timeouts of its own
        if self._asked >= self._count:
            raise _aborted("the other side has been silent for too long")
        # From the question, not from the last word: a laptop that was asleep gives each question its time.
        self._quiet_since = now
        self._asked += 1
        self.ask()

    def settimeout(self, value: float | None) -> None:
        """See Stream."""
        self._inner.settimeout(value)

    def close(self) -> None:
        """See Stream."""
        self._closed = True
        self._inner.close()


def _aborted(reason: str) -> OSError:
    return OSError(errno.ECONNABORTED, reason)  # paramiko counts on both arguments
