import hashlib
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from minislurm.made import MAIN, Said, call, own


@pytest.mark.parametrize(
    "program", ["own", pytest.param("coreutils", marks=pytest.mark.skipif(not shutil.which("timeout"), reason="none"))]
)
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["5", "true"], 0),
        (["5", "sh", "-c", "exit 3"], 3),
        (["5", "sh", "-c", "kill -9 $$"], 137),
        (["5", "sh", "-c", "kill -15 $$"], 143),
        (["0.2", "sleep", "20"], 124),
        (["0.2s", "sleep", "20"], 124),
        (["-k", "5", "0.2", "sleep", "20"], 124),
        (["-k", "0.2", "0.2", "sh", "-c", "trap '' TERM; sleep 20"], 137),
        (["-s", "KILL", "0.2", "sleep", "20"], 137),
        (["--signal=INT", "0.2", "sh", "-c", "trap 'exit 5' INT; sleep 1 & wait"], 124),
        (["5", "no-such-program"], 127),
        (["5", "/etc/passwd"], 126),
        (["0", "true"], 0),
        (["x", "true"], 125),
        (["5"], 125),
        (["--colour", "5", "true"], 125),
    ],
)
def test_timeout_ends_as_that_of_coreutils(tmp_path: Path, program: str, words: list[str], code: int) -> None:
    """The same codes from both, as a shell sees them."""
    said = own(tmp_path, "timeout", *words) if program == "own" else call("timeout", *words)
    assert (said.code if said.code >= 0 else 128 - said.code, said.out) == (code, "")


def test_timeout_ends_all_of_it(tmp_path: Path) -> None:
    """Also what the command started, and it does not wait for it."""
    begun = time.monotonic()
    child = tmp_path / "child"
    said = own(tmp_path, "timeout", "0.5", "sh", "-c", f"sleep 31 >/dev/null 2>&1 & echo $! >{child}; wait")
    assert said.code == 124
    assert time.monotonic() - begun < 5
    # Nobody may have fetched its exit code yet.
    assert call("ps", "-o", "stat=", "-p", child.read_text().strip()).out[:1] in {"", "Z"}


def test_timeout_hands_a_signal_on(tmp_path: Path) -> None:
    """As when a session ends."""
    words = [sys.executable, "-I", str(MAIN), str(tmp_path), "timeout", "20", "sh", "-c"]
    with subprocess.Popen(
        [*words, "trap 'exit 7' TERM; echo ready; sleep 20 & wait"], stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait(5) == 7


def test_timeout_keeps_the_input(tmp_path: Path) -> None:
    """And the output."""
    said = call(sys.executable, "-I", MAIN, tmp_path, "timeout", "5", "cat", stdin=b"hello")
    assert said == Said(0, "hello", "")


def test_sha256sum(tmp_path: Path) -> None:
    """Of files and of standard input, as coreutils prints it."""
    (tmp_path / "a b").write_bytes(b"\xff" * 3_000_000)
    sums = hashlib.sha256(b"\xff" * 3_000_000).hexdigest(), hashlib.sha256(b"hello").hexdigest()
    path = str(tmp_path / "a b")
    assert own(tmp_path, "sha256sum", path) == Said(0, f"{sums[0]}  {path}\n", "")
    for words in ([], ["-"]):
        said = call(sys.executable, "-I", MAIN, tmp_path, "sha256sum", *words, stdin=b"hello")
        assert said == Said(0, f"{sums[1]}  -\n", "")


def test_sha256sum_of_nothing(tmp_path: Path) -> None:
    """What can be read is told all the same."""
    (tmp_path / "file").write_bytes(b"hello")
    said = own(tmp_path, "sha256sum", str(tmp_path / "none"), str(tmp_path / "file"))
    assert said.code == 1
    assert said.out == f"{hashlib.sha256(b'hello').hexdigest()}  {tmp_path}/file\n"
    assert said.err == f"sha256sum: {tmp_path}/none: No such file or directory\n"
    assert own(tmp_path, "sha256sum", "--check").code == 1
