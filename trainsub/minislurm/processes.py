"""Processes of this machine: who they are, whose children, and how they end, without exception.

On Linux by ``/proc`` and ``prctl``; elsewhere, and where ``MINISLURM_PORTABLE`` is set, by ``ps``.
"""

import contextlib
import ctypes
import functools
import os
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import NamedTuple

from trainsub.minislurm.values import Process

PORTABLE = "MINISLURM_PORTABLE"
MARK = "MINISLURM_JOB"
STEP_MARK = "MINISLURM_STEP"
GIVE_UP_SECONDS = 10.0
"""A process that no KILL ends by then is stuck in the system, and beyond anybody's reach."""

_PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class Entry(NamedTuple):
    """A living process.

    Attributes:
        pid: Its number.
        parent: Its parent's number.
        group: Its process group.
        session: Its session; 0 where the system does not tell.
        started: When it started, in the system's own words.
    """

    pid: int
    parent: int
    group: int
    session: int
    started: str


@functools.cache
def by_proc() -> bool:
    """Whether the system has what Linux has."""
    return PORTABLE not in os.environ and (_PROC / "self" / "stat").exists()


def table() -> dict[int, Entry]:
    """Return all processes that live; a zombie does not."""
    if not by_proc():
        words = _output("ps", "-A", "-o", "pid=,ppid=,pgid=,stat=,lstart=")
        return {entry.pid: entry for entry in map(_of_ps, words.splitlines()) if entry is not None}
    entries = (_of_proc(int(name)) for name in os.listdir(_PROC) if name.isdigit())  # noqa: PTH208 - only the names
    return {entry.pid: entry for entry in entries if entry is not None}


def entry(pid: int) -> Entry | None:
    """Return a process if it lives."""
    if by_proc():
        return _of_proc(pid)
    return _of_ps(_output("ps", "-o", "pid=,ppid=,pgid=,stat=,lstart=", "-p", str(pid)))


@functools.cache
def boot() -> str:
    """Return a word that is another one after the machine has started anew."""
    try:
        word = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # Not kern.boottime, which moves when the clock is set.
        return _output("sysctl", "-n", "kern.bootsessionuuid").strip()
    # A container that is started anew counts its processes from 1 again, on a machine that was not.
    first, space = _of_proc(1), ""
    with contextlib.suppress(OSError):
        space = os.readlink(_PROC / "self/ns/pid")  # noqa: PTH115 - no path
    return f"{word} {space} {first.started if first else ''}"


def identity(pid: int) -> Process | None:
    """Return who a process is, if it lives."""
    found = entry(pid)
    return None if found is None else Process(pid, found.started, boot())


def lives(process: Process) -> bool:
    """Whether it is still that very process."""
    return process.boot == boot() and process == identity(process.pid)


def children(pid: int) -> set[int]:
    """Return the children of a process that live."""
    if by_proc() and _tells_children():
        try:
            tasks = os.listdir(_PROC / str(pid) / "task")  # noqa: PTH208 - only the names
        except OSError:
            return set()
        return {one for task in tasks for one in _of_task(pid, task)}
    return {one.pid for one in table().values() if one.parent == pid}


@functools.cache
def _tells_children() -> bool:
    """Whether the kernel is one that lists them."""
    return (_PROC / "self" / "task" / str(os.getpid()) / "children").exists()


def below(pid: int, stop: Callable[[int], bool]) -> set[int]:
    """Return the children of a process and theirs.

    Args:
        pid: The process.
        stop: Says of one whether it, and what is below it, is left out.
    """
    found: set[int] = set()
    todo = [pid]
    while todo:
        new = {child for child in children(todo.pop()) if child not in found and not stop(child)}
        found |= new
        todo += new
    return found


def command(pid: int) -> list[str]:
    """Return the words with which a process was started, nothing if it is gone."""
    if by_proc():
        try:
            return os.fsdecode((_PROC / str(pid) / "cmdline").read_bytes()).split("\0")[:-1]
        except OSError:
            return []
    # Without a way to tell blanks apart.
    return _output("ps", "-ww", "-o", "command=", "-p", str(pid)).split()


def marked(name: str, value: str) -> set[int]:
    """Return the processes whose environment, as they started, had the variable."""
    if by_proc():
        word = f"{name}={value}".encode()
        return {int(pid) for pid in os.listdir(_PROC) if pid.isdigit() and word in _environment(pid)}  # noqa: PTH208
    text = f" {name}={value} "
    lines = (line for line in _output("ps", "axeww", "-o", "pid=,command=").splitlines() if text in f"{line} ")
    return {int(line.split(None, 1)[0]) for line in lines} - {os.getpid()}


def signal_all(pids: Iterable[int], number: int) -> None:
    """Send a signal to processes; those that are gone are passed over."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def kill_all(find: Callable[[], set[int]], *, give_up: float = GIVE_UP_SECONDS) -> bool:
    """Kill what is found until nothing is found any more.

    Args:
        find: Looks for the processes; zombies do not count.
        give_up: Seconds after which it is left.

    Returns:
        Whether nothing is left.
    """
    end = time.monotonic() + give_up
    pause = 0.002
    while True:
        # Stopped first: what is stopped can start no other.
        stopped: set[int] = set()
        while new := find() - stopped:
            signal_all(new, SIGSTOP)
            stopped |= new
        if not stopped:
            return True
        signal_all(stopped, SIGKILL)
        if time.monotonic() > end:
            return False
        reap()
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def wake(pids: Iterable[int], number: int) -> None:
    """Send a signal that also reaches processes that were stopped; parents hear of it before their children."""
    pids = sorted(pids)
    signal_all(pids, number)
    signal_all(pids, SIGCONT)


_ended: dict[int, int] = {}


def forget(pid: int) -> None:
    """A new child has this number: what was known of a former one is no more."""
    _ended.pop(pid, None)


def reap() -> dict[int, int]:
    """Take the statuses of children that ended.

    Returns:
        All that ended so far: process numbers and wait statuses.
    """
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return _ended
        if pid == 0:
            return _ended
        _ended[pid] = status


def adopt_orphans() -> None:
    """Become the parent of what descendants leave behind, where the system can do that."""
    if by_proc():
        _libc().prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(parent: int) -> None:
    """Be killed when the parent ends, where the system can do that; for a child just forked."""
    if by_proc():
        _libc().prctl(_PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(127)


def hear_of_death(parent: int, number: int) -> None:
    """Get a signal when the parent ends, where the system can do that; it may have ended before."""
    if by_proc():
        _libc().prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)


def prepare() -> None:
    """Load what a child needs between fork and exec, where nothing should be loaded any more."""
    if by_proc():
        _libc()


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _of_proc(pid: int) -> Entry | None:
    try:
        # The name, in parentheses, may hold anything.
        words = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    if not words or words[0] in b"ZXx":
        return None
    return Entry(pid, int(words[1]), int(words[2]), int(words[3]), words[19].decode())


def _of_task(pid: int, task: str) -> list[int]:
    try:
        text = (_PROC / str(pid) / "task" / task / "children").read_bytes()
    except OSError:
        return []  # a thread that has just ended
    return [child for child in map(int, text.split()) if _of_proc(child) is not None]


def _of_ps(line: str) -> Entry | None:
    words = line.split(None, 4)
    if len(words) < 5 or words[3].startswith("Z"):  # noqa: PLR2004 - as asked for
        return None
    return Entry(int(words[0]), int(words[1]), int(words[2]), 0, words[4].strip())


def _environment(pid: str) -> list[bytes]:
    try:
        return (_PROC / pid / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _output(*command: str) -> str:
    """Return what a command of the system prints, without the lines about itself."""
    environment = {"LC_ALL": "C", "TZ": "UTC0", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
    with subprocess.Popen(  # noqa: S603 - the system's own
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        text = (process.stdout.read() if process.stdout is not None else b"").decode(errors="replace")
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if line.split(None, 1)[:1] != [str(process.pid)])
