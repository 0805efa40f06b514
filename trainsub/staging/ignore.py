"""The rules of .trainsubignore, in the language of .gitignore."""

from collections.abc import Callable, Iterable
from pathlib import Path

from trainsub.errors import SnapshotError

FILE = ".trainsubignore"

_OUTSIDE_GIT = (
    ".git",
    ".hg/",
    ".svn/",
    ".venv/",
    "__pycache__/",
    "*.pyc",
    ".mypy_cache/",
    ".pytest_cache/",
    ".ruff_cache/",
    ".ipynb_checkpoints/",
    "node_modules/",
    ".DS_Store",
)
"""What nobody wants to travel; ``!.venv/`` in the file takes one back."""


def rules(directory: Path, *, defaults: bool, gitignore: bool = False) -> Callable[[str], bool] | None:
    """Return what says whether a path stays behind, or None where nothing does.

    Args:
        directory: Where .trainsubignore lies; those further down are not read.
        defaults: Whether what nobody wants is ignored too: outside git, where nothing else says so.
        gitignore: Whether .gitignore counts, which git would otherwise have read.

    Raises:
        SnapshotError: A file of rules cannot be read.
    """
    lines: list[str] = list(_OUTSIDE_GIT) if defaults else []
    for name in ([".gitignore"] if gitignore else []) + [FILE]:
        path = directory / name
        try:
            lines += path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise SnapshotError(
                f"cannot read {path}: {error.strerror}", hint="Rules belong in a file that you can read."
            ) from error
    return _matcher(lines) if lines else None


def _matcher(lines: Iterable[str]) -> Callable[[str], bool]:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  # most projects have no such file

    return GitIgnoreSpec.from_lines(lines).match_file
