"""The store's file, opened: to write to it, or as a copy in memory where that cannot be."""

import sqlite3
from pathlib import Path

BUSY_SECONDS = 10.0
"""How long a command waits for another one that is writing."""


def open_file(path: Path) -> sqlite3.Connection:
    """The file, opened, and made where it was not there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
    # A notebook may call from any thread; the store's lock keeps them apart.
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def open_copy(path: Path) -> sqlite3.Connection:
    """What is in the file, in memory."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    file = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=BUSY_SECONDS, uri=True)
    try:
        file.backup(copy)
    finally:
        file.close()
    return copy
