"""A user with a laptop and a cluster 50 ms away: a real Slurm in containers behind a relay, and files to submit."""

import base64
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from clusters import SlurmCluster, ensure

from benchmarks.relay import Relay
from trainsub.sandbox.files import known_hosts_text, ssh_config_text

DELAY = 0.025
HOST = "far"
_FILES = 40
_FILE_BYTES = 34_000
_SPEC = """\
name = "bench"
command = {command}

[slurm]
nodes = 1
time = "00:05:00"
{slurm}

[launch]
kind = "srun"
nproc_per_node = 1

[code]
path = "project"
"""


@dataclass(frozen=True, slots=True)
class World:
    """What benchmarks over the network work with.

    Attributes:
        cluster: The cluster.
        relay: What stands before its sshd.
        home: The user's folder on this machine.
    """

    cluster: SlurmCluster
    relay: Relay
    home: Path

    @property
    def ssh_config(self) -> Path:
        """An OpenSSH configuration with the host ``far``."""
        return self.home / "ssh_config"

    @property
    def project(self) -> Path:
        """A repository with about 1 MB of code, packed."""
        return self.home / "project"

    @property
    def state(self) -> Path:
        """trainsub's state directory."""
        return self.home / "state"

    @property
    def env(self) -> dict[str, str]:
        """The environment of the user's programs."""
        return {
            **os.environ,
            "TRAINSUB_CONFIG": str(self.home / "config.toml"),
            "TRAINSUB_STATE_DIR": str(self.state),
            "TRAINSUB_CACHE_DIR": str(self.home / "cache"),
        }

    def spec(self, name: str, command: Sequence[str], *, slurm: str = "") -> Path:
        """Write a spec whose code is the project."""
        path = self.home / f"{name}.toml"
        path.write_text(_SPEC.format(command=json.dumps(list(command)), slurm=slurm))
        return path

    def ssh(self, command: str, *options: str) -> list[str]:
        """The command line of a plain ssh through the relay."""
        return ["ssh", "-F", str(self.ssh_config), *options, HOST, command]

    def configure(self, **keys: object) -> None:
        """Write trainsub's configuration anew, with more keys for the cluster."""
        given = {"host": HOST, "ssh_config": str(self.ssh_config), "remote_root": "/home/alice/trainsub", **keys}
        lines = [f"{name} = {json.dumps(value)}" for name, value in given.items()]
        (self.home / "config.toml").write_text("\n".join(["[clusters.far]", *lines, ""]))

    def audit(self) -> list[dict[str, object]]:
        """The audit log."""
        path = self.state / "audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def trainsub(*arguments: str) -> list[str]:
    """The command line of trainsub: the installed console script, or the module where there is none."""
    script = Path(sys.executable).parent / "trainsub"
    start = [str(script)] if script.exists() else [sys.executable, "-m", "trainsub"]
    return [*start, *arguments]


@contextmanager
def world(*, nodes: int = 1) -> Iterator[World]:
    """Build it, and take it down."""
    ensure(["24.11"])
    with (
        SlurmCluster("24.11", nodes=nodes) as cluster,
        Relay(cluster.ssh_port, DELAY) as relay,
        TemporaryDirectory(prefix="trainsub-bench-") as folder,
    ):
        built = World(cluster, relay, Path(folder))
        _reach(built)
        _write_project(built.project)
        yield built


def _reach(built: World) -> None:
    """Write the SSH and trainsub configuration that lead through the relay."""
    known = built.home / "known_hosts"
    public = built.cluster.check(["cat", "/var/lib/trainsub/ssh/ssh_host_ed25519_key.pub"])
    known.write_text(known_hosts_text(built.relay.port, public))
    key = built.cluster.directory / "id_ed25519"
    built.ssh_config.write_text(ssh_config_text(HOST, port=built.relay.port, user="alice", key=key, known_hosts=known))
    built.configure()


def _write_project(project: Path) -> None:
    """Text that packs to about 1 MB, committed to git as code is."""
    project.mkdir()
    source = random.Random(1)
    for number in range(_FILES):
        text = base64.b85encode(source.randbytes(_FILE_BYTES * 3 // 4)).decode()
        lines = "\n".join(text[at : at + 80] for at in range(0, len(text), 80))
        (project / f"module_{number:02}.py").write_text(lines)
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", *arguments], cwd=project, check=True)
