"""Where rows run: a real Slurm in containers, or a minislurm in a folder."""

import os
import pwd
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import clusters
from clusters import SlurmCluster
from contract.facts import FIRST_ID, Row, RowError, Run

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "trainsub"
SECONDS = 400
"""The longest that a row may take."""

NODES, CPUS, GPUS = 4, 128, 8
REQUEUE_WAIT = {"CRED_EXPIRE": "8"}
"""Seconds that a requeued job waits, less one; Slurm's default is 120."""


@contextmanager
def slurm(version: str) -> Iterator[Run]:
    """Start a real cluster, and remove it at last."""
    clusters.ensure([version])
    with SlurmCluster(version, nodes=NODES, gpus_per_node=GPUS, env=REQUEUE_WAIT) as cluster:
        cluster.check(["sed", "-i", f"$ a FirstJobId={FIRST_ID}", "/etc/slurm/slurm.conf"])
        cluster.check(["scontrol", "reconfigure"])
        cluster.wait_ready()

        def run(text: str) -> str:
            return cluster.exec(["timeout", "-k", "5", str(SECONDS), "bash", "-c", text], user="alice")[1]

        yield run


@contextmanager
def minislurm(folder: Path, package: Path = PACKAGE, patience: int = 300) -> Iterator[Run]:
    """Make a minislurm in an empty folder, and end what it runs at last.

    Args:
        folder: Where it is made.
        package: trainsub's own code, or a copy of it.
        patience: How often a row looks whether something has come true; 300 is a minute and a half.
    """
    user = folder / "user"
    user.mkdir(parents=True)
    size = ["--nodes", str(NODES), "--cpus-per-node", str(CPUS), "--gpus-per-node", str(GPUS)]
    # The ids, GPUs and times of the containers.
    settings = {"first_job_id": FIRST_ID, "gpu_type": "h100", "requeue_delay": 8}
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    done = _call(package, folder, "setup", *size, *words)
    if done.returncode:
        raise RuntimeError(f"minislurm's setup ended with {done.returncode}: {done.stdout}")
    environment = {
        "PATH": f"{folder / 'minislurm' / 'bin'}:{os.environ['PATH']}",
        "HOME": str(user),
        "USER": pwd.getpwuid(os.getuid()).pw_name,
        "PATIENCE": str(patience),
    }

    def run(text: str) -> str:
        return _run(["bash", "-c", text], cwd=user, env=environment).stdout

    try:
        yield run
    finally:
        # The copy may be broken on purpose.
        _call(PACKAGE, folder, "scancel", "--quiet", "--user", environment["USER"])


def _call(package: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of minislurm."""
    program = [sys.executable, "-I", str(package / "minislurm" / "__main__.py"), str(folder / "minislurm")]
    return _run([*program, *words])


def _run(argv: Sequence[str], **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=SECONDS,
        check=False,
        **more,
    )


def run_all(rows: Iterable[Row], run: Run, workers: int) -> dict[str, str | Exception]:
    """Run rows side by side, and then those that want the cluster for themselves.

    Returns:
        The facts of each row, or why there are none.
    """
    rows = list(rows)
    answers: dict[str, str | Exception] = {}

    def ask(row: Row) -> None:
        try:
            answers[row.name] = row.facts(run)
        except (RowError, ValueError, OSError, subprocess.SubprocessError) as error:
            answers[row.name] = error

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(ask, _slowest_first([row for row in rows if not row.alone])))
    for row in rows:
        if row.alone:
            ask(row)
    return answers


def _slowest_first(rows: Sequence[Row]) -> list[Row]:
    """Rows that wait for a time limit take a minute and more: they begin."""
    return sorted(rows, key=lambda row: not row.slow)
