"""One snapshot: what travels, refused or packed once."""

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainsub.errors import SnapshotError
from trainsub.staging import kept
from trainsub.staging.archive import ChangedError, Packed, pack
from trainsub.staging.entries import Entry, read_entries, shown
from trainsub.staging.gitfiles import GitFiles, NoGitError, git_files
from trainsub.staging.ignore import rules
from trainsub.staging.secretfiles import LOOKED_AT, secret_content, secret_name
from trainsub.staging.walk import walk

_ATTEMPTS = 3
_LARGEST = 5


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The code as it was, in one archive.

    Attributes:
        sha256: Of the archive, which is also its name.
        size: Bytes of the archive.
        archive: Where it is on this machine.
        files: Number of files and symlinks in it.
        commit: git's HEAD; None outside git and before the first commit.
        dirty: Whether tracked files differ from the commit; None outside git.
        untracked: Files that travel although git does not track them.
        notes: What the user should know, one sentence each.
    """

    sha256: str
    size: int
    archive: Path
    files: int
    commit: str | None
    dirty: bool | None
    untracked: tuple[str, ...]
    notes: tuple[str, ...] = ()


def snapshot(directory: Path, *, cache: Path, max_bytes: int, include: Sequence[str] = ()) -> Snapshot:
    """Pack a directory: what git tracks and does not ignore, or everything but what .trainsubignore names.

    In git, tracked files travel with their uncommitted changes, and untracked files that are not ignored.
    ``.trainsubignore`` holds back more, tracked files too. Of the modes, the owner's execute bit survives. Packing an
    unchanged directory again reads no content.

    Args:
        directory: What to pack; may be any directory in a repository, and then only that travels.
        cache: Where archives are kept; made if it is not there.
        max_bytes: The most that the files may hold, uncompressed.
        include: Files that may travel although they look like secrets, relative to the directory.

    Raises:
        SnapshotError: The directory is not there, too large, holds secrets, or cannot be read.
    """
    if not directory.is_dir():
        what = "is not a directory" if directory.exists() else "does not exist"
        raise SnapshotError(f"the code directory {directory} {what}", hint="Set [code] path to where the code is.")
    directory, cache = directory.resolve(), cache.resolve()
    allowed = frozenset(os.path.normpath(path) for path in include)
    for left in reversed(range(_ATTEMPTS)):
        try:
            cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _snapshot(directory, cache, max_bytes, allowed)
        except ChangedError as error:
            if not left:
                raise SnapshotError(
                    f"{shown(error.path)} changes while it is packed",
                    hint="Stop what writes it, or list it in .trainsubignore.",
                ) from error
        except OSError as error:
            raise SnapshotError(
                f"cannot keep an archive in {cache}: {error.strerror}", hint="Is there space, and may you write there?"
            ) from error
    raise AssertionError  # pragma: no cover  # the last attempt returns or raises


def _snapshot(directory: Path, cache: Path, max_bytes: int, allowed: frozenset[str]) -> Snapshot:
    now = time.time_ns()
    git, paths, notes = _listing(directory, cache)
    entries, more = read_entries(str(directory), paths)
    _refuse_large(entries, max_bytes)
    _refuse_secrets([entry.path for entry in entries if entry.kind == "file" and secret_name(entry.path)], allowed)
    fingerprint = kept.fingerprint(entries, allowed)
    packed = kept.find(cache, directory, fingerprint)
    if packed is None:
        packed = _pack(directory, cache, entries, allowed)
        if not kept.racy(entries, now):
            kept.remember(cache, directory, fingerprint, packed)
        kept.prune(cache, now)
    return Snapshot(
        sha256=packed.sha256,
        size=packed.size,
        archive=kept.archive(cache, packed.sha256),
        files=sum(entry.kind != "directory" for entry in entries),
        commit=git.commit if git else None,
        dirty=git.dirty if git else None,
        untracked=_untracked(git, entries),
        notes=(*notes, *more),
    )


def _listing(directory: Path, cache: Path) -> tuple[GitFiles | None, list[str], list[str]]:
    notes: list[str] = []
    missing = False
    try:
        git = git_files(directory)
    except NoGitError:
        git, missing = None, True
        notes.append("git is not installed: what travels is all that .trainsubignore and .gitignore do not name")
    ignored = rules(directory, defaults=git is None, gitignore=missing)
    if git is None:
        paths = walk(str(directory), ignored or (lambda _: False))
    else:
        paths = git.paths
        notes += git.notes
        if ignored is not None:
            paths = [path for path in paths if not ignored(path)]
    if cache.is_relative_to(directory):
        own = f"{cache.relative_to(directory)}/"
        paths = [path for path in paths if not f"{path}/".startswith(own)]
    return git, paths, notes


def _untracked(git: GitFiles | None, entries: list[Entry]) -> tuple[str, ...]:
    if git is None:
        return ()
    travelling = {entry.path for entry in entries}
    return tuple(shown(path) for path in sorted(git.untracked) if path in travelling)


def _refuse_large(entries: list[Entry], max_bytes: int) -> None:
    total = sum(entry.size for entry in entries)
    if total <= max_bytes:
        return
    largest = sorted(entries, key=lambda entry: entry.size, reverse=True)[:_LARGEST]
    listed = "".join(f"\n  {_human(entry.size):>10}  {shown(entry.path)}" for entry in largest if entry.size)
    raise SnapshotError(
        f"the code holds {_human(total)}, and at most {_human(max_bytes)} may travel; the largest files are:{listed}",
        hint="List what the job does not need in .trainsubignore or .gitignore, or raise [code] max_size.",
    )


def _human(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:  # noqa: PLR2004
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} GiB"


def _refuse_secrets(suspects: list[str], allowed: frozenset[str]) -> None:
    found = [shown(path) for path in suspects if path not in allowed]
    if not found:
        return
    listed = "".join(f"\n  {path}" for path in found)
    raise SnapshotError(
        f"the code holds what looks like secrets:{listed}",
        hint="List them in .trainsubignore or .gitignore to leave them here; if they may travel: "
        f"[code] include = [{', '.join(repr(path) for path in found)}]",
    )


def _pack(directory: Path, cache: Path, entries: list[Entry], allowed: frozenset[str]) -> Packed:
    suspects: list[str] = []

    def look(entry: Entry, head: bytes) -> None:
        if entry.size <= LOOKED_AT and secret_content(entry.path, head):
            suspects.append(entry.path)

    descriptor, temporary = tempfile.mkstemp(dir=cache, prefix=".", suffix=".tmp")
    try:
        with open(descriptor, "wb") as out:  # noqa: PTH123
            packed = pack(str(directory), entries, out, look)
        _refuse_secrets(suspects, allowed)
        Path(temporary).replace(kept.archive(cache, packed.sha256))
    finally:
        Path(temporary).unlink(missing_ok=True)
    return packed
