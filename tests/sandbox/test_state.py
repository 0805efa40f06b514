"""What a sandbox's state means, told by a stand-in for docker that knows one sandbox."""

import fcntl
import json
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trainsub import sandbox
from trainsub.cli.app import app
from trainsub.errors import SandboxError
from trainsub.places import Places
from trainsub.sandbox import SandboxSpec

DOCKER = """\
#!/bin/sh
cd {folder}
echo "$@" >>calls
case "$1 $3" in
"ps --filter") cat containers ;;
"inspect "*trainsub.state*) cat home ;;
"inspect "*trainsub.spec*) cat spec ;;
"inspect "*trainsub.port*) echo 2200 ;;
*) echo "$@: not in this test" >&2; exit 1 ;;
esac
"""


class Machine:
    """A machine on which docker knows one sandbox, or none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.home = self.state / "sandbox"
        self.spec = SandboxSpec(Places({"TRAINSUB_STATE_DIR": str(self.state)}).sandbox_name, nodes=1)
        (folder / "docker").write_text(DOCKER.format(folder=folder))
        (folder / "docker").chmod(0o755)
        (folder / "containers").touch()

    def start(self, *, whole: bool, state: str = "running") -> None:
        """Let docker know a sandbox."""
        lines = [f"{self.spec.name}-{host}\t{state}\n" for host in ("controller", "n1")]
        (self.folder / "containers").write_text("".join(lines))
        (self.folder / "home").write_text(str(self.home))
        (self.folder / "spec").write_text(json.dumps(asdict(self.spec)))
        self.home.mkdir(parents=True, exist_ok=True)
        if whole:
            (self.home / "ssh_config").touch()
            (self.home / "config.toml").touch()

    @property
    def calls(self) -> str:
        """What docker was asked."""
        file = self.folder / "calls"
        return file.read_text() if file.exists() else ""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The machine, with its docker on the PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("TRAINSUB_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TRAINSUB_CACHE_DIR", str(tmp_path / "cache"))
    return Machine(tmp_path)


def cli(*arguments: str) -> tuple[int, str, str]:
    """Run the command line here; exit code, stdout, stderr."""
    done = CliRunner().invoke(app, ["sandbox", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_a_sandbox_that_runs(machine: Machine) -> None:
    """All containers run, and the files that lead there are written."""
    machine.start(whole=True)
    info = sandbox.status(machine.home)
    assert info is not None
    assert (info.running, info.complete) == (True, True)
    assert cli("status")[0] == 0


def test_an_interrupted_up_does_not_run(machine: Machine) -> None:
    """Its containers may all run; nobody could get in."""
    machine.start(whole=False)
    info = sandbox.status(machine.home)
    assert info is not None
    assert (info.running, info.complete) == (False, False)
    code, said, _ = cli("status")
    assert code == 6
    assert "half started" in said
    assert "`trainsub sandbox up`" in said
    assert "`trainsub sandbox down`" in said
    code, said, _ = cli("status", "--json")
    assert (code, json.loads(said)["up"]) == (6, False)


def test_a_stopped_sandbox_is_no_half_started_one(machine: Machine) -> None:
    """It only needs to be started."""
    machine.start(whole=True, state="exited")
    info = sandbox.status(machine.home)
    assert info is not None
    assert (info.running, info.complete) == (False, True)
    code, said, _ = cli("status")
    assert (code, "half started" in said) == (6, False)


def test_the_second_of_two_ups_waits_and_finds_it_running(machine: Machine) -> None:
    """It says for what it waits, and asks docker for nothing meanwhile."""
    machine.home.mkdir(parents=True)
    said: list[str] = []
    waiting = threading.Event()
    found: list[sandbox.SandboxInfo] = []

    def tell(line: str) -> None:
        said.append(line)
        waiting.set()

    second = threading.Thread(target=lambda: found.append(sandbox.up(machine.spec, machine.home, tell)))
    with (machine.home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second.start()
        assert waiting.wait(10)
        assert said == ["another `sandbox up` is under way; waiting for it"]
        assert machine.calls == ""
        machine.start(whole=True)
    second.join(10)
    assert [info.already_there for info in found] == [True]
    assert said[1:] == ["the sandbox is already running: Slurm 24.11, 1 node"]


def test_a_state_directory_that_cannot_be_made_is_an_error(machine: Machine) -> None:
    """The words are ours."""
    machine.state.write_text("a file")
    with pytest.raises(SandboxError, match="state cannot be written"):
        sandbox.up(machine.spec, machine.home, lambda _: None)


def test_down_without_a_state_directory_makes_none(machine: Machine) -> None:
    """There is nobody to wait for."""
    with pytest.raises(SandboxError, match="not in this test"):
        sandbox.down(machine.home, lambda _: None)
    assert not machine.state.exists()


def test_another_sandbox_is_told_apart_in_words(machine: Machine) -> None:
    """What differs is said as a person would."""
    machine.start(whole=True)
    wanted = replace(machine.spec, nodes=2, gpus_per_node=4, slurm="26.05", mounts=(("/a", "/b"), ("/c", "/d")))
    with pytest.raises(SandboxError) as caught:
        sandbox.up(wanted, machine.home, lambda _: None)
    assert caught.value.message == (
        "another sandbox is there, with Slurm 24.11 and not Slurm 26.05; 1 node and not 2 nodes; "
        "8 GPUs per node and not 4 GPUs per node; no mounts and not --mount /a:/b --mount /c:/d"
    )
    with pytest.raises(SandboxError) as caught:
        sandbox.up(replace(machine.spec, lua=True, ssh_port=22), machine.home, lambda _: None)
    assert caught.value.message == (
        "another sandbox is there, with port 2200 and not port 22; comments left alone and not rewritten comments"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--slurm", "99"], ["--slurm 99", "22.05, 24.11, 26.05"]),
        (["--mount", "/nonexistent:/data"], ["--mount /nonexistent:/data", "there is no /nonexistent"]),
        (["--mount", "/a,b:/data"], ["comma"]),
        (["--mount", "data:/data"], ["absolute paths"]),
        (["--mount", "/usr:/data:ro"], ["read-only"]),
    ],
)
def test_what_cannot_be_is_refused_before_docker_is_asked(
    machine: Machine, arguments: list[str], words: list[str]
) -> None:
    """With exit code 2 and the option's name."""
    code, _, said = cli("up", *arguments)
    assert code == 2
    assert all(word in said for word in words)
    assert machine.calls == ""
