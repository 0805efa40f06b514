"""Talks with the master of a multiplexed OpenSSH connection over its control socket.  No processes, no pipes.

``ssh -S`` does the same in a process of its own, and tells its caller less: its exit status 255 is the program's, or a
lost connection, or a refusal.  Here each is a message of its own, and a command costs no start of a program.

The protocol is OpenSSH's file ``PROTOCOL.mux``; its version is 4 since OpenSSH 5.4 of 2010.
"""

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Sequence
from pathlib import Path

_VERSION = 4
_HELLO = 0x00000001
_NEW_SESSION = 0x10000002
_ALIVE_CHECK = 0x10000004
_TERMINATE = 0x10000005
_STOP_LISTENING = 0x10000009
_OK = 0x80000001
_PERMISSION_DENIED = 0x80000002
_FAILURE = 0x80000003
_EXIT_MESSAGE = 0x80000004
_ALIVE = 0x80000005
_SESSION_OPENED = 0x80000006
_NO_ESCAPE = 0xFFFFFFFF

_LONGEST = 1 << 18
"""The longest message: OpenSSH's own limit is 256 KiB."""


class MuxLostError(Exception):
    """The master is not there, or does not answer."""


class MuxRefusedError(Exception):
    """The master, or the server behind it, says no; the message says why."""


class Mux:
    """One conversation with a master.

    Args:
        path: The control socket.
        timeout: Seconds for each answer of the master itself, which asks nobody else for it.

    Raises:
        MuxLostError: No master answers there.
        MuxRefusedError: It speaks another version of the protocol.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._requests = 0
        self._buffer = bytearray()
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(timeout)
            self._socket.connect(str(path))
            self._send(_words(_HELLO, _VERSION))
            kind, message = self._receive(time.monotonic() + timeout)
            version = _first(message)
        except OSError as error:
            self._socket.close()
            raise MuxLostError(f"no master answers at {path}: {error.strerror or error}") from error
        except MuxLostError:
            self._socket.close()
            raise
        if (kind, version) != (_HELLO, _VERSION):
            self._socket.close()
            raise MuxRefusedError(f"the master at {path} speaks version {version} of the protocol, not {_VERSION}")

    def alive(self) -> int:
        """Return the master's process id.

        A master answers this until it ends or its connection breaks, and never afterwards.

        Raises:
            MuxLostError: It does not answer.
        """
        kind, message = self._ask(_ALIVE_CHECK, self._timeout)
        if kind != _ALIVE:
            raise MuxLostError(f"the master at {self._path} gave a strange answer: {kind:#x}")
        return _first(message[4:])

    def stop_listening(self) -> None:
        """Let the master take no more clients, and end when its sessions have ended.

        Raises:
            MuxLostError: It does not answer.
        """
        self._ask(_STOP_LISTENING, self._timeout)

    def terminate(self) -> None:
        """End the master, and with it every session.

        Raises:
            MuxLostError: It does not answer.
        """
        self._ask(_TERMINATE, self._timeout)

    def start(self, command: bytes, environ: Sequence[bytes], descriptors: Sequence[int], timeout: float) -> None:
        """Start a command on the other side.

        Args:
            command: The command line, for the login shell there.
            environ: ``NAME=value``, each.
            descriptors: Its stdin, stdout and stderr; the master gets copies.
            timeout: Seconds for the server's answer.

        Raises:
            MuxLostError: No answer came.
            MuxRefusedError: The server opens no session.
        """
        request = self._next()
        flags = _words(0, 0, 0, 0, _NO_ESCAPE)  # no terminal, no X11, no agent, no subsystem
        texts = b"".join(_text(part) for part in (b"", command, *environ))
        head = _words(_NEW_SESSION, request) + _text(b"") + flags
        try:
            self._send(head + texts)
            for descriptor in descriptors:
                socket.send_fds(self._socket, [b"\0"], [descriptor])
            kind, message = self._receive(time.monotonic() + timeout)
        except OSError as error:
            raise MuxLostError(f"no answer of the server came: {error.strerror or error}") from error
        if kind in (_FAILURE, _PERMISSION_DENIED):
            size = _first(message[4:])
            raise MuxRefusedError(message[8 : 8 + size].decode(errors="replace"))
        if kind != _SESSION_OPENED:
            raise MuxLostError(f"the master at {self._path} gave a strange answer: {kind:#x}")

    def exit_status(self, timeout: float | None) -> int | None:
        """Wait for the end of the session.

        Returns:
            The program's exit status; None where the session, or the master, ended without one.

        Raises:
            TimeoutError: It goes on.
        """
        deadline = None if timeout is None else time.monotonic() + max(timeout, 0.01)
        while True:
            try:
                kind, message = self._receive(deadline)
            except TimeoutError:
                raise
            except (MuxLostError, OSError):
                return None
            if kind == _EXIT_MESSAGE:
                return _first(message[4:])

    def close(self) -> None:
        """End the conversation; a session of it finds its streams closed."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes who waits in another thread
        self._socket.close()

    def _ask(self, kind: int, timeout: float) -> tuple[int, bytes]:
        with self._lock:
            try:
                self._send(_words(kind, self._next()))
                return self._receive(time.monotonic() + timeout)
            except OSError as error:
                raise MuxLostError(f"the master at {self._path} does not answer: {error}") from error

    def _next(self) -> int:
        self._requests += 1
        return self._requests

    def _send(self, message: bytes) -> None:
        self._socket.settimeout(self._timeout)
        self._socket.sendall(_text(message))

    def _receive(self, deadline: float | None) -> tuple[int, bytes]:
        """Return the kind and the rest of the next message.

        Raises:
            TimeoutError: It is not there in time; what has come of it is kept.
            MuxLostError: The master hung up, or sent nonsense.
            OSError: The socket failed.
        """
        size = 4
        while True:
            if len(self._buffer) >= 4:  # noqa: PLR2004 - the length itself
                size = 4 + _first(bytes(self._buffer[:4]))
                if not 8 <= size <= _LONGEST:  # noqa: PLR2004 - a length and a kind at least
                    raise MuxLostError(f"what answers at {self._path} is no master of OpenSSH")
            if len(self._buffer) >= max(size, 8):
                message = bytes(self._buffer[4:size])
                del self._buffer[:size]
                return _first(message), message[4:]
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError("no answer in time")
            self._socket.settimeout(left)
            data = self._socket.recv(4096)
            if not data:
                raise MuxLostError(f"the master at {self._path} hung up")
            self._buffer += data


def send_environ(patterns: Sequence[str]) -> list[bytes]:
    """Return the variables that ``SendEnv`` names, as the master wants them.

    Args:
        patterns: Names, in which ``*`` and ``?`` are wildcards.
    """
    from fnmatch import fnmatchcase  # noqa: PLC0415 - rarely needed

    return [
        name + b"=" + value
        for name, value in os.environb.items()
        if any(fnmatchcase(os.fsdecode(name), pattern) for pattern in patterns)
    ]


def _words(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def _text(data: bytes) -> bytes:
    return _words(len(data)) + data


def _first(data: bytes) -> int:
    if len(data) < 4:  # noqa: PLR2004 - a number has four bytes
        raise MuxLostError("the master sent half a message")
    return int.from_bytes(data[:4], "big")
