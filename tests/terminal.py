"""A program at a real terminal, and the person who types."""

import os
import pty
import select
import signal
import termios
import time
from collections.abc import Mapping, Sequence
from typing import Self


class Terminal:
    """A program that believes that a person sits before it.

    Args:
        argv: The program.
        environ: Its whole environment.
    """

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        self.shown = ""
        self._seen = 0
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execve(argv[0], list(argv), dict(environ))
        self._status: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    def expect(self, words: str, seconds: float = 20) -> None:
        """Read until the program shows something, after what was expected before."""
        deadline = time.monotonic() + seconds
        while (found := self.shown.find(words, self._seen)) < 0:
            assert time.monotonic() < deadline, f"{words!r} was not shown: {self.shown!r}"
            assert self._read(0.1) is not None, f"{words!r} was not shown before the end: {self.shown!r}"
        self._seen = found + len(words)

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._fd, line.encode() + b"\n")

    def press_ctrl_c(self) -> None:
        """As the key does it: to every program in the foreground."""
        os.write(self._fd, b"\x03")

    def echoes(self) -> bool:
        """Whether what is typed is shown."""
        return bool(termios.tcgetattr(self._fd)[3] & termios.ECHO)

    def end(self, seconds: float = 20) -> int:
        """Wait for the end; the exit code."""
        deadline = time.monotonic() + seconds
        while self._read(0.1) is not None:
            assert time.monotonic() < deadline, f"it goes on: {self.shown!r}"
        _, status = os.waitpid(self.pid, 0)
        self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def _read(self, seconds: float) -> str | None:
        """What is shown next; None at the end."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return ""
        try:
            data = os.read(self._fd, 4096)
        except OSError:  # Linux says so when the last program has let go of the terminal
            return None
        self.shown += data.decode(errors="replace")
        return data.decode(errors="replace") if data else None
