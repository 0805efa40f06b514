import gzip
import os
import socket
import stat
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainsub.errors import SnapshotError
from trainsub.staging import Snapshot, snapshot

LIMIT = 1 << 20


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """An empty directory."""
    made = tmp_path / "code"
    made.mkdir()
    return made


@pytest.fixture
def take(tmp_path: Path, code: Path) -> Callable[..., Snapshot]:
    """Snapshot the directory, or another one."""

    def taking(directory: Path = code, **options: Any) -> Snapshot:
        return snapshot(directory, **{"cache": tmp_path / "cache", "max_bytes": LIMIT, **options})

    return taking


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep git away from the machine's own configuration."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "a")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "a@example.org")


def git(directory: Path, *arguments: str) -> str:
    """Run git there."""
    return subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=directory,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def repository(directory: Path, files: dict[str, str]) -> str:
    """Make a repository with one commit."""
    directory.mkdir(exist_ok=True)
    git(directory, "init", "-q")
    write(directory, files)
    git(directory, "add", "-A")
    git(directory, "commit", "-qm", "first")
    return git(directory, "rev-parse", "HEAD")


def write(directory: Path, files: dict[str, str]) -> None:
    """Write files."""
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)


def members(taken: Snapshot) -> dict[str, tarfile.TarInfo]:
    """What is in the archive."""
    with tarfile.open(taken.archive, encoding="utf-8", errors="surrogateescape") as tar:
        return {member.name: member for member in tar}


def contents(taken: Snapshot) -> dict[str, bytes]:
    """The content of the files in the archive."""
    with tarfile.open(taken.archive) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}  # type: ignore[union-attr]


def age(directory: Path) -> None:
    """Wait until the files no longer count as just written."""
    del directory
    time.sleep(2.1)


# ---- in git ----


def test_tracked_files_travel_as_they_are_now(code: Path, take: Callable[..., Snapshot]) -> None:
    """Uncommitted changes travel, deleted files do not, and the snapshot says so."""
    commit = repository(code, {"a.py": "1", "b.py": "2", "sub/c.py": "3"})
    assert (take().commit, take().dirty, take().untracked) == (commit, False, ())
    (code / "a.py").write_text("changed")
    (code / "b.py").unlink()
    taken = take()
    assert contents(taken) == {"a.py": b"changed", "sub/c.py": b"3"}
    assert (taken.commit, taken.dirty, taken.files) == (commit, True, 2)


def test_untracked_files_travel_unless_ignored(code: Path, take: Callable[..., Snapshot]) -> None:
    """Untracked files are named, ignored ones stay."""
    repository(code, {"a.py": "1", ".gitignore": "*.log\nout/\n"})
    write(code, {"new.py": "2", "x.log": "3", "out/y": "4", "deep/new/z": "5"})
    taken = take()
    assert set(contents(taken)) == {"a.py", ".gitignore", "new.py", "deep/new/z"}
    assert (taken.untracked, taken.dirty) == (("deep/new/z", "new.py"), False)


def test_staged_changes_make_it_dirty(code: Path, take: Callable[..., Snapshot]) -> None:
    """What is staged is uncommitted."""
    repository(code, {"a.py": "1"})
    (code / "b.py").write_text("2")
    git(code, "add", "b.py")
    assert take().dirty is True


def test_only_the_subtree_travels(code: Path, take: Callable[..., Snapshot]) -> None:
    """A directory of a repository travels alone, and changes elsewhere do not make it dirty."""
    commit = repository(code, {"top.py": "1", "job/a.py": "2", "job/deep/b.py": "3"})
    (code / "top.py").write_text("changed")
    taken = take(code / "job")
    assert (set(contents(taken)), taken.commit, taken.dirty) == ({"a.py", "deep/b.py"}, commit, False)


def test_a_worktree_is_a_repository(code: Path, take: Callable[..., Snapshot], tmp_path: Path) -> None:
    """In a linked worktree .git is a file."""
    commit = repository(code, {"a.py": "1"})
    git(code, "worktree", "add", "-q", str(tmp_path / "tree"))
    taken = take(tmp_path / "tree")
    assert (contents(taken), taken.commit, taken.dirty) == ({"a.py": b"1"}, commit, False)


def test_a_repository_without_commits(code: Path, take: Callable[..., Snapshot]) -> None:
    """There is no commit yet, and the files travel."""
    git(code, "init", "-q")
    write(code, {"a.py": "1"})
    taken = take()
    assert (contents(taken), taken.commit, taken.dirty, taken.untracked) == ({"a.py": b"1"}, None, False, ("a.py",))


def test_submodules_travel_with_their_files(code: Path, take: Callable[..., Snapshot], tmp_path: Path) -> None:
    """A submodule's files are included; one that is not checked out is an empty directory and a note."""
    repository(tmp_path / "lib", {"lib.py": "1"})
    repository(code, {"a.py": "2"})
    git(code, "submodule", "add", "-q", str(tmp_path / "lib"), "vendor/lib")
    git(code, "commit", "-qm", "lib")
    write(code, {"vendor/lib/new.py": "3"})
    taken = take()
    assert set(contents(taken)) == {
        ".gitmodules",
        "a.py",
        "vendor/lib/lib.py",
        "vendor/lib/.git",
        "vendor/lib/new.py",
    } - {"vendor/lib/.git"}
    assert taken.untracked == ("vendor/lib/new.py",)
    (code / "vendor/lib/lib.py").write_text("changed")
    assert take().dirty is True
    git(code, "submodule", "--quiet", "deinit", "-f", "vendor/lib")
    taken = take()
    assert members(taken)["vendor/lib"].isdir()
    assert taken.notes == ("the submodule vendor/lib is not checked out and travels as an empty directory",)


def test_a_repository_in_the_repository_travels(code: Path, take: Callable[..., Snapshot]) -> None:
    """An untracked clone travels: git itself does not look into it."""
    repository(code, {"a.py": "1"})
    repository(code / "clone", {"b.py": "2"})
    taken = take()
    assert (set(contents(taken)), taken.dirty) == ({"a.py", "clone/b.py"}, False)


def test_empty_directories_in_git(code: Path, take: Callable[..., Snapshot]) -> None:
    """Empty directories travel, those with ignored files only do not."""
    repository(code, {"a.py": "1", ".gitignore": "*.log\n"})
    for name in ("checkpoints", "tree/of/empty"):
        (code / name).mkdir(parents=True)
    write(code, {"logs/x.log": "1"})
    assert {name for name, member in members(take()).items() if member.isdir()} == {"checkpoints", "tree/of/empty"}


def test_an_ignored_directory_is_packed_like_one_outside(code: Path, take: Callable[..., Snapshot]) -> None:
    """A home directory that is a repository and ignores all does not make snapshots empty."""
    repository(code, {".gitignore": "*\n!.gitignore\n"})
    write(code, {"project/a.py": "1"})
    taken = take(code / "project")
    assert (contents(taken), taken.commit, taken.dirty) == ({"a.py": b"1"}, None, None)


def test_trainsubignore_counts_in_git_too(code: Path, take: Callable[..., Snapshot]) -> None:
    """It holds back tracked and untracked files."""
    repository(code, {"a.py": "1", "data/big.bin": "2", ".trainsubignore": "data/\n*.tmp\n"})
    write(code, {"x.tmp": "3"})
    taken = take()
    assert (set(contents(taken)), taken.untracked) == ({"a.py", ".trainsubignore"}, ())


def test_gits_refusal_is_explained(code: Path, take: Callable[..., Snapshot]) -> None:
    """A broken repository, and one of another user."""
    repository(code, {"a.py": "1"})
    (code / ".git/index").write_text("broken")
    with pytest.raises(SnapshotError, match="git cannot read"):
        take()


def _moved(folder: Path) -> None:
    (folder / ".git").write_text("gitdir: /nonexistent\n")


def _junk_head(folder: Path) -> None:
    git(folder, "init", "-q")
    (folder / ".git/HEAD").write_text("junk")


def _no_repository(folder: Path) -> None:
    (folder / ".git").write_text("junk")


def _dead_link(folder: Path) -> None:
    (folder / ".git").symlink_to("/nonexistent")


BREAKS = pytest.mark.parametrize("break_", [_moved, _junk_head, _no_repository, _dead_link])


@BREAKS
@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("below", ["", "deep/down"])
def test_a_broken_repository_is_no_directory_outside_git(
    code: Path, take: Callable[..., Snapshot], break_: Callable[[Path], None], below: str, *, outer: bool
) -> None:
    """What .gitignore holds back must not travel because git cannot be asked, nor may another repository answer."""
    if outer:
        git(code.parent, "init", "-q")
    write(code, {".gitignore": "*.secret\n", "a.py": "1", "x.secret": "2", "deep/down/y.secret": "3"})
    break_(code)
    with pytest.raises(SnapshotError, match=r"^`\.git` is there but git cannot read it: .*/code/\.git: ") as caught:
        take(code / below)
    assert "remove it" in (caught.value.hint or "")


def test_a_broken_repository_beyond_the_ceiling_is_not_looked_at(
    code: Path, take: Callable[..., Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where git would not look, neither do we."""
    write(code, {"a.py": "1"})
    _moved(code.parent)
    with pytest.raises(SnapshotError):
        take()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", f"/elsewhere:{code.parent}")
    assert set(contents(take())) == {"a.py"}


@BREAKS
def test_a_broken_submodule_is_refused(
    code: Path, take: Callable[..., Snapshot], tmp_path: Path, break_: Callable[[Path], None]
) -> None:
    """Its files must not silently stay here."""
    repository(tmp_path / "lib", {"lib.py": "1"})
    repository(code, {"a.py": "2"})
    git(code, "submodule", "add", "-q", str(tmp_path / "lib"), "lib")
    (code / "lib/.git").unlink()
    break_(code / "lib")
    with pytest.raises(SnapshotError, match="git cannot read"):
        take()


@BREAKS
def test_a_broken_repository_in_the_repository_is_noted(
    code: Path, take: Callable[..., Snapshot], break_: Callable[[Path], None]
) -> None:
    """To git it is an ordinary directory; .gitignore holds back what it names there, too."""
    repository(code, {"a.py": "1"})
    write(code, {"lib/.gitignore": "*.log\n", "lib/b.py": "2", "lib/x.log": "3", "lib/deep/c.py": "4"})
    break_(code / "lib")
    taken = take()
    assert set(contents(taken)) == {"a.py", "lib/.gitignore", "lib/b.py", "lib/deep/c.py"}
    assert taken.notes == (
        "lib/.git is there but git cannot read it: lib travels like an ordinary directory, without .git",
    )


def test_a_repository_in_the_repository_of_which_nothing_travels_is_noted(
    code: Path, take: Callable[..., Snapshot]
) -> None:
    """It ignores all its files, or has no work tree."""
    repository(code, {"a.py": "1"})
    git(code, "init", "-q", "lib")
    write(code, {"lib/.gitignore": "*\n", "lib/b.py": "2"})
    taken = take()
    assert set(contents(taken)) == {"a.py"}
    assert taken.notes == ("the repository lib stays here: git says that none of its files would travel",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_somebody_else(code: Path, take: Callable[..., Snapshot]) -> None:
    """The option safe.directory is not overridden, but explained."""
    repository(code, {"a.py": "1"})
    os.chown(code, 12345, 12345)
    os.chown(code / ".git", 12345, 12345)
    with pytest.raises(SnapshotError) as caught:
        take()
    assert caught.value.hint == f"If you trust that repository: git config --global --add safe.directory {code}"


def test_no_program_of_the_repository_runs(code: Path, take: Callable[..., Snapshot], tmp_path: Path) -> None:
    """Neither its file system monitor nor its hooks."""
    repository(code, {"a.py": "1"})
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    git(code, "config", "core.fsmonitor", str(hook))
    git(code, "config", "core.hooksPath", str(tmp_path))
    take()
    assert not (tmp_path / "ran").exists()


def test_the_environment_of_a_hook_does_not_mislead(
    code: Path, take: Callable[..., Snapshot], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """GIT_DIR and GIT_INDEX_FILE of another repository are not for us."""
    repository(code, {"a.py": "1"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "none"))
    assert contents(take()) == {"a.py": b"1"}


def test_without_git_the_directory_travels(
    code: Path, take: Callable[..., Snapshot], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a repository .gitignore still counts, as well as that can be; a note says what was done."""
    repository(code, {"a.py": "1", ".gitignore": "*.log\n"})
    write(code, {"x.log": "2", ".env": "3"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SnapshotError) as caught:
        take()
    assert (caught.value.hint or "").startswith("List them in .trainsubignore or .gitignore to ")
    (code / ".env").unlink()
    taken = take()
    assert (set(contents(taken)), taken.commit, taken.dirty) == ({"a.py", ".gitignore"}, None, None)
    (note,) = taken.notes
    assert note.startswith("git is not installed: all travels that neither .trainsubignore nor .gitignore names")


def test_without_git_and_without_a_repository_nothing_is_missing(
    code: Path, take: Callable[..., Snapshot], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same travels as with git installed."""
    write(code, {"a.py": "1", ".gitignore": "*.log\n", "x.log": "2"})
    taken = take()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert take() == taken
    assert (set(contents(taken)), taken.notes) == ({"a.py", ".gitignore", "x.log"}, ())


# ---- outside git ----


def test_outside_git_everything_but_the_ignored_travels(code: Path, take: Callable[..., Snapshot]) -> None:
    """Defaults and the file's own rules hold, with negation."""
    write(code, {".trainsubignore": "*.bin\n!keep.bin\n/out/\n", "a.py": "1", "x.bin": "2", "keep.bin": "3"})
    write(code, {"out/y": "4", "sub/out/z": "5", "__pycache__/a.pyc": "6", ".venv/bin/python": "7"})
    (code / "empty").mkdir()
    taken = take()
    assert set(members(taken)) == {".trainsubignore", "a.py", "keep.bin", "sub/out/z", "empty"}
    assert (taken.commit, taken.dirty, taken.untracked, taken.files) == (None, None, (), 4)


def test_rules_that_cannot_be_read_are_an_error(code: Path, take: Callable[..., Snapshot]) -> None:
    """Packing what was to stay behind would be worse."""
    (code / ".trainsubignore").mkdir()
    with pytest.raises(SnapshotError, match=r"cannot read .*\.trainsubignore: Is a directory"):
        take()


def test_odd_names_survive(code: Path, take: Callable[..., Snapshot], tmp_path: Path) -> None:
    """Newlines, dashes, unicode, bytes that are no UTF-8, and long names come back from a real tar."""
    names = [b"-rf", b"a\nb", "数据 é".encode(), b"bad\xff\xfe", b"n" * 255, b"long/" * 60 + b"x", b"'\"$(touch x)`"]
    for name in names:
        path = code / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name)
    for directory in (code, tmp_path / "repository"):
        if directory != code:
            code.rename(directory)
            git(directory, "init", "-q")
        taken = take(directory)
        out = tmp_path / f"out{directory.name}"
        out.mkdir()
        subprocess.run(
            ["tar", "-xzf", taken.archive], cwd=out, check=True, env={"LC_ALL": "C", "PATH": os.environ["PATH"]}
        )
        for name in names:
            assert (out / os.fsdecode(name)).read_bytes() == name


def test_names_can_be_printed(code: Path, take: Callable[..., Snapshot]) -> None:
    """What the snapshot says of odd names is UTF-8."""
    git(code, "init", "-q")
    Path(os.fsdecode(os.fsencode(code) + b"/bad\xff")).write_text("1")
    assert take().untracked == ("bad\\xff",)


def test_modes_links_and_special_files(code: Path, take: Callable[..., Snapshot]) -> None:
    """The execute bit and symlinks survive, a pipe and a socket stay behind with a note."""
    write(code, {"run.sh": "1", "plain": "2"})
    (code / "run.sh").chmod(0o700)
    (code / "plain").chmod(0o600)
    (code / "in").symlink_to("./plain")
    (code / "data").symlink_to("/data/set")
    (code / "up").symlink_to("../other")
    (code / "broken").symlink_to("nowhere")
    os.mkfifo(code / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(code / "sock"))
    found = members(taken := take())
    assert {name: (member.type, member.mode) for name, member in found.items()} == {
        "run.sh": (tarfile.REGTYPE, 0o755),
        "plain": (tarfile.REGTYPE, 0o644),
        "in": (tarfile.SYMTYPE, 0o777),
        "data": (tarfile.SYMTYPE, 0o777),
        "up": (tarfile.SYMTYPE, 0o777),
        "broken": (tarfile.SYMTYPE, 0o777),
    }
    assert (found["in"].linkname, found["data"].linkname) == ("./plain", "/data/set")
    assert taken.notes == (
        "data points out of the snapshot, to /data/set",
        "pipe is a pipe and stays behind",
        "sock is a socket and stays behind",
        "up points out of the snapshot, to ../other",
    )


def test_nothing_lies_behind_a_symlink(code: Path, take: Callable[..., Snapshot], tmp_path: Path) -> None:
    """A tracked directory that became a symlink travels as the symlink alone."""
    repository(code, {"lib/a.py": "1", "b.py": "2"})
    (code / "lib").rename(tmp_path / "elsewhere")
    (code / "lib").symlink_to(tmp_path / "elsewhere")
    assert set(members(take())) == {"lib", "b.py"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files_are_named(code: Path, take: Callable[..., Snapshot]) -> None:
    """The error says which, as for a directory."""
    write(code, {"a.py": "1", "locked/b.py": "2"})
    (code / "a.py").chmod(0)
    with pytest.raises(SnapshotError, match=r"cannot read a\.py: Permission denied"):
        take()
    (code / "a.py").unlink()
    (code / "locked").chmod(0)
    with pytest.raises(SnapshotError, match=r"cannot read the directory locked/: Permission denied"):
        take()
    (code / "locked").chmod(0o755)


def test_no_such_directory(code: Path, take: Callable[..., Snapshot]) -> None:
    """A missing directory and a file are told apart."""
    with pytest.raises(SnapshotError, match="does not exist"):
        take(code / "none")
    write(code, {"a": "1"})
    with pytest.raises(SnapshotError, match="is not a directory"):
        take(code / "a")


# ---- the archive ----


def test_the_same_content_gives_the_same_archive(code: Path, take: Callable[..., Snapshot], tmp_path: Path) -> None:
    """Neither times, nor place, nor order, nor umask count."""
    for directory in (code, other := tmp_path / "elsewhere"):
        write(directory, {"b.py": "2", "a.py": "1"} if directory == other else {"a.py": "1", "b.py": "2"})
    os.utime(other / "a.py", (1, 1))
    (other / "b.py").chmod(0o600)
    one, two = take(), take(other, cache=tmp_path / "cache2")
    assert one.sha256 == two.sha256
    assert one.archive.read_bytes() == two.archive.read_bytes()
    (other / "b.py").chmod(0o700)
    assert take(other).sha256 != one.sha256


def test_the_archive_belongs_to_nobody(code: Path, take: Callable[..., Snapshot]) -> None:
    """Owner, group and times are those of no machine; names are relative."""
    write(code, {"sub/a.py": "1"})
    (member,) = members(take()).values()
    assert (member.uid, member.gid, member.uname, member.gname, member.mtime) == (0, 0, "", "", 315532800)


def test_archives_are_private_and_named_by_their_hash(
    code: Path, take: Callable[..., Snapshot], tmp_path: Path
) -> None:
    """Nobody else can read the code in the cache."""
    write(code, {"a.py": "1"})
    taken = take()
    assert taken.archive == tmp_path / "cache" / f"{taken.sha256}.tar.gz"
    assert taken.size == taken.archive.stat().st_size
    assert stat.S_IMODE(taken.archive.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert gzip.decompress(taken.archive.read_bytes())


def test_an_empty_directory_travels(take: Callable[..., Snapshot]) -> None:
    """A command may need no code at all."""
    assert (take().files, members(take())) == (0, {})


def test_an_unchanged_directory_is_not_packed_again(code: Path, take: Callable[..., Snapshot]) -> None:
    """The archive stays the same file; any change is seen, and a damaged archive is made anew."""
    write(code, {"a.py": "1", "b.py": "2"})
    age(code)
    first = take()
    made = first.archive.stat().st_ino
    assert take() == first
    assert first.archive.stat().st_ino == made
    (code / "b.py").write_text("3")
    assert take().sha256 != first.sha256
    (code / "b.py").write_text("2")
    age(code)
    assert take() == first
    first.archive.write_bytes(b"damaged")
    assert take() == first
    assert len(contents(first)) == 2
    for note in first.archive.parent.glob("*.json"):
        note.write_text("damaged")
    assert take() == first


def test_a_change_within_the_clocks_grain_is_seen(code: Path, take: Callable[..., Snapshot]) -> None:
    """A file of the same size and time as before is not believed while it is fresh."""
    write(code, {"a.py": "1"})
    first = take()
    times = (code / "a.py").stat()
    (code / "a.py").write_text("2")
    os.utime(code / "a.py", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert take().sha256 != first.sha256


def test_the_cache_does_not_travel_and_does_not_grow_for_ever(code: Path, take: Callable[..., Snapshot]) -> None:
    """A cache inside the directory is left out, and what is old in it goes."""
    write(code, {"a.py": "1"})
    cache = code / ".cache"
    old = take(cache=cache).archive
    os.utime(old, (1, 1))
    write(code, {"a.py": "2"})
    assert set(members(take(cache=cache))) == {"a.py"}
    assert not old.exists()


def test_a_file_that_never_rests_is_refused(code: Path, take: Callable[..., Snapshot]) -> None:
    """Either the archive is whole, or there is none."""
    (code / "log").write_bytes(b"x" * 300_000)
    stop = threading.Event()

    def scribble() -> None:
        while not stop.is_set():
            with (code / "log").open("r+b") as file:
                file.truncate(100_000 + time.time_ns() % 200_000)

    writer = threading.Thread(target=scribble)
    writer.start()
    try:
        for _ in range(20):
            try:
                assert set(contents(take())) == {"log"}
            except SnapshotError as error:
                assert error.message == "log changes while it is packed"  # noqa: PT017
    finally:
        stop.set()
        writer.join()
    assert not list((take().archive.parent).glob("*.tmp"))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(
        st.binary(min_size=1, max_size=40).filter(
            lambda name: not set(name) & set(b"/\0") and name not in {b".", b".."}
        ),
        st.binary(max_size=2000).map(lambda content: b" " + content),
        max_size=6,
    )
)
def test_any_names_and_contents_survive(tmp_path_factory: pytest.TempPathFactory, files: dict[bytes, bytes]) -> None:
    """What a real tar unpacks is what was there."""
    base = tmp_path_factory.mktemp("any")
    (base / "code").mkdir()
    for name, content in files.items():
        Path(os.fsdecode(os.fsencode(base / "code") + b"/x" + name)).write_bytes(content)
    taken = snapshot(base / "code", cache=base / "cache", max_bytes=LIMIT)
    subprocess.run(["tar", "-xzf", taken.archive], cwd=base / "cache", check=True)
    for name, content in files.items():
        if not name.endswith(b".pyc"):
            assert Path(os.fsdecode(os.fsencode(base / "cache") + b"/x" + name)).read_bytes() == content


# ---- refusals ----


def test_a_large_file_is_refused_before_it_is_read(code: Path, take: Callable[..., Snapshot]) -> None:
    """A sparse file of 2 GB is refused at once, with its path and the limit."""
    write(code, {"a.py": "1"})
    with (code / "model.bin").open("wb") as file:
        file.truncate(2 << 30)
    began = time.perf_counter()
    with pytest.raises(SnapshotError) as caught:
        take()
    assert time.perf_counter() - began < 0.5
    assert caught.value.message == (
        "the code holds 2 GiB, and at most 1 MiB may travel; the largest files are:\n       2 GiB  model.bin\n     1 bytes  a.py"
    )
    assert "max_size" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        "sub/.env.production",
        "id_rsa",
        "keys/id_ed25519",
        ".netrc",
        ".pypirc",
        "credentials.json",
        "x/kubeconfig",
        "cert.p12",
        "home/.aws/credentials",
        ".kube/config",
        "ID_RSA",
    ],
)
def test_secret_names_are_refused(code: Path, take: Callable[..., Snapshot], name: str) -> None:
    """Each is named with both ways out, and can be allowed by name."""
    write(code, {"a.py": "1", name: "x"})
    with pytest.raises(SnapshotError) as caught:
        take()
    assert caught.value.message == f"the code holds what looks like secrets:\n  {name}"
    assert f"[code] include = ['{name}']" in (caught.value.hint or "")
    assert ".trainsubignore" in (caught.value.hint or "")
    assert name in contents(take(include=[f"./{name}"]))


@pytest.mark.parametrize(
    "name", [".env.example", ".env.sample", ".env.template", "id_rsa.pub", "env.py", "my.environment"]
)
def test_harmless_names_travel(code: Path, take: Callable[..., Snapshot], name: str) -> None:
    """Public keys and examples are no secrets."""
    write(code, {name: "x"})
    assert set(contents(take())) == {name}


KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deploy", KEY),
        ("server.pem", "Bag Attributes\n" + KEY.replace("OPENSSH ", "")),
        ("server.key", KEY.replace("OPENSSH", "ENCRYPTED")),
        ("pgp.asc", KEY.replace("OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK")),
        ("windows.key", KEY.replace("\n", "\r\n")),
        ("putty.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\n"),
        ("robot.json", '{"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\\nMII"}'),
        (".npmrc", "//registry.npmjs.org/:_authToken=npm_abc\n"),
    ],
)
def test_private_keys_are_found_by_content(code: Path, take: Callable[..., Snapshot], name: str, content: str) -> None:
    """Whatever the file is called; and no archive of it stays behind."""
    write(code, {name: content})
    with pytest.raises(SnapshotError) as caught:
        take()
    assert caught.value.message == f"the code holds what looks like secrets:\n  {name}"
    assert set(contents(take(include=[name]))) == {name}
    age(code)
    take(include=[name])
    with pytest.raises(SnapshotError):
        take()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ca.pem", "-----BEGIN CERTIFICATE-----\nMII\n"),
        ("public.key", "-----BEGIN PUBLIC KEY-----\nMII\n"),
        ("scan.py", 'if line == "-----BEGIN PRIVATE KEY-----": ...\n'),
        (".npmrc", "registry=https://registry.npmjs.org/\n"),
    ],
)
def test_harmless_contents_travel(code: Path, take: Callable[..., Snapshot], name: str, content: str) -> None:
    """Certificates, public keys and programs that speak of keys are no secrets."""
    write(code, {name: content})
    assert set(contents(take())) == {name}


def test_no_refused_archive_stays_in_the_cache(code: Path, take: Callable[..., Snapshot], tmp_path: Path) -> None:
    """A refusal leaves nothing behind."""
    write(code, {"deploy": KEY})
    with pytest.raises(SnapshotError):
        take()
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("in_git", "name", "where"),
    [
        (False, ".env", ".trainsubignore"),
        (True, "tracked.env/.env", ".trainsubignore"),
        (True, ".env", ".trainsubignore or .gitignore"),
    ],
)
def test_hints_name_what_helps(
    code: Path, take: Callable[..., Snapshot], name: str, where: str, *, in_git: bool
) -> None:
    """.gitignore holds back nothing outside git, and nothing that git tracks."""
    write(code, {"a.py": "1"})
    if in_git:
        repository(code, {"tracked.env/.env": "x"} if "/" in name else {"a.py": "1"})
    write(code, {name: "x" * 100})
    with pytest.raises(SnapshotError) as caught:
        take()
    assert (caught.value.hint or "").startswith(f"List them in {where} to leave")
    with pytest.raises(SnapshotError) as caught:
        take(max_bytes=50)
    assert (caught.value.hint or "").startswith(f"List what the job does not need in {where}, or raise")


def test_all_secrets_are_named_at_once(code: Path, take: Callable[..., Snapshot]) -> None:
    """By name and by content, whichever are allowed already; what travels by its name was looked into, too."""
    write(code, {"z.key": KEY, ".env": "1", "b/id_rsa": KEY, "c/.netrc": "x", "a.py": "1"})
    (code / "link").symlink_to("z.key")
    with pytest.raises(SnapshotError) as caught:
        take(include=["c/.netrc"])
    assert caught.value.message == "the code holds what looks like secrets:\n  .env\n  b/id_rsa\n  z.key"
    assert "include = ['.env', 'b/id_rsa', 'z.key']" in (caught.value.hint or "")
    assert take(include=[".env", "b/id_rsa", "z.key", "c/.netrc"]).files == 6
