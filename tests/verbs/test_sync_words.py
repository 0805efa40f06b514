"""What `sync` tells a person."""

import os
import subprocess
import sys

from verbs.desk import Desk, submitted

from trainsub import Client


def test_where_everything_is_known_that_is_all(desk: Desk, client: Client) -> None:
    """There are runs, so nobody is told that there are none."""
    submitted(client, "k")
    for name in ("squeue", "sacct"):
        desk.alpha.slurm.says(name, "")
    client.sync("alpha")
    said = subprocess.run(
        [sys.executable, "-m", "trainsub", "--config", str(desk.config), "sync", "alpha"],
        env={**os.environ, **desk.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said.stderr == f"trainsub: 1 run on cluster alpha, in {desk.alpha.root}: 1 known already\n"
    assert said.stdout == ""
