"""The keeper: a process that starts what can start, while there is work.

There is one for each home, by a lock that dies with it. Here is how it comes to be; what it does is in ``rounds``.
"""

import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from trainsub.minislurm import queue as queues

LOCK = "keeper.lock"
LOG = "keeper.log"
LOG_BYTES = 256 * 1024
PROGRAM = str(Path(__file__).with_name("__main__.py"))


def ensure(home: Path) -> None:
    """Start a keeper if work is left and none lives.

    Whoever takes the lock becomes the keeper, or it would be missed by another who finds it taken.
    """
    if not (home / queues.FILE).exists():
        return
    with queues.Queue(home) as queue:
        if not queue.has_open_jobs():
            return
    lock = os.open(home / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        _start(home, lock)
    finally:
        os.close(lock)


def main(home: Path, words: Sequence[str]) -> int:
    """Be the keeper; the only word is the descriptor of the lock.

    Returns:
        The exit code.
    """
    from trainsub.minislurm import rounds  # noqa: PLC0415 - not needed by those who only ensure

    lock = int(words[0])
    os.set_inheritable(lock, False)
    rounds.keep(home, lock)
    return 0


def own_command(home: Path, *words: str) -> list[str]:
    """Return how to run a part of minislurm."""
    return [sys.executable, "-I", PROGRAM, str(home), *words]


def own_environment() -> dict[str, str]:
    """Return an environment in which nothing of a user, or of a job that this may run in, is left."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "MINISLURM_PORTABLE")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _start(home: Path, lock: int) -> None:
    """Start a process that nobody waits for, and that holds nothing but the lock."""
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.chdir("/")
        os.umask(0o022)
        _only_lock(home, lock)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.set_inheritable(lock, True)
        command = own_command(home, "keeper", str(lock))
        os.execve(command[0], command, own_environment())  # noqa: S606 - itself, in a new process
    finally:
        os._exit(127)


def _only_lock(home: Path, lock: int) -> None:
    """Close what the caller had open: a pipe to it would not end while the keeper lives."""
    null = os.open(os.devnull, os.O_RDWR)
    log = open_log(home)
    for number, descriptor in enumerate((null, null, log)):
        os.dup2(descriptor, number)
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - only the names
        if int(name) > 2 and int(name) != lock:  # noqa: PLR2004 - beyond stdin, stdout and stderr
            with contextlib.suppress(OSError):
                os.close(int(name))


def open_log(home: Path) -> int:
    """Open the file for what goes wrong; a long one begins anew."""
    log = os.open(home / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.fstat(log).st_size > LOG_BYTES:
        os.ftruncate(log, 0)
    return log
