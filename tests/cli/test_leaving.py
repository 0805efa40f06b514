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


@pytest.mark.parametrize("words", [["--help"], ["submit", "--help"], ["--version"]])
def test_help_that_cannot_be_printed(words: list[str]) -> None:
    """The help is written before any verb runs; a full disk has the same words and exit code there."""
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(
            [sys.executable, "-m", "trainsub", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert said.returncode == 1
    assert said.stderr == "error: the output cannot be written: No space left on device\n"


INTERRUPTED_IN = """
import os, signal, sys
here = sys.argv.pop(1)
class Finder:
    def find_spec(self, name, path, target=None):
        if name == here:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
import trainsub.cli
trainsub.cli.main()
"""


@pytest.mark.parametrize("module", ["trainsub.cli.app", "typer", "inspect", "trainsub.cli.usage"])
def test_an_early_interrupt_ends_quietly(module: str) -> None:
    """While the command still loads what it needs, Ctrl-C is no traceback, whatever is being imported."""
    program = [sys.executable, "-c", INTERRUPTED_IN, module, "--help"]
    said = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (130, "")


def test_output_that_nobody_gets_is_noticed() -> None:
    """A closed stdout is one that cannot be written; a closed stderr keeps nobody from anything."""
    closed = [sys.executable, "-m", "trainsub", "config", "path"]
    said = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *closed], stderr=subprocess.PIPE, text=True, check=False)
    assert said.returncode == 1
    assert said.stderr.startswith("error: the output cannot be written: ")
    assert "Traceback" not in said.stderr
    assert (
        subprocess.run(["sh", "-c", '"$@" 2>&-', "sh", *closed], stdout=subprocess.DEVNULL, check=False).returncode == 0
    )
