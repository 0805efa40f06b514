"""A user's machine with trainsub on it: the command line as people call it, and the library, on one configuration."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clusters import SlurmCluster

from trainsub import Client
from trainsub.config import Layer, Settings, parse_toml, resolve
from trainsub.places import Places

CLUSTER = "hpc"
GPU_HOUR = "3600.00"
"""The price: one GPU-second costs 1.00, so that a bill can be read."""


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def ok(self) -> "Said":
        """Fail unless it ended well."""
        assert self.code == 0, self
        return self

    @property
    def document(self) -> Any:
        """Its ``--json`` document."""
        return json.loads(self.out)

    @property
    def run(self) -> dict[str, Any]:
        """The only run in its document."""
        (run,) = self.document["runs"]
        return dict(run)


class UserMachine:
    """A user's machine with trainsub on it: a home with a configuration, and a store and a cache of its own.

    Args:
        home: A folder for it.
    """

    timeout = 150.0
    """Seconds that a command may take."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.state = home / "state"
        self.path = os.environ["PATH"]
        home.mkdir(parents=True, exist_ok=True)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of commands; nothing of the machine that runs the tests but PATH."""
        return {
            "PATH": self.path,
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "TRAINSUB_CONFIG": str(self.home / "config.toml"),
            "TRAINSUB_STATE_DIR": str(self.state),
            "TRAINSUB_CACHE_DIR": str(self.home / "cache"),
        }

    def start(self, *words: str | Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start ``trainsub WORDS``."""
        return subprocess.Popen(
            [sys.executable, "-m", "trainsub", *map(str, words)],
            cwd=self.home,
            env={**self.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str | Path, env: Mapping[str, str] | None = None, timeout: float | None = None) -> Said:
        """Run ``trainsub WORDS`` to its end."""
        return finish(self.start(*words, env=env), timeout or self.timeout)

    def submit(self, *words: str | Path) -> dict[str, Any]:
        """Submit, and return the run's document."""
        return self.run("submit", *words, "--json").ok().run

    def status(self, run: str) -> dict[str, Any]:
        """The run's document as asked now."""
        return self.run("status", run, "--json").ok().run


class Laptop(UserMachine):
    """One user's machine: a home, a configuration with one cluster, a store and a cache of its own.

    Args:
        home: An empty folder.
        cluster: The cluster; it is configured as ``hpc``.
        user: Whose account is used there.
        root: ``remote_root``; by default a fresh one.
        keys: More keys of [clusters.hpc], as TOML.
    """

    def __init__(
        self, home: Path, cluster: SlurmCluster, *, user: str = "alice", root: str | None = None, keys: str = ""
    ) -> None:
        super().__init__(home)
        self.cluster = cluster
        self.user = user
        self.root = root or f"/home/{user}/t-{uuid.uuid4().hex[:8]}"
        self.configure(keys)

    def configure(self, keys: str = "", *, host: str | None = None, ssh_config: Path | None = None) -> None:
        """Write the configuration anew."""
        (self.home / "config.toml").write_text(
            f"[clusters.{CLUSTER}]\n"
            f"host = {json.dumps(host or self.cluster.alias(self.user))}\n"
            f"ssh_config = {json.dumps(str(ssh_config or self.cluster.ssh_config))}\n"
            f"remote_root = {json.dumps(self.root, ensure_ascii=False)}\n"
            f"{'' if 'poll_seconds' in keys else 'poll_seconds = 1'}\n"
            f"{keys}\n"
            f"[clusters.{CLUSTER}.price]\n"
            f'currency = "EUR"\ngpu_hour = "{GPU_HOUR}"\n'
        )

    def run_all(self, *commands: Sequence[str | Path]) -> list[Said]:
        """Run several commands at the same time."""
        return [finish(process) for process in [self.start(*words) for words in commands]]

    # -- the library --------------------------------------------------------------------------------------------------

    def settings(self) -> Settings:
        """The configuration, as the library takes it."""
        file = self.home / "config.toml"
        data = parse_toml(file.read_bytes(), str(file))
        return resolve([Layer(name="user", origin=str(file), data=data, base=str(self.home))], home=str(self.home))

    def client(self, **given: Any) -> Client:
        """The library on the same configuration, store and cache as the command line."""
        places = Places(self.environ, working_directory=self.home)
        return Client(self.settings(), places=places, **given)

    def audit(self) -> list[dict[str, Any]]:
        """The audit log."""
        file = self.state / "audit.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    # -- what is submitted --------------------------------------------------------------------------------------------

    def project(self, spec: str, files: Mapping[str, str] | None = None, *, name: str = "") -> Path:
        """Make a folder with a spec and code; the path of the spec."""
        folder = self.home / (name or f"project-{uuid.uuid4().hex[:6]}")
        folder.mkdir()
        (folder / "job.toml").write_text(textwrap.dedent(spec), encoding="utf-8")
        for path, text in (files or {}).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(textwrap.dedent(text), encoding="utf-8")
        return folder / "job.toml"

    def shell_job(self, script: str, *, nodes: int = 1, gpus: int = 0, name: str = "job", more: str = "") -> Path:
        """Make a spec whose single rank per node runs a script with sh; nothing travels with it."""
        command = json.dumps(["sh", "-c", textwrap.dedent(script).strip()], ensure_ascii=False)
        wanted = f"gpus_per_node = {gpus}\n" if gpus else ""
        return self.project(
            f'name = "{name}"\ncommand = {command}\ncode = false\n'
            f'[launch]\nkind = "srun"\nnproc_per_node = 1\n'
            f'[slurm]\nnodes = {nodes}\ntime = "00:10:00"\ncpus_per_task = 1\n{wanted}{more}'
        )

    # -- the other side -----------------------------------------------------------------------------------------------

    def run_dir(self, run: str) -> str:
        """The run's directory on the cluster."""
        return f"{self.root}/runs/{run}"

    def there(self, *command: str) -> str:
        """Run a command on the login node as the user, not over SSH; what it printed."""
        return self.cluster.check(command, user=self.user)

    def read(self, path: str) -> str:
        """A file on the cluster."""
        return self.there("cat", path)

    def exists(self, path: str) -> bool:
        """Whether there is such a file on the cluster."""
        return self.cluster.exec(["test", "-e", path], user=self.user)[0] == 0

    def queued(self, name: str = "") -> list[str]:
        """Ids of the jobs below this root that Slurm knows, ended ones too; ``name`` may be the beginning of theirs."""
        text = self.there("squeue", "--noheader", "--states=all", "--all", "--sort=i", "--format=%A %j %Z")
        found = [line.split(maxsplit=2) for line in text.splitlines()]
        return [job for job, known, where in found if known.startswith(name) and where.startswith(f"{self.root}/")]

    def nothing_there(self) -> bool:
        """Whether the cluster has no job of this root, no run directory in it, and nothing half made."""
        look = 'cd "$1" 2>/dev/null && { ls -A runs; ls -d .new.*; } 2>/dev/null; true'
        return not self.there("sh", "-c", look, "sh", self.root).split() and not self.queued()


def finish(process: subprocess.Popen[bytes], timeout: float = 150) -> Said:
    """Wait for a command."""
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"{process.args!r} did not end in {timeout} s\n{out!r}\n{err!r}") from None
    return Said(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.2)
    return found


def without(program: str, folder: Path) -> str:
    """A PATH on which everything is but one program."""
    folder.mkdir()
    for directory in os.environ["PATH"].split(os.pathsep):
        for file in Path(directory).glob("*") if Path(directory).is_dir() else ():
            link = folder / file.name
            if file.name != program and not link.exists() and os.access(file, os.X_OK):
                link.symlink_to(file)
    assert shutil.which(program, path=str(folder)) is None
    return str(folder)
