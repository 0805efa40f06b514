"""Where rows run: a real Slurm in containers, or a minislurm in a folder."""

import os
import pwd
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

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


def minislurm(folder: Path, package: Path = PACKAGE) -> Run:
    """Make a minislurm in an empty folder, of trainsub's own code or of a copy."""
    home = folder / "minislurm"
    home_of_user = folder / "home"
    home_of_user.mkdir(parents=True)
    program = [sys.executable, "-I", str(package / "minislurm" / "__main__.py"), str(home), "setup"]
    size = ["--nodes", str(NODES), "--cpus-per-node", str(CPUS), "--gpus-per-node", str(GPUS)]
    done = subprocess.run(
        [*program, *size, "--set", f"first_job_id={FIRST_ID}", "--set", "gpu_type=h100", "--set", "requeue_delay=8"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"minislurm's setup ended with {done.returncode}: {done.stderr or done.stdout}")
    environment = {
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "HOME": str(home_of_user),
        "USER": pwd.getpwuid(os.getuid()).pw_name,
    }

    def run(text: str) -> str:
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=home_of_user,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
        return done.stdout.decode(errors="replace")

    return run


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
