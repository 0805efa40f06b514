"""The embedded cluster ``minislurm`` made ready: its own program makes its directory, when it is first used.

Owns the stamp that says which trainsub made the directory. Imports nothing of minislurm: that is reached by its
commands, as Slurm is.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from trainsub.config import EMBEDDED, MiniSlurm
from trainsub.errors import UnreachableError

_PACKAGE = Path(__file__).with_name("minislurm")
_STAMP = "made-by"
_SECONDS = 60
_ELSEWHERE = "It lies in trainsub's state directory; TRAINSUB_STATE_DIR moves that."


def make_ready(home: Path, wanted: MiniSlurm, tell: Callable[[str], None]) -> None:
    """See that the embedded cluster is there, made by this trainsub and as configured; quick where it is.

    Several processes may do so at once.

    Args:
        home: Its directory.
        wanted: The table ``[minislurm]`` of the configuration.
        tell: Receives what a person should know.

    Raises:
        UnreachableError: It cannot be made there.
    """
    options = [f"--{key.replace('_', '-')}={value}" for key, value in wanted.model_dump(exclude_none=True).items()]
    stamp = _stamp(options)
    if _is_made(home, stamp):
        return
    if not home.exists():
        tell(f"making the embedded cluster {EMBEDDED} in {home}")
    _set_up(home, options)
    try:
        # Under a name of its own first: somebody who reads it finds all of it or none.
        draft = home / f".{_STAMP}.{os.urandom(8).hex()}"
        draft.write_text(stamp)
        draft.replace(home / _STAMP)
    except OSError as error:
        raise _failed(home, error.strerror or str(error)) from error


def _stamp(options: list[str]) -> str:
    """What the directory depends on: the program, the interpreter that its commands are started with, the settings."""
    sources = sorted((path.name, path.stat().st_mtime_ns) for path in _PACKAGE.glob("*.py"))
    program = hashlib.sha256(repr(sources).encode()).hexdigest()
    return "\n".join([str(_PACKAGE), program, sys.executable, *options, ""])


def _is_made(home: Path, stamp: str) -> bool:
    with contextlib.suppress(OSError):
        return (home / _STAMP).read_text() == stamp and os.access(home / "bin" / "sbatch", os.X_OK)
    return False


def _set_up(home: Path, options: list[str]) -> None:
    """Let minislurm make its directory."""
    program = [sys.executable, "-I", str(_PACKAGE / "__main__.py"), str(home), "setup", *options]
    try:
        home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        done = subprocess.run(  # noqa: S603 -- our own program, with this interpreter
            program, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, cwd="/", check=False
        )
    except subprocess.TimeoutExpired:
        raise _failed(home, f"not done in {_SECONDS} s") from None
    except OSError as error:
        raise _failed(home, f"{error.filename or program[0]}: {error.strerror or error}") from error
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise _failed(
            home,
            words[-1].removeprefix("setup: error: ")
            if words
            else f"its setup ended with exit status {done.returncode}",
        )


def _failed(home: Path, why: str) -> UnreachableError:
    return UnreachableError(f"the embedded cluster {EMBEDDED} cannot be made in {home}: {why}", hint=_ELSEWHERE)
