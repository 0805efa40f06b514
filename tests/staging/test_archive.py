import errno
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from trainsub.errors import SnapshotError
from trainsub.staging import snapshot
from trainsub.staging.archive import ChangedError, _Reader, pack
from trainsub.staging.entries import Entry, read_entries


def entries(directory: Path) -> list[Entry]:
    """What is in a directory now."""
    return read_entries(str(directory), [path.name for path in directory.iterdir()])[0]


def ignore(_entry: Entry, _head: bytes) -> None:
    """Look at nothing."""


def append(path: Path) -> None:
    """Make a file longer."""
    with path.open("ab") as file:
        file.write(b"x")


@pytest.mark.parametrize("change", [Path.unlink, append, lambda path: path.write_bytes(b"y")])
def test_a_file_that_changed_before_it_was_read_is_noticed(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """Gone, longer, or as long as before."""
    (tmp_path / "a").write_bytes(b"x")
    seen = entries(tmp_path)
    change(tmp_path / "a")
    os.utime(tmp_path.parent)
    with pytest.raises(ChangedError, match="a"):
        pack(str(tmp_path), seen, io.BytesIO(), ignore)


class Meddler(io.BytesIO):
    """Changes a file when the first bytes of the archive are written."""

    def __init__(self, change: Callable[[], object]) -> None:
        super().__init__()
        self.change = change

    def write(self, data: object, /) -> int:
        """Write, and change the file."""
        self.change()
        return super().write(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 100, 9_000_000])
def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path, size: int) -> None:
    """Shorter or longer than it began."""
    path = tmp_path / "a"
    path.write_bytes(os.urandom(8_000_000))
    with pytest.raises(ChangedError, match="a"):
        pack(str(tmp_path), entries(tmp_path), Meddler(lambda: os.truncate(path, size)), ignore)


def test_a_link_that_took_a_files_place_is_not_followed(tmp_path: Path) -> None:
    """What it points to was never looked at."""
    (tmp_path / "a").write_bytes(b"x")
    seen = entries(tmp_path)
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to("/etc/passwd")
    with pytest.raises(SnapshotError, match="cannot read a: "):
        pack(str(tmp_path), seen, io.BytesIO(), ignore)


def test_a_full_disk_is_not_blamed_on_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is an error of the cache."""

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("trainsub.staging.take.pack", full)
    (tmp_path / "code").mkdir()
    with pytest.raises(SnapshotError, match=r"cannot keep an archive in .*cache: No space left on device"):
        snapshot(tmp_path / "code", cache=tmp_path / "cache", max_bytes=1000, include=())
    (tmp_path / "file").touch()
    with pytest.raises(SnapshotError, match="Not a directory"):
        snapshot(tmp_path / "code", cache=tmp_path / "file/cache", max_bytes=1000, include=())


def test_a_disk_error_names_the_file() -> None:
    """Reading from the start of a process's memory fails as a bad disk does."""
    entry = Entry("mem", "file", 10, executable=False, target="", stamp=(0, 0, 0, 0))
    with Path("/proc/self/mem").open("rb", buffering=0) as file:
        reader = _Reader(file, entry)
        with pytest.raises(SnapshotError, match="cannot read mem: Input/output error"):
            reader.read(10)


def test_a_directory_that_never_rests_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After three attempts, with the file's name."""
    attempts = []

    def never(*_arguments: object) -> None:
        attempts.append(1)
        raise ChangedError("log")

    monkeypatch.setattr("trainsub.staging.take.pack", never)
    (tmp_path / "code").mkdir()
    with pytest.raises(SnapshotError, match="log changes while it is packed"):
        snapshot(tmp_path / "code", cache=tmp_path / "cache", max_bytes=1000, include=())
    assert len(attempts) == 3
    assert list((tmp_path / "cache").iterdir()) == []
