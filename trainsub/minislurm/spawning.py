"""Starts programs of jobs: alone in their session, with what they were given and nothing else."""

import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from trainsub.minislurm import processes


@dataclass(frozen=True, slots=True)
class Program:
    """What is to be started.

    Attributes:
        path: The file.
        arguments: With its own name first.
        environment: All of it.
        folder: Working directory.
        umask: Of its process.
        files: Descriptors for standard input, output and error.
        outlives: It stays when the caller dies.
    """

    path: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    umask: int
    files: tuple[int, int, int]
    outlives: bool = False


def spawn(program: Program) -> int:
    """Start it; it is killed when the caller dies, unless it outlives it.

    Returns:
        Its process number.

    Raises:
        OSError: It cannot be started.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    processes.prepare()
    hears, tells = os.pipe()
    parent = os.getpid()
    blocked = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _become(program, parent, tells)
    except OSError:
        os.close(hears)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        os.close(tells)
    processes.forget(pid)
    with os.fdopen(hears, "rb") as pipe:
        said = pipe.read()
    if said:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        number = int(said)
        raise OSError(number, os.strerror(number), program.path)
    return pid


def _become(program: Program, parent: int, tells: int) -> NoReturn:
    """Be the program, in the child; what goes wrong is told through the pipe, which exec closes."""
    code = 0
    try:
        os.setsid()
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        if not program.outlives:
            processes.die_with(parent)
        _take_files(program.files, tells)
        os.umask(program.umask)
        os.chdir(program.folder)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        own = {} if program.outlives else {"SLURM_TASK_PID": str(os.getpid())}
        os.execve(program.path, list(program.arguments), {**program.environment, **own})  # noqa: S606 - the job's own
    except OSError as error:
        code = error.errno or 1
    except BaseException:  # noqa: BLE001 - the child must not go on as a second parent
        code = 1
    os.write(tells, str(code).encode())
    os._exit(127)


def _take_files(files: tuple[int, int, int], tells: int) -> None:
    # First out of the way, so that none is overwritten before its turn.
    high = [os.dup(one) for one in files]
    while min(high) <= 2:  # noqa: PLR2004 - standard error
        high = [os.dup(one) for one in high]
    for number, descriptor in enumerate(high):
        os.dup2(descriptor, number)
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - only the names
        if int(name) > 2 and int(name) != tells:  # noqa: PLR2004
            with contextlib.suppress(OSError):
                os.close(int(name))
