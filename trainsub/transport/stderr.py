"""Keeps the end of a program's stderr, in a thread of its own, so that much on stderr never stops stdout."""

import threading
import time
from collections.abc import Callable

from trainsub.transport.base import STDERR_LIMIT

_PAUSE = 0.02


class StderrTail:
    """Reads a stream to its end and keeps its last bytes.

    Args:
        read: Returns the next bytes, ``b""`` at the end; an OSError is an end too, but for a TimeoutError: paramiko
            has one timeout for both streams, and silence is no end.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        self.seen = 0
        self._read = read
        self._tail = b""
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._drain, name="trainsub-stderr", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while True:
            try:
                data = self._read()
            except TimeoutError:
                time.sleep(_PAUSE)  # the timeout may be nothing at all
                continue
            except (OSError, ValueError):  # ValueError: the file was closed
                return
            if not data:
                return
            with self._lock:
                self.seen += len(data)
                self._tail = (self._tail + data)[-STDERR_LIMIT:]

    def text(self) -> bytes:
        """Return what is kept so far."""
        with self._lock:
            return self._tail

    def join(self, timeout: float) -> None:
        """Wait for the end of the stream, but not for long: a background process may keep it open."""
        self._thread.join(timeout)
