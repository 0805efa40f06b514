"""What the README promises of a fresh clone: its two commands, in an empty directory, with an empty home.

What is cloned is the last commit; what is not committed yet is not tested here.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from docs.demo import stopped_in_the_middle
from docs.pages import ROOT, blocks

README = ROOT / "README.md"
ENDS = ("2 nodes", "finished at step 200", "COMPLETED", "GPU-SECONDS", "EUR", "What you may try next")
NOBODY = 65534

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no clone, so there is nothing to clone"),
    pytest.mark.xdist_group("agents"),
]


def command(name: str) -> str:
    """The command, exactly as the README prints it."""
    shown = next(block.text for block in blocks(README) if block.not_run and "make demo" in block.text)
    found = re.search(rf"^({name})( +#.*)?$", shown, re.MULTILINE)
    assert found, f"the README has no {name}"
    return found[1]


class Clone:
    """A fresh clone and an empty home, of one user.

    Args:
        folder: An empty folder that the user can reach.
        user: The user's number; None for whoever runs the tests.
    """

    def __init__(self, folder: Path, user: int | None = None) -> None:
        self.folder = folder / "trainsub"
        self.user = user
        home, cache = folder / "home", folder / "home" / ".cache" / "pip"
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", ROOT, self.folder], check=True)
        kept = {
            key: os.environ[key] for key in os.environ if key.endswith(("_CERT_FILE", "_CA_BUNDLE", "_proxy", "_PROXY"))
        }
        path = os.environ["PATH"]
        if user is None:
            # Downloads are shared: they are the network's part, not the clone's.
            cache = Path(os.environ.get("PIP_CACHE_DIR") or Path.home() / ".cache" / "pip")
        else:
            path = "/usr/local/bin:/usr/bin:/bin"
            for one in (home, self.folder):
                subprocess.run(["chown", "-R", f"{user}:{user}", one], check=True)
        (folder / "pip.conf").write_text(pip_settings())
        self.env = {
            **kept,
            "PATH": path,
            "HOME": str(home),
            "PIP_CONFIG_FILE": str(folder / "pip.conf"),
            "PIP_CACHE_DIR": str(cache),
            "TERM": "xterm",
        }

    def start(self, line: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Type a line in the clone."""
        start = (
            [] if self.user is None else ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]
        )
        return subprocess.Popen(
            [*start, "sh", "-c", line],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def type(self, line: str, env: Mapping[str, str] | None = None) -> tuple[str, float]:
        """Type a line, and wait for its good end; what it printed, and the seconds that it took."""
        begun = time.monotonic()
        process = self.start(line, env)
        try:
            said, _ = process.communicate(timeout=1200)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert process.returncode == 0, said
        return said, time.monotonic() - begun

    def queue(self) -> str:
        """The jobs that the demo has left, ended ones too."""
        program = self.folder / "build" / "demo" / "state" / "minislurm" / "bin" / "squeue"
        return subprocess.run([program, "-h", "-o", "%i %T"], capture_output=True, text=True, check=True).stdout


def pip_settings() -> str:
    """What pip is told here, wherever that is written; so that an empty home does not change where packages are."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    found = re.findall(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", listed.stdout, re.MULTILINE)
    return "[global]\n" + "".join(f"{key} = {value}\n" for key, value in dict(found).items() if key != "cache-dir")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can reach."""
    made = Path(tempfile.mkdtemp(prefix="trainsub-clone-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def test_the_demo_of_a_fresh_clone(folder: Path) -> None:
    """From nothing to the bill; the second time nothing is installed; stopped in the middle, it leaves no job."""
    clone = Clone(folder)
    line = command("make demo")
    first, slow = clone.type(line)
    assert "setup: installing trainsub" in first
    for words in ENDS:
        assert words in first, first
    assert "\x1b" not in first
    # pip is not even started: there is none.
    shutil.rmtree(next((folder / "trainsub" / "build" / "demo" / "venv").glob("lib/python3*/site-packages/pip")))
    second, quick = clone.type(line)
    assert "setup:" not in second
    for words in ENDS:
        assert words in second, second
    assert quick < min(60, slow)
    _stop_in_the_middle(clone, line)


def _stop_in_the_middle(clone: Clone, line: str) -> None:
    before = clone.queue()
    for number in (signal.SIGINT, signal.SIGTERM):
        stopped_in_the_middle(clone.start(line), number)
    assert {one.split()[1] for one in clone.queue().splitlines()} <= {"COMPLETED", "CANCELLED"}, before


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="only root can be somebody else")
def test_the_demo_as_an_ordinary_user(folder: Path) -> None:
    """Without root, in a home of their own."""
    clone = Clone(folder, NOBODY)
    look = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
    python = clone.start(f"python3 -c '{look}'")
    python.communicate()
    if python.returncode != 0 and os.environ.get("CI") != "true":
        pytest.skip("AN ORDINARY USER HAS NO PYTHON 3.11 WITH venv HERE, so `make demo` was not run as one")
    said, _ = clone.type(command("make demo"))
    for words in ENDS:
        assert words in said, said


@pytest.mark.cluster
def test_make_test_of_a_fresh_clone(folder: Path) -> None:
    """The set-up, the gates and all steps; of the tests, which would be these, a few."""
    clone = Clone(folder)
    line = command("make test")
    assert f"\n{line}\n" in (ROOT / ".ci" / "run").read_text()
    env = {"TESTS": "tests/ledger", "CI": os.environ.get("CI", "")}
    first, _ = clone.type(line, env)
    assert "setup: building the wheel" in first
    assert "Contracts:" in first
    assert " passed" in first
    again, _ = clone.type("make setup")
    assert "building the wheel" not in again
