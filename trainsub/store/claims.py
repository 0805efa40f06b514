"""Which runs are being submitted, or settled, right now by a process of this machine: a file lock each.

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
        folder: Where the lock files lie while there are any; None where nobody else can claim anything.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @contextmanager
    def hold(self, run: str, *, wait: bool = True) -> Iterator[bool]:
        """Hold a run, so that no other process submits or settles it.

        Args:
            run: Run id.
            wait: Wait while another process holds it.

        Yields:
            Whether it is held now: False if another process holds it and that was not waited for.

        Raises:
            StoreError: The folder cannot be written to.
        """
        if self._folder is None:
            yield True
            return
        path = self._folder / run
        file = self._locked(path, wait=wait)
        if file is None:
            yield False
            return
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)  # before the lock goes, so that whoever waits sees that it is another file
            os.close(file)

    def _locked(self, path: Path, *, wait: bool) -> int | None:
        """A descriptor that holds the lock on the file of that name, and not on one that was removed meanwhile."""
        while True:
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise StoreError(
                    f"{path} cannot be made: {error.strerror}",
                    hint="Point TRAINSUB_STATE_DIR at a folder that you may write to.",
                ) from error
            try:
                fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _names(path, file):
                    return file
            except BlockingIOError:
                os.close(file)
                return None
            except BaseException:
                os.close(file)
                raise
            os.close(file)


def _names(path: Path, file: int) -> bool:
    """Whether a path names an open file, and not another one or none."""
    try:
        return path.stat().st_ino == os.fstat(file).st_ino
    except FileNotFoundError:
        return False
