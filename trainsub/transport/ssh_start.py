"""Starts an ssh that goes into the background once it has logged in; bounded, and holding none of our streams."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence

_KEPT = 8000


def start_without_questions(argv: Sequence[str], timeout: float) -> tuple[int, str]:
    """Run ssh where it can ask nobody: no terminal, no askpass program.

    Returns:
        Its exit status, and what it said; one that was not done in ``timeout`` seconds is killed, and that is said.
    """
    quiet = {"SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}  # C: its words are looked at
    environ = {key: value for key, value in os.environ.items() if key != "SSH_ASKPASS"} | quiet
    with tempfile.TemporaryFile() as words:
        # A file, not a pipe: the master may keep it open for hours, and whoever waited for its end would wait as long.
        process = subprocess.Popen(  # noqa: S603 - a list of words, and the host cannot be an option
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=words,
            env=environ,
            cwd="/",
            start_new_session=True,  # no terminal to ask on; and Ctrl-C does not reach it
        )
        late = ""
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            _kill(process)
            status = process.returncode
            late = f"\ntimed out after {timeout:g} s"
        except BaseException:
            _kill(process)
            raise
        words.seek(0)
        return status, (words.read(_KEPT).decode(errors="replace") + late).strip()


def start_at_the_terminal(argv: Sequence[str]) -> int:
    """Run ssh where it can ask the person, on the terminal; what it says is shown there, as it comes.

    Returns:
        Its exit status.
    """
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, cwd="/")  # noqa: S603 - a list of words, as above
    try:
        return process.wait()
    except BaseException:
        # Ctrl-C: ssh has got it, too, and gives the terminal its echo back.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
        process.kill()
        process.wait()
        raise


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End ssh and what it started: its session is its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
