"""Which files git would have: tracked ones as they are now, and untracked ones that are not ignored."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from trainsub.errors import SnapshotError

# A clone's own configuration runs no program of its own here, and nothing is written to the repository.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE")
_SUBMODULE = "160000"
_TIMEOUT = 120


@dataclass(slots=True)
class GitFiles:
    """What git says of a directory.

    Attributes:
        commit: HEAD, or None before the first commit.
        dirty: Whether tracked files differ from it.
        paths: All that travels; an empty directory is among them by its own name.
        untracked: Those of them that git does not track.
        notes: What the user should know.
    """

    commit: str | None
    dirty: bool
    paths: list[str] = field(default_factory=list)
    untracked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class NoGitError(Exception):
    """git is not installed."""


def git_files(directory: Path) -> GitFiles | None:
    """Ask git for the files of a directory, which may be anywhere in a repository.

    Returns:
        None where the directory is in no repository's work tree, or is ignored there.

    Raises:
        NoGitError: git is not installed.
        SnapshotError: git refuses, or cannot read a repository that is there.
    """
    if not _in_work_tree(directory):
        return None
    staged = _items(directory, "ls-files", "-z", "--stage")
    if not staged and _git(directory, "check-ignore", "-q", ".").returncode == 0:
        return None  # say, a project in a home directory that is itself a repository
    head = _git(directory, "rev-parse", "--verify", "--quiet", "HEAD")
    changes = _items(directory, "status", "--porcelain", "-z", "--untracked-files=no", "--", ".")
    found = GitFiles(commit=head.stdout.decode().strip() or None, dirty=bool(changes))
    _add_tracked(directory, staged, found)
    _add_untracked(directory, found)
    return found


def _in_work_tree(directory: Path) -> bool:
    """Ask git whether it would say what travels; a `.git` that it cannot read is no reason to do without it."""
    there = repository(directory)
    inside = _git(directory, "rev-parse", "--is-inside-work-tree", "--git-dir")
    if inside.returncode:
        if there is not None and b"dubious ownership" not in inside.stderr:
            raise _broken(there, _said(inside))
        if b"not a git repository" in inside.stderr:
            return False
        raise _refusal(directory, inside)
    answer, _, used = os.fsdecode(inside.stdout).partition("\n")
    # git passes by a directory `.git` that is no repository, and goes on above it; a file `.git` it does not pass by.
    if there is not None and not there.is_file() and not _same(directory / used.removesuffix("\n"), there):
        raise _broken(there, "not a git repository")
    return answer == "true"


def repository(directory: Path) -> Path | None:
    """Return the `.git` that git would find from a directory, whole or not; like git, stay on one file system."""
    ceilings = os.environ.get("GIT_CEILING_DIRECTORIES", "").split(":")
    device = directory.stat().st_dev
    for folder in (directory, *directory.parents):
        if folder != directory and (str(folder) in ceilings or folder.stat().st_dev != device):
            return None
        if os.path.lexists(folder / ".git"):
            return folder / ".git"
    return None


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _broken(there: Path, said: str) -> SnapshotError:
    return SnapshotError(
        f"`.git` is there but git cannot read it: {there}: {said}",
        hint="Without it nobody knows what .gitignore holds back. Repair it (`git worktree repair` in the main "
        "repository, where a worktree has moved), or remove it to let the directory travel as one outside git.",
    )


def _add_tracked(directory: Path, staged: list[str], found: GitFiles) -> None:
    for line in dict.fromkeys(staged):
        meta, _, path = line.partition("\t")
        if meta.startswith(_SUBMODULE):
            _add_nested(directory, path, found, "submodule")
        else:
            found.paths.append(path)


def _add_untracked(directory: Path, found: GitFiles) -> None:
    others = _items(directory, "ls-files", "-z", "--others", "--exclude-standard")
    _add_broken_notes(directory, others, found)
    for path in others:
        if path.endswith("/"):  # git does not look into another repository
            _add_nested(directory, path.rstrip("/"), found, "repository")
        else:
            found.paths.append(path)
            found.untracked.append(path)
    # With --directory, git names directories without listing them: among these are the empty ones.
    for path in _items(directory, "ls-files", "-z", "--others", "--exclude-standard", "--directory"):
        if path.endswith("/"):
            found.paths.extend(_empty(directory, path.rstrip("/")))


def _add_nested(directory: Path, path: str, found: GitFiles, what: str) -> None:
    """Add the files of a repository in the repository."""
    if not os.path.lexists(directory / path / ".git"):
        found.paths.append(path)
        found.notes.append(f"the {what} {path} is not checked out and travels as an empty directory")
        return
    nested = git_files(directory / path)
    if nested is None:
        found.notes.append(f"the {what} {path} stays here: git says that none of its files would travel")
        return
    found.paths.extend(f"{path}/{name}" for name in nested.paths)
    found.untracked.extend(f"{path}/{name}" for name in nested.untracked)
    found.notes.extend(f"{path}: {note}" for note in nested.notes)
    found.dirty = found.dirty or (what == "submodule" and nested.dirty)


def _add_broken_notes(directory: Path, others: list[str], found: GitFiles) -> None:
    """Tell of repositories in the repository that git takes for ordinary directories, because it cannot read them."""
    folders = {path.rpartition("/")[0] for path in others if not path.endswith("/")} - {""}
    found.notes.extend(
        f"{folder}/.git is there but git cannot read it: {folder} travels like an ordinary directory, without .git"
        for folder in sorted(folders)
        if os.path.lexists(directory / folder / ".git")
    )


def _empty(directory: Path, path: str) -> list[str]:
    """Return the empty directories in a tree that holds no file; the search ends at the first file."""
    try:
        names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in os.scandir(directory / path)]
    except OSError:
        return []
    if not names:
        return [path]
    if not all(is_directory for _, is_directory in names) or any(name == ".git" for name, _ in names):
        return []
    return [found for name, _ in names for found in _empty(directory, f"{path}/{name}")]


def _items(directory: Path, *arguments: str) -> list[str]:
    done = _git(directory, *arguments)
    if done.returncode:
        raise _refusal(directory, done)
    return [os.fsdecode(item) for item in done.stdout.split(b"\0") if item]


def _git(directory: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {key: value for key, value in os.environ.items() if key not in _FOREIGN}
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        return subprocess.run(  # noqa: S603  # a list, and no shell
            [*_GIT, *arguments], cwd=directory, env=environment, capture_output=True, timeout=_TIMEOUT, check=False
        )
    except FileNotFoundError as error:
        raise NoGitError from error
    except subprocess.TimeoutExpired as error:
        raise SnapshotError(f"git {arguments[0]} in {directory} did not end in {_TIMEOUT} seconds") from error


def _refusal(directory: Path, done: subprocess.CompletedProcess[bytes]) -> SnapshotError:
    hint = "See what `git status` says there."
    if b"dubious ownership" in done.stderr:
        hint = f"If you trust that repository: git config --global --add safe.directory {directory}"
    return SnapshotError(f"git cannot read {directory}: {_said(done)}", hint=hint)


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else f"git ended with exit code {done.returncode}"
