"""What ends a job, and what does not: ranks that still save, the one that failed first, signals on their way."""

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from cluster.laptop import Laptop, until
from clusters import PYTHON

INTO = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"
SAVES = 90
"""Seconds that rank 0 saves after the others have ended; some sites let srun wait for 30 or 60."""


def job(laptop: Laptop, script: str, *, nodes: int = 2, kind: str = "srun", ranks: int = 1) -> Path:
    """A job whose ranks run a script with sh; torchrun is the real one."""
    words = ["sh", "-c", textwrap.dedent(script).strip()]
    # An agent's interpreter is the command's own.
    command = json.dumps(words if kind == "srun" else [PYTHON, "-c", INTO, *words])
    return laptop.project(
        f'name = "ends"\ncommand = {command}\ncode = false\n[launch]\nkind = "{kind}"\nnproc_per_node = {ranks}\n'
        f'[slurm]\nnodes = {nodes}\ntime = "00:10:00"\ncpus_per_task = 1\n'
    )


def noted(laptop: Laptop, run: str) -> dict[str, list[str]]:
    """What the tasks wrote of their ends: code and node of the first of each kind."""
    folder = f"{laptop.run_dir(run)}/first"
    return {
        name.partition(".0.")[2]: laptop.read(f"{folder}/{name}").split()[1:]
        for name in laptop.there("ls", folder).split()
    }


def ended(laptop: Laptop, spec: Path) -> tuple[dict[str, Any], str]:
    """Submit and wait for the end; the run and its log."""
    name = laptop.submit(spec)["run"]
    run = laptop.run("wait", name, "--timeout", "200", "--json", timeout=220).run
    return run, laptop.run("logs", name).ok().out


@pytest.mark.parametrize("cluster", ["22.05"], indirect=True)  # minutes of waiting, and the same on each
def test_rank_0_saves_for_90_seconds_after_the_others_have_ended(laptop: Laptop) -> None:
    """Srun has no limit of its own to wait: whoever saves is not killed."""
    script = f"[ $RANK = 0 ] || exit 0; sleep {SAVES}; echo rank 0 has saved"
    run, log = ended(laptop, job(laptop, script))
    assert (run["state"], "rank 0 has saved" in log) == ("COMPLETED", True), log


@pytest.mark.parametrize("end", [0, 85])
def test_ranks_that_end_well_end_no_other(laptop: Laptop, end: int) -> None:
    """Neither those that are done nor those that have saved to go on; the others take their time."""
    script = f"[ $RANK = 0 ] || exit {end}; sleep 8; echo rank 0 has saved; exit {end}"
    run, log = ended(laptop, job(laptop, script))
    assert "rank 0 has saved" in log
    assert run["exit_code"] == {"code": end, "signal": 0}
    assert noted(laptop, run["run"]) == ({} if end == 0 else {"saved": ["85", "n2"]})


@pytest.mark.parametrize("cluster", ["24.11"], indirect=True)  # torchrun is the same on each
def test_ranks_under_torchrun_that_have_saved_end_no_other(laptop: Laptop) -> None:
    """One of two on the second node has, and goes; its neighbour and the other node take their time."""
    script = "[ $RANK != 2 ] || exit 85; sleep 8; echo rank $RANK has saved; exit 85"
    run, log = ended(laptop, job(laptop, script, kind="torchrun", ranks=2))
    assert {f"rank {rank} has saved" for rank in (0, 1, 3)} <= set(log.splitlines()), log
    assert run["exit_code"] == {"code": 85, "signal": 0}, log


@pytest.mark.parametrize("cluster", ["24.11"], indirect=True)
def test_the_first_failure_under_torchrun_names_its_node(laptop: Laptop) -> None:
    """The agent ends with the code of the rank, not with its own; the other agents' ends are not taken for the cause."""
    script = "[ $RANK != 3 ] || { sleep 2; exit 7; }; echo rank $RANK saves; sleep 60"
    run, log = ended(laptop, job(laptop, script, kind="torchrun", ranks=2))
    assert run["exit_code"] == {"code": 7, "signal": 0}, log
    assert "trainsub: the first failure: exit code 7 on n2" in log


def test_the_first_failure_names_its_node_while_others_save(laptop: Laptop) -> None:
    """srun ends the others then, in the middle of their save; their codes are not taken for the cause."""
    script = """
        if [ $RANK = 1 ]; then sleep 2; exit 7; fi
        trap 'echo rank $RANK is told to stop; exit 9' TERM
        echo rank $RANK saves
        while :; do sleep 1; done
    """
    run, log = ended(laptop, job(laptop, script, nodes=3))
    assert run["exit_code"] == {"code": 7, "signal": 0}, log
    assert "trainsub: the first failure: exit code 7 on n2" in log
    assert {"rank 0 saves", "rank 2 saves"} <= set(log.splitlines())
    assert noted(laptop, run["run"])["failed"] == ["7", "n2"]


CATCHER = """
    for name in HUP INT QUIT USR1 USR2; do trap "echo rank $RANK got $name" $name; done
    trap "echo rank $RANK got TERM; exit 0" TERM
    echo rank $RANK is ready
    while :; do sleep 0.2; done
"""


def test_signals_that_reach_only_what_slurm_started_reach_the_program(laptop: Laptop) -> None:
    """Each is sent to the task's direct child of slurmstepd on its node, and to nothing below it."""
    run = laptop.submit(job(laptop, CATCHER))
    log = f"{laptop.run_dir(run['run'])}/logs/{run['job_id']}.out"
    until(lambda: laptop.exists(log) and laptop.read(log).count("is ready") == 2, "both ranks")
    for rank, node in enumerate(("n1", "n2")):
        # The older of two: the other one is its own, and waits for the program.
        task = laptop.cluster.check(["pgrep", "-o", "-u", laptop.user, "-f", "^[a-z/]*bash --posix"], node=node).strip()
        parent = laptop.cluster.check(["sh", "-c", f"ps -o comm= -p $(ps -o ppid= -p {task})"], node=node)
        assert parent.startswith("slurmstepd")
        for name in ("HUP", "INT", "QUIT", "USR1", "USR2", "TERM"):
            laptop.cluster.check(["kill", "-s", name, task], node=node)
            said = f"rank {rank} got {name}\n"
            until(lambda said=said: said in laptop.read(log), said)  # type: ignore[misc]
    laptop.run("wait", run["run"], "--timeout", "60").ok()
