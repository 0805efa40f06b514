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
from trainsub.staging.gitfiles import GitFiles, NoGitError, git_files, repository
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


@dataclass(frozen=True, slots=True)
class _Listing:
    """What would travel, and who says so.

    Attributes:
        git: What git says; None where it was not asked, or is not responsible.
        gitignore: Whether .gitignore holds anything back.
    """

    git: GitFiles | None
    paths: list[str]
    notes: list[str]
    gitignore: bool

    def files_of_rules(self, paths: Sequence[str]) -> str:
        """Name the files in which a line would hold these paths back."""
        tracked = self.git is not None and not set(paths) <= set(self.git.untracked)
        return ".trainsubignore or .gitignore" if self.gitignore and not tracked else ".trainsubignore"


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
    listing = _listing(directory, cache)
    git = listing.git
    entries, more = read_entries(str(directory), listing.paths)
    _refuse_large(entries, max_bytes, listing)
    if any(_named(entry, allowed) for entry in entries):
        raise _secrets(_all_secrets(directory, entries, allowed), listing)
    fingerprint = kept.fingerprint(entries, allowed)
    packed = kept.find(cache, directory, fingerprint)
    if packed is None:
        packed = _pack(directory, cache, entries, allowed, listing)
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
        notes=(*listing.notes, *more),
    )


def _listing(directory: Path, cache: Path) -> _Listing:
    notes: list[str] = []
    missing = False
    try:
        git = git_files(directory)
    except NoGitError:
        git, missing = None, repository(directory) is not None
    if missing:
        notes.append(
            "git is not installed: all travels that neither .trainsubignore nor .gitignore names, "
            "each only as it lies directly in the directory that travels"
        )
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
    return _Listing(git, paths, notes, gitignore=missing or git is not None)


def _untracked(git: GitFiles | None, entries: list[Entry]) -> tuple[str, ...]:
    if git is None:
        return ()
    travelling = {entry.path for entry in entries}
    return tuple(shown(path) for path in sorted(git.untracked) if path in travelling)


def _refuse_large(entries: list[Entry], max_bytes: int, listing: _Listing) -> None:
    total = sum(entry.size for entry in entries)
    if total <= max_bytes:
        return
    largest = sorted(entries, key=lambda entry: entry.size, reverse=True)[:_LARGEST]
    listed = "".join(f"\n  {_human(entry.size):>10}  {shown(entry.path)}" for entry in largest if entry.size)
    raise SnapshotError(
        f"the code holds {_human(total)}, and at most {_human(max_bytes)} may travel; the largest files are:{listed}",
        hint=f"List what the job does not need in {listing.files_of_rules([largest[0].path])}, "
        "or raise [code] max_size.",
    )


def _human(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:  # noqa: PLR2004
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} GiB"


def _named(entry: Entry, allowed: frozenset[str]) -> bool:
    return entry.kind == "file" and entry.path not in allowed and secret_name(entry.path)


def _all_secrets(directory: Path, entries: list[Entry], allowed: frozenset[str]) -> list[str]:
    """Find secrets by name and by content, in one list, without packing what is refused anyway."""

    def inside(entry: Entry) -> bool:
        if entry.kind != "file" or entry.path in allowed or entry.size > LOOKED_AT:
            return False
        try:
            descriptor = os.open(directory / entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:  # noqa: PTH123
                return secret_content(entry.path, file.read(LOOKED_AT))
        except OSError:
            return False  # whoever packs it will say so

    return [entry.path for entry in entries if _named(entry, allowed) or inside(entry)]


def _secrets(suspects: list[str], listing: _Listing) -> SnapshotError:
    found = [shown(path) for path in suspects]
    listed = "".join(f"\n  {path}" for path in found)
    return SnapshotError(
        f"the code holds what looks like secrets:{listed}",
        hint=f"List them in {listing.files_of_rules(suspects)} to leave them here; if they may travel: "
        f"[code] include = [{', '.join(repr(path) for path in found)}]",
    )


def _pack(directory: Path, cache: Path, entries: list[Entry], allowed: frozenset[str], listing: _Listing) -> Packed:
    suspects: list[str] = []

    def look(entry: Entry, head: bytes) -> None:
        if entry.size <= LOOKED_AT and entry.path not in allowed and secret_content(entry.path, head):
            suspects.append(entry.path)

    descriptor, temporary = tempfile.mkstemp(dir=cache, prefix=".", suffix=".tmp")
    try:
        with open(descriptor, "wb") as out:  # noqa: PTH123
            packed = pack(str(directory), entries, out, look)
        if suspects:
            raise _secrets(suspects, listing)
        Path(temporary).replace(kept.archive(cache, packed.sha256))
    finally:
        Path(temporary).unlink(missing_ok=True)
    return packed
