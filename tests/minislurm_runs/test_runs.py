"""The verbs, from a submission to the bill, where there is nothing but minislurm."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from minislurm_runs.machine import Machine, until

RANKS = 'echo "rank $RANK of $WORLD_SIZE, local $LOCAL_RANK on $SLURMD_NODENAME with GPU $CUDA_VISIBLE_DEVICES"'


def test_from_nothing_to_the_bill(machine: Machine) -> None:
    """Two nodes of two ranks, followed to the end; the state, the log and the bill are there afterwards."""
    said = machine.run("submit", machine.job(f"{RANKS}; sleep 2", nodes=2, ranks=2, gpus=2), "--follow").ok()
    assert sorted(line for line in said.out.splitlines() if line.startswith("rank")) == [
        f"rank {2 * node + local} of 4, local {local} on 127.0.0.{node + 1} with GPU 0,1"
        for node in (0, 1)
        for local in (0, 1)
    ]
    assert "COMPLETED" in said.out.splitlines()[-1]
    assert "making the embedded cluster minislurm" in said.err
    (run,) = machine.run("status", "--json").ok().document["runs"]
    assert (run["cluster"], run["phase"], run["nodes"], run["gpus"]) == ("minislurm", "finished", 2, 4)
    assert run["exit_code"] == {"code": 0, "signal": 0}
    assert "rank 3 of 4" in machine.run("logs", run["run"]).ok().out
    usage = machine.run("usage", "--json").ok().document["runs"][0]
    assert usage["gpu_seconds"] in {8, 12, 16}
    assert usage["cost"] == {"amount": f"{usage['gpu_seconds']}.00", "currency": "EUR"}
    assert (usage["estimated"], usage["provisional"]) == (False, False)


def test_the_cluster_is_in_order(machine: Machine) -> None:
    """`cluster check` finds nothing to complain about."""
    document = machine.run("cluster", "check", "--json").ok().document
    assert document["cluster"] == "minislurm"
    assert {finding["level"] for finding in document["findings"]} == {"ok"}, document


@pytest.mark.parametrize(
    ("script", "code", "state"),
    [("exit 0", 0, "COMPLETED"), ("exit 3", 10, "FAILED"), ("kill -9 $$", 10, "FAILED")],
)
def test_the_exit_code_tells_how_it_ended(machine: Machine, script: str, code: int, state: str) -> None:
    """With --follow, with --wait, and by `wait` afterwards."""
    spec = machine.job(script)
    followed = machine.run("submit", spec, "--follow")
    assert (followed.code, state in followed.out.splitlines()[-1]) == (code, True), followed
    waited = machine.run("submit", spec, "--wait", "--json")
    assert (waited.code, waited.run["state"]) == (code, state), waited
    assert machine.run("wait", waited.run["run"]).code == code
    assert machine.run("logs", waited.run["run"], "-f").code == code


@pytest.mark.slow
def test_the_time_limit(machine: Machine) -> None:
    """Exit code 12, and the minute is on the bill."""
    spec = machine.job("echo begins; sleep 300", gpus=1)
    said = machine.run("submit", spec, "--set", "slurm.time=1", "--follow", timeout=150)
    assert said.code == 12, said
    assert "TIMEOUT" in said.out.splitlines()[-1]
    seconds = machine.run("usage", "--json").ok().document["total"]["gpu_seconds"]
    assert 60 <= seconds <= 100


def test_a_run_that_is_cancelled(machine: Machine) -> None:
    """It ends as such, exit code 11; cancelling it again is fine."""
    run = machine.submit(machine.job("echo begins; sleep 300"))["run"]
    machine.phase(run, "running")
    assert "told to stop" in machine.run("cancel", run).ok().err
    said = machine.run("wait", run)
    assert (said.code, "CANCELLED" in said.out) == (11, True), said
    machine.run("cancel", run).ok()
    assert "begins" in machine.run("logs", run).ok().out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_whoever_stops_watching_stops_nothing(machine: Machine, number: signal.Signals, code: int) -> None:
    """The job goes on, and the message says so."""
    gate = machine.home / "gate"
    spec = machine.job(f"echo begins; while [ ! -e '{gate}' ]; do sleep 0.2; done; echo ends")
    process = machine.start("submit", spec, "--follow")
    assert process.stdout is not None
    until(lambda: b"begins" in process.stdout.readline(), "the job's first line")  # type: ignore[union-attr]
    said = machine.interrupt(process, number)
    assert said.code == code, said
    assert "goes on" in said.err
    gate.touch()
    (run,) = machine.run("status", "--cached", "--json").ok().document["runs"]
    machine.run("wait", run["run"]).ok()
    assert machine.run("logs", run["run"]).ok().out.endswith("ends\n")


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (["wait", "{0}"], "the job goes on; `trainsub cancel {0}` stops it"),
        (["wait", "{0}", "{1}"], "the jobs go on; `trainsub cancel {0} {1}` stops them"),
        (["logs", "--follow", "{0}"], "the job goes on; `trainsub cancel {0}` stops it"),
    ],
)
def test_whoever_stops_waiting_is_told_how_to_stop_the_job(machine: Machine, verb: list[str], words: str) -> None:
    """As `submit --wait` does."""
    runs = [machine.submit(machine.job("echo begins; sleep 300"))["run"] for _ in range(2)]
    process = machine.start(*(word.format(*runs) for word in verb))
    time.sleep(3)
    said = machine.interrupt(process)
    assert said.code == 130, said
    assert said.err.endswith(f"trainsub: interrupted: {words.format(*runs)}\n")


def test_a_job_that_was_requeued(machine: Machine) -> None:
    """One run with two allocations: both are on the bill, and the log has both."""
    script = 'echo "restart ${SLURM_RESTART_COUNT:-0}"; sleep 2; [ -n "${SLURM_RESTART_COUNT-}" ] || { scontrol requeue $SLURM_JOB_ID; sleep 60; }'
    said = machine.run("submit", machine.job(script, gpus=2), "--wait", "--json")
    assert said.code == 0, said
    document = machine.run("usage", "--json").ok().document
    (run,) = machine.run("status", said.run["run"], "--json").ok().document["runs"]
    seconds = [one["elapsed"] for one in run["jobs"][0]["allocations"]]
    assert len(seconds) == 2
    assert all(2 <= one <= 30 for one in seconds)
    assert document["total"]["gpu_seconds"] == 2 * sum(seconds)
    log = machine.run("logs", run["run"]).ok().out
    assert log.index("restart 0") < log.index("restart 1")


def test_the_same_key_is_the_same_run(machine: Machine) -> None:
    """Twice one after the other, and several at once: one job."""
    spec = machine.job("sleep 1")
    first = machine.submit(spec, "--key", "k")
    assert machine.submit(spec, "--key", "k")["job_id"] == first["job_id"]
    started = [machine.start("submit", spec, "--key", "other", "--json") for _ in range(3)]
    ids = {json.loads(process.communicate()[0])["runs"][0]["job_id"] for process in started}
    assert len(ids) == 1
    assert len(machine.slurm("squeue", "--noheader", "--states=all").splitlines()) == 2


def test_two_state_directories_are_two_clusters(machine: Machine, tmp_path: Path) -> None:
    """Neither sees the other's jobs, nor cancels them."""
    other = Machine(tmp_path / "other")
    try:
        here = machine.submit(machine.job("sleep 300"), "--key", "k")
        there = other.submit(other.job("sleep 300"), "--key", "k")
        assert here["job_id"] == there["job_id"]
        other.run("cancel", there["run"]).ok()
        assert other.run("wait", there["run"]).code == 11
        assert machine.phase(here["run"], "running")["state"] == "RUNNING"
        machine.run("cancel", here["run"]).ok()
    finally:
        other.leave()


def test_what_it_refuses(machine: Machine) -> None:
    """As Slurm words it, at once, with exit code 5; nothing is left."""
    said = machine.run("submit", machine.job("true", nodes=99))
    assert said.code == 5, said
    assert "Node count specification invalid" in said.err, said
    assert machine.run("submit", machine.job("true"), "--set", "slurm.partition=nosuch").code == 5
    assert machine.slurm("squeue", "--noheader", "--states=all") == ""


def test_what_waits_says_why(machine: Machine) -> None:
    """A job that finds no room is pending, with Slurm's reason, and starts when there is."""
    first = machine.submit(machine.job("sleep 300", nodes=4, gpus=8))["run"]
    machine.phase(first, "running")
    second = machine.submit(machine.job("true", gpus=1))["run"]
    assert machine.phase(second, "pending")["reason"] in {"Resources", "Priority"}
    machine.run("cancel", first).ok()
    machine.run("wait", second).ok()


def test_a_submission_whose_answer_cannot_be_printed(machine: Machine) -> None:
    """It ends with 1, and says which run and job there are now: they must not be lost sight of."""
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(
            [sys.executable, "-m", "trainsub", "submit", machine.job("true"), "--json"],
            env=machine.environ,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    (run,) = machine.run("status", "--json").ok().document["runs"]
    assert said.returncode == 1
    assert f"run {run['run']} is job {run['job_id']} on minislurm" in said.stderr
    assert "the output cannot be written" in said.stderr
