"""How the command ends while a thread is still at work in the background."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

BUSY = """
import sys, threading, time
from trainsub.cli.app import run
threading.Thread(target=time.sleep, args=(30,)).start()
sys.argv = ["trainsub", *sys.argv[1:]]
run()
"""


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["render", "missing.toml"], 3), (["--nonsense"], 2)])
def test_it_ends_at_once_with_its_own_exit_code(words: list[str], code: int) -> None:
    """Python itself would wait for the thread, or abort if it is a daemon inside a native library."""
    begun = time.monotonic()
    said = subprocess.run([sys.executable, "-c", BUSY, *words], capture_output=True, text=True, timeout=60, check=False)
    assert time.monotonic() - begun < 20
    assert said.returncode == code, said
    assert (said.stdout + said.stderr).strip()


def test_what_cannot_be_printed_is_noticed() -> None:
    """What was printed last is written out before the end, and a full disk has its exit code."""
    begun = time.monotonic()
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(
            [sys.executable, "-c", BUSY, "config", "path"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert time.monotonic() - begun < 20
    assert said.returncode == 1
    assert "Traceback" not in said.stderr
    assert "No space left" in said.stderr
