"""``timeout``, for machines that have none: ``timeout [-k SECONDS] SECONDS COMMAND…``; exit codes as in coreutils."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from trainsub.minislurm.options import Option, OptionError, parse

TIMED_OUT, FAILED, CANNOT_RUN, NOT_FOUND = 124, 125, 126, 127

_OPTIONS = (Option("kill-after", "k"), Option("signal", "s"))
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def main(_: Path, words: Sequence[str]) -> int:
    """Run a command for so long at most.

    Returns:
        Its exit code, 124 if it was ended, 137 if it was killed.
    """
    try:
        parsed = parse(words, _OPTIONS, stop_at_operand=True)
        limit, program, *arguments = parsed.operands
        seconds, grace = _seconds(limit), _seconds(parsed.last("kill-after") or "0")
        first = _signal(parsed.last("signal") or "TERM")
    except (OptionError, ValueError, KeyError):
        sys.stderr.write("timeout: usage: timeout [-k SECONDS] [-s SIGNAL] SECONDS COMMAND [ARGUMENTS]\n")
        return FAILED
    # A group of its own, so that all of the command can be told; the leader of a session has one already.
    with contextlib.suppress(PermissionError):
        os.setpgid(0, 0)
    # Handlers, unlike signals that are ignored, do not pass to the command.
    for number in (signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, lambda *_: None)
    # Signals may come before the command is known.
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, lambda received, _: _tell(started[0], received) if started else early.append(received))
    try:
        child = subprocess.Popen([program, *arguments])  # noqa: S603 - whatever the caller wants to run
    except OSError as error:
        sys.stderr.write(f"timeout: {program}: {error.strerror}\n")
        return NOT_FOUND if isinstance(error, FileNotFoundError) else CANNOT_RUN
    started.append(child)
    for received in early:
        _tell(child, received)
    return _watch(child, seconds, grace, first)


def _watch(child: subprocess.Popen[bytes], seconds: float, grace: float, first: int) -> int:
    try:
        return _code(child.wait(seconds or None))
    except subprocess.TimeoutExpired:
        _tell(child, first)
    try:
        child.wait(grace or None)
    except subprocess.TimeoutExpired:
        # This process is of the group, too: it ends as the command does, and that is the answer.
        os.killpg(0, signal.SIGKILL)
    return TIMED_OUT if first != signal.SIGKILL else 128 + signal.SIGKILL


def _tell(child: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the command and to what it started."""
    child.send_signal(number)
    was = signal.signal(number, signal.SIG_IGN) if number != signal.SIGKILL else None
    os.killpg(0, number)
    if was is not None:
        signal.signal(number, was)


def _code(returned: int) -> int:
    return returned if returned >= 0 else 128 - returned


def _seconds(text: str) -> float:
    number, unit = (text[:-1], _UNITS[text[-1]]) if text and text[-1].isalpha() else (text, 1)
    value = float(number) * unit
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


def _signal(text: str) -> int:
    if text.isdecimal():
        return signal.Signals(int(text))
    return signal.Signals[f"SIG{text.upper().removeprefix('SIG')}"]
