"""Which runs are being submitted right now by a process of this machine: a file lock each.

A lock is gone the moment that its holder is, however that ends, so nothing is ever claimed by the dead.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainsub.errors import StoreError


class Claims:
    """Claims on runs.

    Args:
        folder: Where the lock files lie while there are any.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, run: str) -> Iterator[None]:
        """Hold a run; waits while another process does.

        Raises:
            StoreError: The folder cannot be written to.
        """
        path = self._folder / run
        file = self._locked(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)  # before the lock goes, so that whoever waits sees that it is another file
            os.close(file)

    def is_held(self, run: str) -> bool:
        """Whether a process is submitting the run right now."""
        try:
            file = os.open(self._folder / run, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def _locked(self, path: Path) -> int:
        """A descriptor that holds the lock on the file of that name, and not on one that was removed meanwhile."""
        while True:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise StoreError(
                    f"{path} cannot be made: {error.strerror}",
                    hint="Point TRAINSUB_STATE_DIR at a folder that you may write to.",
                ) from error
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if path.exists() and path.stat().st_ino == os.fstat(file).st_ino:
                    return file
            except BaseException:
                os.close(file)
                raise
            os.close(file)
