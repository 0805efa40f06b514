"""Waits for time to pass, a child to end, a signal to come or a descriptor to be ready, whichever is first."""

import functools
import os
import select
import signal
from collections.abc import Collection, Iterable

_came: list[int] = []


def hear(numbers: Iterable[int]) -> None:
    """Let signals wake ``wait`` up, and do nothing else."""
    for number in {*numbers, signal.SIGCHLD}:
        signal.signal(number, _note)


def _note(number: int, _frame: object) -> None:
    if number != signal.SIGCHLD:
        _came.append(number)


def came() -> list[int]:
    """Return the signals that came since the last call, without those of children, in order."""
    found = list(_came)
    _came.clear()
    return found


def wait(seconds: float, readable: Collection[int] = (), writable: Collection[int] = ()) -> tuple[set[int], set[int]]:
    """Return the descriptors that are ready, none if something else came first."""
    hears = _pipe()
    poll = select.poll()  # not select(), which fails beyond 1024 open files
    for descriptor in {hears, *readable, *writable}:
        wanted = (select.POLLOUT if descriptor in writable else 0) | (0 if descriptor in writable else select.POLLIN)
        poll.register(descriptor, wanted)
    ready = {descriptor for descriptor, _ in poll.poll(max(0.0, seconds) * 1000)}
    if hears in ready:
        while _read(hears):
            pass
    return ready & set(readable), ready & set(writable)


def renew() -> None:
    """Forget the pipe of the process that this one was forked from."""
    _pipe.cache_clear()
    _came.clear()
    _pipe()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b""


@functools.cache
def _pipe() -> int:
    """Make the pipe through which Python tells of signals; a signal just before ``select`` is not missed."""
    hears, tells = os.pipe()
    os.set_blocking(hears, False)
    os.set_blocking(tells, False)
    signal.set_wakeup_fd(tells, warn_on_full_buffer=False)
    return hears
