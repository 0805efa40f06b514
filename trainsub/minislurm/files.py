"""Files that are there whole or not at all, and outlast a crash of the machine."""

import contextlib
import os
import time
from pathlib import Path

_DRAFT = ".draft."
_OLD = 3600
"""Seconds after which nobody is at work on a draft."""


def write_file(path: Path, data: bytes, mode: int) -> None:
    """Write a new file and wait until the disk has it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        # Whatever the umask takes away.
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes, mode: int) -> None:
    """Put a file in the place of the former one."""
    beside = path.with_name(f"{_DRAFT}{os.urandom(8).hex()}")
    try:
        write_file(beside, data, mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def remove_drafts(folder: Path) -> None:
    """Remove what writers left that were killed."""
    for path in folder.glob(_DRAFT + "*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - _OLD:
                path.unlink()


def sync_folder(path: Path) -> None:
    """Wait until the disk has the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
