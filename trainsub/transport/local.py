"""Runs programs on this machine, for a trainsub that is started on a login node.  Owns subprocess pipes; no network."""

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from trainsub.errors import RemoteTimeoutError, UnreachableError
from trainsub.transport import whoami
from trainsub.transport.audit import Audit
from trainsub.transport.base import CHUNK, Channel, stalled
from trainsub.transport.metering import Meter, Metered
from trainsub.transport.stderr import StderrTail

_EXEC = ("/bin/sh", "-c", 'exec "$@"', "sh")
"""A program that does not exist ends with 127 and a message, as it does behind sshd."""

_STDERR_GRACE = 1.0


class LocalTransport(Metered):
    """Runs programs on this machine.

    Args:
        name: The cluster's name in the configuration.
        audit: Where each program is recorded.
        before: Called once, before the first program is started; what it raises is raised by ``open``, and it is called
            again by the next one.
    """

    def __init__(self, name: str, audit: Audit | None = None, before: Callable[[], None] | None = None) -> None:
        self._name = name
        self._meter = Meter(name, audit)
        self._before = before

    @property
    def description(self) -> str:
        """See Transport."""
        return f"{self._name} (this machine)"

    def prepare(self) -> None:
        """See Transport: there is nothing to prepare."""

    def open(self, argv: Sequence[str], *, what: str = "") -> Channel:
        """See Transport."""
        if any("\0" in word for word in argv):
            raise ValueError("a command line cannot contain NUL")
        if self._before is not None:
            self._before()
            self._before = None
        return self._meter.channel(_LocalChannel(argv, self.description), argv, what)

    def close(self) -> None:
        """See Transport: nothing is kept open."""


class _LocalChannel:
    """A child process and its three pipes."""

    def __init__(self, argv: Sequence[str], description: str) -> None:
        self._where = description
        try:
            # Its own session: Ctrl-C at the terminal must not kill a submission in flight.
            self._process = subprocess.Popen(  # noqa: S603 - running the given program is what this is for
                [*_EXEC, *argv],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                bufsize=0,
                cwd=whoami.folder(),
            )
        except OSError as error:
            raise UnreachableError(
                f"{description} starts no program: {error}",
                hint="there must be a /bin/sh, and room for another process",
            ) from error
        if self._process.stdin is None or self._process.stdout is None or self._process.stderr is None:
            raise RuntimeError("Popen was asked for three pipes")
        self._stdin = self._process.stdin
        os.set_blocking(self._stdin.fileno(), False)  # our end only; a full pipe is waited for with a bound
        self._stdout = self._process.stdout
        errors = self._process.stderr
        self._errors = errors
        self._tail = StderrTail(lambda: os.read(errors.fileno(), CHUNK))

    @property
    def stderr_seen(self) -> int:
        """See Channel."""
        return self._tail.seen

    def write(self, data: bytes, timeout: float | None = None) -> None:
        """See Channel."""
        if self._stdin.closed:
            raise ValueError("write after close_write")
        view = memoryview(data)
        poll = select.poll()
        poll.register(self._stdin, select.POLLOUT)
        with contextlib.suppress(BrokenPipeError):  # it reads no more; its end says the rest
            while view:
                if not poll.poll(None if timeout is None else timeout * 1000):
                    raise stalled(self._where, timeout or 0.0)
                with contextlib.suppress(BlockingIOError):  # not as much room as it seemed
                    view = view[os.write(self._stdin.fileno(), view) :]

    def close_write(self) -> None:
        """See Channel."""
        self._stdin.close()

    def read(self, timeout: float | None = None) -> bytes:
        """See Channel."""
        poll = select.poll()  # not select(), which fails beyond 1024 open files
        poll.register(self._stdout, select.POLLIN)
        if not poll.poll(None if timeout is None else timeout * 1000):
            raise RemoteTimeoutError(f"{self._where}: no answer in {timeout} s")
        return os.read(self._stdout.fileno(), CHUNK)

    def stderr(self) -> bytes:
        """See Channel."""
        return self._tail.text()

    def exit_status(self, timeout: float | None = None) -> int | None:
        """See Channel."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.read(_left(deadline)):
            pass
        try:
            code = self._process.wait(_left(deadline))
        except subprocess.TimeoutExpired:
            raise RemoteTimeoutError(f"{self._where}: the program did not end in {timeout} s") from None
        self._tail.join(_STDERR_GRACE)
        return 128 - code if code < 0 else code

    def close(self) -> None:
        """See Channel."""
        self._stdin.close()
        # A program that goes on by itself becomes a zombie if nobody takes its exit status. While Python ends no thread
        # begins any more, and none is needed: init takes it.
        if self._process.poll() is None and not sys.is_finalizing():
            threading.Thread(target=self._reap, name="trainsub-reap", daemon=True).start()
            return
        self._release()

    def _reap(self) -> None:
        self._stdout.close()
        self._process.wait()
        self._release()

    def _release(self) -> None:
        self._stdout.close()
        self._tail.join(_STDERR_GRACE)
        self._errors.close()


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
