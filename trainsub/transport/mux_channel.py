"""One program at the other end of a shared connection.  Tells a program that ended from a connection that broke.

A master closes a session's streams when the server has closed the session, and when the master itself ends.  Only the
first is an end in good order, and afterwards the master still answers; so at each end it is asked.
"""

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Sequence

from trainsub.errors import ConnectionLostError, RemoteTimeoutError
from trainsub.transport.base import CHUNK, stalled
from trainsub.transport.mux import Mux, MuxLostError
from trainsub.transport.stderr import StderrTail

_GRACE = 1.0
_WATCH = 15.0
"""Seconds of silence after which the master is asked whether it is alive; it asks the server by itself."""


class MuxChannel:
    """A running program.

    Args:
        session: The conversation in which it is started; the channel owns it.
        witness: A conversation with the same master, which is asked whether it is alive; the channel owns it.
        description: Where it runs, for messages.
        command: The command line for the login shell.
        environ: Variables to send, ``NAME=value``.
        timeout: Seconds for the server to open a session.

    Raises:
        MuxLostError: The master or the server does not answer.
        MuxRefusedError: The server opens no session.
    """

    def __init__(
        self, session: Mux, witness: Mux, description: str, command: bytes, environ: Sequence[bytes], timeout: float
    ) -> None:
        self._session = session
        self._witness = witness
        self._where = description
        self._complete = False
        self._status: int | None = None
        self._closed = False
        stdin, self._stdin = os.pipe()
        self._stdout, stdout = os.pipe()
        # A socket: shutting it down wakes the thread that reads it.
        self._errors, stderr = socket.socketpair()
        # Held while a stream is waited for and used: a number that is closed meanwhile may soon be another file's.
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._closing = threading.Lock()
        # Closing the one end wakes whoever polls the other beside a stream.
        self._closed_end, self._open_end = os.pipe()
        try:
            session.start(command, environ, (stdin, stdout, stderr.fileno()), timeout)
        except BaseException:
            for descriptor in (self._stdin, self._stdout, self._closed_end, self._open_end):
                os.close(descriptor)
            self._errors.close()
            raise
        finally:
            os.close(stdin)
            os.close(stdout)
            stderr.close()
        os.set_blocking(self._stdin, False)
        self._tail = StderrTail(lambda: self._errors.recv(CHUNK))

    @property
    def stderr_seen(self) -> int:
        """All bytes of stderr so far."""
        return self._tail.seen

    def write(self, data: bytes, timeout: float | None = None) -> None:
        """See Channel."""
        view = memoryview(data)
        with self._writing:
            self._check_open()
            if self._stdin < 0:
                raise ValueError("write after close_write")
            while view:
                if not self._wait(self._stdin, select.POLLOUT, timeout):
                    raise stalled(self._where, timeout or 0.0)
                try:
                    view = view[os.write(self._stdin, view) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    self._check_alive()
                    return  # the program reads no more; its exit status says the rest

    def close_write(self) -> None:
        """See Channel."""
        with self._writing:
            if self._stdin >= 0:
                os.close(self._stdin)
                self._stdin = -1

    def read(self, timeout: float | None = None) -> bytes:
        """See Channel."""
        with self._reading:
            self._check_open()
            if not self._wait(self._stdout, select.POLLIN, timeout):
                raise RemoteTimeoutError(f"{self._where}: no answer in {timeout} s")
            data = os.read(self._stdout, CHUNK)
            if not data and not self._complete:
                self._check_alive()
                self._complete = True
            return data

    def stderr(self) -> bytes:
        """See Channel."""
        return self._tail.text()

    def exit_status(self, timeout: float | None = None) -> int | None:
        """See Channel."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.read(_left(deadline)):
            pass
        if self._status is None:
            self._status = self._wait_for_status(deadline, timeout)
            self._tail.join(_GRACE)
        return self._status

    def close(self) -> None:
        """See Channel."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        os.close(self._open_end)
        self._session.close()
        self._witness.close()
        self.close_write()
        if self._status is not None:
            self._tail.join(_GRACE)  # what the program wrote last may be on its way
        with contextlib.suppress(OSError):
            self._errors.shutdown(socket.SHUT_RDWR)
        self._tail.join(_GRACE)
        with self._reading:
            os.close(self._stdout)
        with self._writing:  # nobody polls it any more, and nobody will
            os.close(self._closed_end)
        self._errors.close()

    def _wait_for_status(self, deadline: float | None, timeout: float | None) -> int | None:
        while True:
            left = _left(deadline)
            try:
                status = self._session.exit_status(_WATCH if left is None else min(left, _WATCH))
            except TimeoutError:
                self._check_alive()
                if deadline is not None and time.monotonic() >= deadline:
                    raise RemoteTimeoutError(f"{self._where}: the program did not end in {timeout} s") from None
                continue
            if status is None:
                self._check_alive()  # ended without a status: killed in a way that says nothing, or never started
            return status

    def _wait(self, descriptor: int, events: int, timeout: float | None) -> bool:
        """Wait for a stream; a master that hangs is found out, and a channel that is closed meanwhile."""
        deadline = None if timeout is None else time.monotonic() + timeout
        poll = select.poll()  # not select(), which fails beyond 1024 open files
        poll.register(descriptor, events)
        poll.register(self._closed_end, 0)  # 0: its hang-up only
        while True:
            left = _left(deadline)
            pause = _WATCH if left is None else min(left, _WATCH)
            if poll.poll(pause * 1000):
                self._check_open()
                return True
            if left is not None and left <= _WATCH:
                return False
            self._check_alive()

    def _check_open(self) -> None:
        if self._closed:
            raise ConnectionLostError(f"the connection to {self._where} was closed")

    def _check_alive(self) -> None:
        """Ask the master.

        Raises:
            ConnectionLostError: It is gone, and with it the connection.
        """
        try:
            self._witness.alive()
        except MuxLostError as error:
            self._check_open()
            raise ConnectionLostError(
                f"the connection to {self._where} broke: {error}",
                hint="the ssh in the background ended, was ended, or found the network silent",
            ) from error


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
