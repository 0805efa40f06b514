"""The archives that are kept, and what each was made of, so that an unchanged directory is not packed twice."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from trainsub.staging.archive import Packed
from trainsub.staging.entries import Entry

_RACY = 2_000_000_000
"""A file that changed this short ago may change again without its times showing it."""
_KEPT_FOR = 30 * 86400 * 1_000_000_000


def archive(cache: Path, sha256: str) -> Path:
    """Return where an archive is kept."""
    return cache / f"{sha256}.tar.gz"


def fingerprint(entries: Iterable[Entry], allowed: Iterable[str]) -> str:
    """Return a hash over all that tells one state of a directory from another, content left out."""
    digest = hashlib.sha256(repr(sorted(allowed)).encode("utf-8", "surrogateescape"))
    for entry in entries:
        digest.update(repr((entry.path, entry.kind, entry.size, entry.executable, entry.target, entry.stamp)).encode())
    return digest.hexdigest()


def racy(entries: Iterable[Entry], now: int) -> bool:
    """Return whether a file may yet change without its times showing it.

    Args:
        entries: What was packed.
        now: When the directory was looked at, in nanoseconds.
    """
    return any(max(entry.stamp[2:]) > now - _RACY for entry in entries)


def find(cache: Path, directory: Path, state: str) -> Packed | None:
    """Return the archive of this state of the directory, if it is kept and whole."""
    try:
        note = json.loads(_note(cache, directory).read_text())
        if note["fingerprint"] != state:
            return None
        path = archive(cache, note["sha256"])
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if sha256 != note["sha256"]:
            return None
        os.utime(path)
        return Packed(sha256, path.stat().st_size)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it is only a cache


def remember(cache: Path, directory: Path, state: str, packed: Packed) -> None:
    """Note what an archive was made of."""
    note = _note(cache, directory)
    temporary = note.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps({"fingerprint": state, "sha256": packed.sha256}))
    temporary.replace(note)


def prune(cache: Path, now: int) -> None:
    """Remove what nobody has used for 30 days."""
    for path in (*cache.glob("*.tar.gz"), *cache.glob("*.json"), *cache.glob("*.tmp"), *cache.glob(".*.tmp")):
        try:
            if path.stat().st_mtime_ns < now - _KEPT_FOR:
                path.unlink()
        except OSError:
            continue  # another process was faster


def _note(cache: Path, directory: Path) -> Path:
    return cache / f"{hashlib.sha256(os.fsencode(directory)).hexdigest()[:32]}.json"
