"""Which files a directory holds, where git does not say."""

import os
from collections.abc import Callable

from trainsub.errors import SnapshotError
from trainsub.staging.entries import UNREADABLE, shown


def walk(directory: str, ignored: Callable[[str], bool]) -> list[str]:
    """Return the files, symlinks and empty directories below a directory.

    Args:
        directory: Where to look.
        ignored: Whether a path stays behind; a directory's ends with a slash, and then nothing in it is looked at.

    Raises:
        SnapshotError: A directory cannot be read.
    """
    found: list[str] = []
    _walk(directory, "", ignored, found)
    return found


def _walk(directory: str, below: str, ignored: Callable[[str], bool], found: list[str]) -> None:
    try:
        with os.scandir(f"{directory}/{below}") as scan:
            entries = list(scan)
    except OSError as error:
        raise SnapshotError(
            f"cannot read the directory {shown(below or directory)}: {error.strerror}",
            hint=UNREADABLE,
        ) from error
    if not entries and below:
        found.append(below.rstrip("/"))
    for entry in entries:
        path = below + entry.name
        if entry.is_dir(follow_symlinks=False):
            if not ignored(path + "/"):
                _walk(directory, path + "/", ignored, found)
        elif not ignored(path):
            found.append(path)
