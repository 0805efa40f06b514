"""The one door of minislurm: ``python -I …/trainsub/minislurm/__main__.py HOME COMMAND ARGUMENTS``.

The commands in ``HOME/bin`` come through here. Only the standard library and ``trainsub.slurm`` are loaded, because
each command of Slurm is a process of its own and should be quick.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path

SLURM = frozenset({"sbatch", "scancel", "scontrol", "sinfo", "sacct", "squeue", "srun"})
"""What it answers as. Each is a module with ``main(home, words)``, which returns the exit code."""
OWN = frozenset({"keeper", "setup", "sha256sum", "stepd", "timeout"})
"""What it needs itself."""


def find_package() -> None:
    """Let this very trainsub be imported, wherever it lies, and nothing beside it that is called like a module."""
    place = str(Path(__file__).resolve().parents[2])
    if place in sys.path:
        return
    others = (index for index, one in enumerate(sys.path) if one.endswith(("site-packages", "dist-packages")))
    sys.path.insert(next(others, len(sys.path)), place)


def main(words: Sequence[str]) -> int:
    """Run one command.

    Returns:
        Its exit code.
    """
    if len(words) < 2 or words[1] not in SLURM | OWN:  # noqa: PLR2004 - the home and the command
        sys.stderr.write(f"usage: __main__.py HOME {'|'.join(sorted(SLURM | OWN))} [ARGUMENTS]\n")
        return 2
    home, command = Path(words[0]), words[1]
    _open_missing_streams()
    wrong = _not_ours(home)
    if wrong:
        sys.stderr.write(f"{command}: error: {wrong}\n")
        return 1
    for stream in (sys.stdout, sys.stderr):
        # What users name things need not be text.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    from trainsub.minislurm.conf import ConfError  # noqa: PLC0415 - found by find_package only
    from trainsub.minislurm.queue import QueueError  # noqa: PLC0415

    try:
        try:
            code: int = import_module(f"trainsub.minislurm.{command}").main(home, words[2:])
        except BaseException:
            _ensure_keeper(home, command, tell=False)
            raise
        _ensure_keeper(home, command)
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads any more; nothing is to be flushed at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ConfError, QueueError, OSError) as error:
        what = f"{error.filename or 'output'}: {error.strerror}" if isinstance(error, OSError) else error
        sys.stderr.write(f"{command}: error: {what}\n")
        # What could not be written is not to be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _open_missing_streams() -> None:
    """Let what is closed be /dev/null: else the queue's file could be taken for the standard output."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - standard error
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _ensure_keeper(home: Path, command: str, *, tell: bool = True) -> None:
    """Let work that is left not stay without somebody who does it, whatever happened to this command."""
    if command not in SLURM:
        return
    try:
        import_module("trainsub.minislurm.keeper").ensure(home)
    except Exception as error:  # noqa: BLE001 - the command did its work; to tell it as failed would be false
        if tell:
            sys.stderr.write(f"{command}: warning: no keeper could be started, the next command tries again: {error}\n")


def _not_ours(home: Path) -> str:
    """Return why a home may not be used, or nothing: two users' queues do not meet."""
    try:
        owner = home.stat().st_uid
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{home}: {error.strerror}"
    if owner != os.geteuid():
        return (
            f"{home} belongs to user {owner}, and user {os.geteuid()} runs this: each user has a cluster of their own"
        )
    return ""


if __name__ == "__main__":
    find_package()
    sys.exit(main(sys.argv[1:]))
