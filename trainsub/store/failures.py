"""What SQLite and the file system say when the store fails, as an error with a place and a way on."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainsub.errors import StoreError


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into an error with a place and a way on."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreError(f"the store {path} failed: {error}", hint=_hint(error)) from error
    except OSError as error:
        raise StoreError(
            f"the store {path} cannot be opened: {error.strerror}",
            hint="Point TRAINSUB_STATE_DIR at a folder that you may write to.",
        ) from error


def _hint(error: sqlite3.DatabaseError) -> str:
    said = str(error)
    if "locked" in said:
        return "Another trainsub command is writing to it; try again in a moment."
    if "readonly" in said or "unable to open" in said:
        return "Point TRAINSUB_STATE_DIR at a folder that you may write to."
    if "full" in said:
        return "The disk is full; make room, then run the command again."
    if any(words in said for words in ("malformed", "not a database", "no such table", "no such column")):
        return "The file is damaged. Move it away; then `trainsub sync CLUSTER` restores the runs from their cluster."
    return "Nothing was changed; run the command again."
