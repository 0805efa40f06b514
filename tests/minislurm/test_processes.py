import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from trainsub.minislurm import processes, spawning

LINUX = Path("/proc/self/stat").exists()
OURS = f"a mark of {os.getpid()}"
"""Other processes of these tests may run beside this one."""


@pytest.fixture(autouse=True, params=["proc", "ps"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Both ways to look at processes."""
    if request.param == "ps":
        monkeypatch.setenv(processes.PORTABLE, "1")
    elif not LINUX:
        pytest.skip("there is no /proc here")
    processes.by_proc.cache_clear()
    yield request.param
    processes.by_proc.cache_clear()


@pytest.fixture
def family() -> Iterator[subprocess.Popen[bytes]]:
    """A shell with a child and a grandchild, in a session and with a mark of its own."""
    script = "sh -c 'sleep 60 & echo; wait' & wait"
    with subprocess.Popen(
        ["sh", "-c", script],
        stdout=subprocess.PIPE,
        env={**os.environ, processes.MARK: OURS},
        start_new_session=True,
    ) as shell:
        assert shell.stdout is not None
        shell.stdout.readline()
        end = time.monotonic() + 10
        while not any(processes.command(pid)[:1] == ["sleep"] for pid in _below(shell)) and time.monotonic() < end:
            time.sleep(0.01)
        yield shell
        os.killpg(shell.pid, signal.SIGKILL)


def _below(shell: subprocess.Popen[bytes]) -> set[int]:
    return processes.below(shell.pid, lambda _: False)


def test_a_process_is_known_again_and_no_other_is_taken_for_it(family: subprocess.Popen[bytes]) -> None:
    """By its number, when it started, and the boot of the machine."""
    found = processes.identity(family.pid)
    assert found is not None
    assert processes.lives(found)
    assert not processes.lives(replace(found, started="at another time"))
    assert not processes.lives(replace(found, boot="another boot"))
    family.kill()
    end = time.monotonic() + 10
    # A zombie is as good as gone.
    while processes.lives(found) and time.monotonic() < end:
        time.sleep(0.01)
    assert not processes.lives(found)
    assert processes.command(2**22 + 1) == []


def test_what_is_below_a_process(family: subprocess.Popen[bytes]) -> None:
    """Children and theirs, and not what is left out with all that is below it."""
    below = processes.below(family.pid, lambda _: False)
    assert [processes.command(pid)[0] for pid in sorted(below)] == ["sh", "sleep"]
    (child,) = processes.children(family.pid)
    assert processes.below(family.pid, lambda pid: pid == child) == set()
    assert processes.table()[child].parent == family.pid
    assert processes.children(2**22 + 1) == set()


def test_processes_are_found_by_a_variable(family: subprocess.Popen[bytes]) -> None:
    """That they started with, not by a part of its value."""
    below = processes.below(family.pid, lambda _: False)
    assert processes.marked(processes.MARK, OURS) == {family.pid, *below}
    assert processes.marked(processes.MARK, OURS[:-1]) == set()


def test_all_are_killed_even_if_they_are_deaf(family: subprocess.Popen[bytes]) -> None:
    """And what they start meanwhile."""
    assert processes.kill_all(lambda: processes.below(family.pid, lambda _: False))
    assert processes.below(family.pid, lambda _: False) == set()
    assert not processes.kill_all(lambda: {2**22 + 1}, give_up=0)


def test_a_stopped_process_hears_a_signal(family: subprocess.Popen[bytes]) -> None:
    """It is woken up."""
    os.kill(family.pid, signal.SIGSTOP)
    processes.wake([2**22 + 1, family.pid], signal.SIGTERM)
    assert family.wait(10) == -signal.SIGTERM


def start(program: str, **changes: object) -> int:
    """Start a shell script that writes to our standard output."""
    values = {
        "path": "/bin/sh",
        "arguments": ("sh", "-c", program),
        "environment": {"GIVEN": "this"},
        "folder": "/",
        "umask": 0o027,
        "files": (0, 1, 2),
        **changes,
    }
    return spawning.spawn(spawning.Program(**values))  # type: ignore[arg-type]


def ended(pid: int) -> int:
    """Return the exit code of a child."""
    end = time.monotonic() + 10
    while pid not in processes.reap() and time.monotonic() < end:
        time.sleep(0.01)
    return os.waitstatus_to_exitcode(processes.reap()[pid])


def test_a_program_gets_what_it_was_given_and_nothing_else(tmp_path: Path) -> None:
    """Its own session, default signals, its files, and its own number in a variable."""
    out = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    null = os.open(os.devnull, os.O_RDWR)
    inherited = os.open(os.devnull, os.O_RDWR)
    os.set_inheritable(inherited, True)
    program = 'pwd; umask; echo "$GIVEN $((SLURM_TASK_PID == $$)) ${HOME-no}"; ls /dev/fd | wc -l; ps -o pgid= -p $$'
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    pid = start(program + "; kill -USR2 $$", files=(null, out, out))
    assert ended(pid) == -signal.SIGUSR2
    signal.signal(signal.SIGUSR2, signal.SIG_DFL)
    for one in (out, null, inherited):
        os.close(one)
    folder, umask, variables, files, group = (tmp_path / "out").read_text().split("\n")[:5]
    assert (folder, umask, variables, int(group)) == ("/", "0027", "this 1 no", pid)
    assert int(files) <= 4  # what ls itself opens is among them


@pytest.mark.parametrize(("path", "folder", "why"), [("/no/such", "/", 2), ("/bin/sh", "/no/such", 2), ("/", "/", 13)])
def test_what_cannot_be_started_is_told(path: str, folder: str, why: int) -> None:
    """As the system says."""
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is what matters
        start("", path=path, folder=folder)
    assert caught.value.errno == why


@pytest.mark.skipif(not LINUX, reason="the system cannot do that")
def test_a_program_dies_with_who_started_it(way: str) -> None:
    """On Linux."""
    if way != "proc":
        pytest.skip("only where the system can do that")
    code = (
        "from trainsub.minislurm.spawning import Program, spawn\n"
        "import os, sys\n"
        "print(spawn(Program('/bin/sleep', ('sleep', '60'), {}, '/', 0, (0, 1, 2))), flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = processes.identity(int(parent.stdout.readline()))
        assert child is not None
        assert processes.lives(child)
        parent.kill()
    end = time.monotonic() + 10
    while processes.lives(child) and time.monotonic() < end:
        time.sleep(0.01)
    assert not processes.lives(child)
