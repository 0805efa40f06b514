"""Several machines of one account, each with a store of its own, before one cluster: minislurm, reached as ``hpc``."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minislurm_runs.machine import GPU_HOUR, Machine

CLUSTER = "hpc"
NOT_KEPT = ("observed_at", "events", "seen_there", "expected_start")
"""What depends on when the cluster was asked, and by whom."""


class Neighbour(Machine):
    """A machine that has not got the cluster, but knows the way to it.

    Args:
        home: An empty folder.
        owner: The machine whose minislurm it is.
    """

    def __init__(self, home: Path, owner: Machine) -> None:
        super().__init__(home)
        if not (owner.state / "minislurm" / "bin").exists():
            owner.run("cluster", "check", "minislurm").ok()
        self.owner = owner
        self.root = owner.home / "remote root"
        self.bin = owner.state / "minislurm" / "bin"
        (home / "config.toml").write_text(
            f'default_cluster = "{CLUSTER}"\n[clusters.{CLUSTER}]\ntransport = "local"\nremote_root = "{self.root}"\n'
            f'slurm_bin = "{self.bin}"\n[clusters.{CLUSTER}.price]\ncurrency = "EUR"\ngpu_hour = "{GPU_HOUR}"\n'
        )

    def slurm(self, *command: str) -> str:
        """Run one of the cluster's commands."""
        return self.owner.slurm(*command)

    def lose_everything(self) -> None:
        """Lose the disk that the store was on."""
        shutil.rmtree(self.state)

    def documents(self) -> tuple[Any, Any]:
        """What ``status`` and ``usage`` say of all runs, without what depends on when the cluster was asked."""
        # As ``sync`` does, ``usage`` asks the accounts of jobs that wait or run, too.
        said = [self.run(verb, "--json").ok().document for verb in ("usage", "status")]
        return without(said[1]), without(said[0])

    def run_dir(self, run: str) -> Path:
        """The run's directory on the cluster."""
        return self.root / "runs" / run

    def jobs(self, prefix: str) -> list[str]:
        """Ids of all jobs of the cluster, ended ones too, whose names begin so."""
        text = self.slurm("squeue", "--noheader", "--states=all", "--all", "--format=%A %j")
        return [job for job, name in (line.split(maxsplit=1) for line in text.splitlines()) if name.startswith(prefix)]


def nowhere(tmp: Path, **more: str) -> Mapping[str, str]:
    """The environment of a container in a pipeline: no home, no name, and nothing that says where things lie."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TMPDIR": str(tmp), **more}


def without(document: Any) -> Any:
    """A document without what two machines may know differently."""
    text = json.dumps(document)
    return json.loads(text, object_hook=lambda one: {key: one[key] for key in one if key not in NOT_KEPT})
