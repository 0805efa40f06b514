"""What is on the disk under the listed paths: files, symlinks and empty directories, without their content."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass

from trainsub.errors import SnapshotError

_SPECIAL = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a device", stat.S_IFCHR: "a device"}

UNREADABLE = "Make it readable, or list it in .trainsubignore."


def shown(path: str) -> str:
    """Return a path as it can be printed; names that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that goes into the archive.

    Attributes:
        path: Relative to the snapshot's directory, with ``/``.
        kind: file | symlink | directory.
        size: Bytes of content; 0 for everything but files.
        executable: Whether its owner may run it. Of the mode, nothing else survives.
        target: Where a symlink points, as written.
        stamp: What changes when the content does: device, inode, mtime and ctime.
    """

    path: str
    kind: str
    size: int
    executable: bool
    target: str
    stamp: tuple[int, int, int, int]

    @property
    def leaves(self) -> bool:
        """Whether this is a symlink that points out of the snapshot."""
        if self.kind != "symlink":
            return False
        landing = os.path.normpath(os.path.join(os.path.dirname(self.path), self.target))  # noqa: PTH118,PTH120
        return os.path.isabs(self.target) or landing.split("/")[0] == ".."  # noqa: PTH117


def stamp(found: os.stat_result) -> tuple[int, int, int, int]:
    """Return what changes when the content does."""
    return (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)


def read_entries(directory: str, paths: Iterable[str]) -> tuple[list[Entry], list[str]]:
    """Look at each path, sorted; what is gone is left out, and so is what lies behind a symlink.

    Args:
        directory: The snapshot's directory.
        paths: Relative to it.

    Returns:
        The entries, and notes on what cannot travel.

    Raises:
        SnapshotError: Something cannot be looked at.
    """
    entries: list[Entry] = []
    notes: list[str] = []
    real: dict[str, bool] = {"": True}
    for path in sorted(set(paths), key=os.fsencode):
        try:
            if not _is_real(directory, path.rpartition("/")[0], real):
                continue
            entry = _entry(directory, path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # tracked, and deleted
        except OSError as error:
            raise SnapshotError(f"cannot read {shown(path)}: {error.strerror}", hint=UNREADABLE) from error
        if isinstance(entry, str):
            notes.append(f"{shown(path)} is {entry} and stays behind")
        else:
            entries.append(entry)
            if entry.leaves:
                notes.append(f"{shown(path)} points out of the snapshot, to {shown(entry.target)}")
    return entries, notes


def _is_real(directory: str, parent: str, known: dict[str, bool]) -> bool:
    """Return whether a path leads through directories only: an archive must never be unpacked through a symlink."""
    if parent not in known:
        above = _is_real(directory, parent.rpartition("/")[0], known)
        known[parent] = above and stat.S_ISDIR(os.lstat(f"{directory}/{parent}").st_mode)
    return known[parent]


def _entry(directory: str, path: str) -> Entry | str:
    found = os.lstat(f"{directory}/{path}")
    kind = stat.S_IFMT(found.st_mode)
    if kind == stat.S_IFREG:
        executable = bool(found.st_mode & stat.S_IXUSR)
        return Entry(path, "file", found.st_size, executable, "", stamp(found))
    if kind == stat.S_IFLNK:
        target = os.readlink(f"{directory}/{path}")  # noqa: PTH115  # Path would tidy the target
        return Entry(path, "symlink", 0, executable=False, target=target, stamp=stamp(found))
    if kind == stat.S_IFDIR:
        # Its times change with what is ignored in it, and none of them travels.
        return Entry(path, "directory", 0, executable=True, target="", stamp=(0, 0, 0, 0))
    return _SPECIAL.get(kind, "no ordinary file")
