"""Jobs that really run, with all the processes that belong to them."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from minislurm.made import Said, call, make

from trainsub.minislurm import processes
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Job

NAP = "sleep 54321"


@dataclass
class Cluster:
    """A cluster that runs jobs.

    Attributes:
        home: Its home.
        work: Where jobs are submitted.
        portable: Whether it is to do without /proc and prctl.
    """

    home: Path
    work: Path
    portable: bool = False

    def run(self, *words: str) -> Said:
        """Run a command."""
        more = {processes.PORTABLE: "1"} if self.portable else {}
        path = f"{self.home / 'bin'}:{os.environ['PATH']}"
        return call(self.home / "bin" / words[0], *words[1:], env={"PATH": path, **more}, cwd=self.work)

    def submit(self, script: str, *options: str) -> int:
        """Submit a script whose output goes to ``log``."""
        (self.work / "job").write_text(f"#!/bin/bash\n{script}\n")
        said = self.run("sbatch", "--parsable", "--output=log", *options, "job")
        assert said.code == 0, said
        return int(said.out)

    def job(self, job_id: int) -> Job:
        """Return a job."""
        with Queue(self.home) as queue:
            found = queue.job(job_id)
        assert found is not None
        return found

    def step(self, job_id: int, name: str) -> Step | None:
        """Return a step of the last start of a job."""
        with Queue(self.home) as queue:
            found = [step for step in queue.steps(job_id) if step.name == name]
        return found[-1] if found else None

    def until(self, job_id: int, *states: str) -> Job:
        """Wait until a job is in one of these states."""
        until(lambda: self.job(job_id).state in states, lambda: self.job(job_id))
        return self.job(job_id)

    def log(self, name: str = "log") -> str:
        """Return what a job printed, its node called n1."""
        return re.sub(r"127\.0\.0\.", "n", (self.work / name).read_text())

    def own(self, what: str) -> list[int]:
        """Return the processes of this cluster that are a keeper, or the stepd of a job."""
        found = []
        for pid in processes.table():
            words = processes.command(pid)
            if (
                str(self.home) in words[:-1]
                and words[words.index(str(self.home)) + 1 :][: len(what.split())] == what.split()
            ):
                found.append(pid)
        return found


def until(test: Callable[[], object], told: Callable[[], object] = lambda: "in vain") -> None:
    """Wait until something is true, half a minute at most."""
    end = time.monotonic() + 30
    while not test():
        assert time.monotonic() < end, told()
        time.sleep(0.05)


def naps(nap: str) -> list[int]:
    """Return the processes that sleep in this way."""
    return [pid for pid in processes.table() if " ".join(processes.command(pid)) == nap]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster; at the end nothing of it is left."""
    work = tmp_path / "work"
    work.mkdir()
    cluster = Cluster(make(tmp_path / "home", "--set", "requeue_delay=0"), work)
    yield cluster
    with Queue(cluster.home) as queue:
        left = [str(job.job_id) for job in queue.open_jobs()]
    if left:
        cluster.run("scancel", *left)
    until(lambda: not cluster.own("keeper") and not cluster.own("stepd"))


def test_a_keeper_holds_nothing_of_the_command_that_started_it(running: Cluster) -> None:
    """``$(sbatch …)`` returns at once, and the keeper ends when nothing is open."""
    began = time.monotonic()
    job_id = running.submit("sleep 3")
    assert time.monotonic() - began < 2
    (keeper,) = running.own("keeper")
    assert os.getpgid(keeper) != os.getpgid(0)
    if processes.by_proc():
        files = [str(Path(f"/proc/{keeper}/fd/{number}").readlink()) for number in range(3)]
        assert files == [os.devnull, os.devnull, str(running.home / "keeper.log")]
    running.until(job_id, "COMPLETED")
    until(lambda: not running.own("keeper"))


def test_what_waits_for_a_time_starts_although_nobody_runs_a_command(running: Cluster) -> None:
    """The keeper sees to it."""
    job_id = running.submit("true", "--begin=now+2")
    assert running.job(job_id).reason == "BeginTime"
    assert running.until(job_id, "COMPLETED").start is not None


@pytest.mark.parametrize("portable", [False, True])
def test_nothing_outlives_its_job(running: Cluster, *, portable: bool) -> None:
    """Children, grandchildren, other sessions, and on Linux even those without any environment."""
    nap = f"{NAP}.{time.monotonic_ns()}"
    running.portable = portable
    bare = "" if portable else f"env -i setsid {nap} & "
    job_id = running.submit(f"{nap} & setsid {nap} & (({nap} &) &); {bare} sleep 0.5; exit 3")
    until(lambda: len(naps(nap)) >= (3 if portable else 4))
    ended = running.until(job_id, "FAILED")
    assert (ended.exit_code, naps(nap)) == (3, [])


@pytest.mark.parametrize("portable", [False, True])
def test_steps_and_time_limits_without_proc(running: Cluster, *, portable: bool) -> None:
    """The way of macOS, tried here."""
    running.portable = portable
    job_id = running.submit(
        "srun -N2 -n2 sh -c 'echo $SLURM_PROCID on $SLURMD_NODENAME'; srun sleep 50; echo no", "-N2"
    )
    until(lambda: running.step(job_id, "1"))
    assert running.run("scancel", str(job_id)).code == 0
    running.until(job_id, "CANCELLED")
    log = running.log()
    assert {"0 on n1", "1 on n2"} <= set(log.splitlines())
    assert f"*** JOB {job_id} ON n1 CANCELLED AT" in log
    assert f"*** STEP {job_id}.1 ON n1 CANCELLED AT" in log


@pytest.mark.parametrize(("options", "state"), [((), "PENDING"), (("--no-requeue",), "NODE_FAIL")])
def test_a_job_whose_stepd_was_killed_is_told_as_such(running: Cluster, options: tuple[str, ...], state: str) -> None:
    """Its processes are gone; it is queued again if it may."""
    nap = f"{NAP}.{time.monotonic_ns()}"
    script = f'[ "${{SLURM_RESTART_COUNT:-0}}" = 1 ] && exit 0; setsid {nap} & {nap}'
    job_id = running.submit(script, *options)
    until(lambda: len(naps(nap)) == 2)
    stepd = running.job(job_id).stepd
    assert stepd is not None
    os.kill(stepd.pid, signal.SIGKILL)
    ended = running.until(job_id, "COMPLETED", "NODE_FAIL")
    assert (ended.state, ended.restarts) == (("COMPLETED", 1) if state == "PENDING" else ("NODE_FAIL", 0))
    assert naps(nap) == []
    with Queue(running.home) as queue:
        assert [record.state for record in queue.closed_records()] == ["NODE_FAIL"] * (state == "PENDING")
        assert all(step.end is not None for step in queue.steps())


def test_a_stepd_does_not_listen_to_signals(running: Cluster) -> None:
    """Only to the queue."""
    job_id = running.submit("sleep 1; exit 4")
    until(lambda: running.step(job_id, "batch"))
    for pid in running.own(f"stepd {job_id}"):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(pid, number)
    assert running.until(job_id, "FAILED").exit_code == 4


def test_a_killed_keeper_is_replaced_while_jobs_run(running: Cluster) -> None:
    """By the jobs' own stepds, or by the next command."""
    runs = running.submit("sleep 4")
    waits = running.submit("true", f"--dependency=afterok:{runs}")
    until(lambda: running.step(runs, "batch"))
    (keeper,) = running.own("keeper")
    os.kill(keeper, signal.SIGKILL)
    running.until(waits, "COMPLETED")
    assert running.job(runs).restarts == 0


def test_jobs_end_with_their_home(running: Cluster) -> None:
    """Whoever removes it wants that."""
    nap = f"{NAP}.{time.monotonic_ns()}"
    running.submit(nap)
    until(lambda: naps(nap))
    moved = running.home.rename(running.home.with_name("gone"))
    until(lambda: not naps(nap) and not running.own("keeper"))
    moved.rename(running.home)
    running.run("squeue")


def test_tasks_end_with_their_srun(running: Cluster) -> None:
    """And the script goes on."""
    nap = f"{NAP}.{time.monotonic_ns()}"
    job_id = running.submit(f"srun -n1 {nap}; echo srun $?; exit 5")
    until(lambda: naps(nap))
    step = running.step(job_id, "0")
    assert step is not None
    assert step.process is not None
    os.kill(step.process.pid, signal.SIGKILL)
    assert running.until(job_id, "FAILED").exit_code == 5
    assert naps(nap) == []
    assert "srun 137" in running.log()
    step = running.step(job_id, "0")
    assert step is not None
    assert step.end is not None


def test_a_step_waits_for_what_another_one_holds(running: Cluster) -> None:
    """And says so; with --overlap it does not."""
    job_id = running.submit(
        "srun sh -c 'touch go; sleep 3' & until [ -e go ]; do sleep 0.1; done; srun --overlap echo at once; srun echo then; wait"
    )
    running.until(job_id, "COMPLETED")
    lines = running.log().splitlines()
    busy = f"srun: Job {job_id} step creation temporarily disabled, retrying (Requested nodes are busy)"
    assert lines == ["at once", busy, f"srun: Step created for StepId={job_id}.2", "then"]


def test_a_step_can_be_cancelled_by_itself(running: Cluster) -> None:
    """The script hears of it."""
    job_id = running.submit("srun sleep 100; echo srun $?")
    until(lambda: (step := running.step(job_id, "0")) and step.tasks)
    assert running.run("scancel", f"{job_id}.0") == Said(0, "", "")
    running.until(job_id, "COMPLETED")
    step = running.step(job_id, "0")
    assert step is not None
    assert (step.state, step.exit_signal, step.stop_by) == ("CANCELLED", 9, os.getuid())
    assert "srun 137" in running.log()


def test_a_job_submitted_in_a_job_lives_on_without_it(running: Cluster) -> None:
    """Also if its sbatch had to start a keeper there."""
    (running.work / "inner.sh").write_text("#!/bin/sh\nsleep 2; echo done\n")
    outer = running.submit("until [ -e go ]; do sleep 0.1; done; sbatch --parsable -o inner inner.sh >inner.id")
    until(lambda: running.step(outer, "batch"))
    (keeper,) = running.own("keeper")
    (running.work / "go").write_text("")
    os.kill(keeper, signal.SIGKILL)
    running.until(outer, "COMPLETED")
    inner = int((running.work / "inner.id").read_text())
    assert running.until(inner, "COMPLETED").restarts == 0
    assert running.log("inner") == "done\n"


def test_a_requeued_job_runs_anew(running: Cluster) -> None:
    """Its log goes on with --open-mode=append, and tells why it stopped."""
    script = 'echo "run ${SLURM_RESTART_COUNT-first}"; [ -n "${SLURM_RESTART_COUNT-}" ] || exec sleep 100'
    job_id = running.submit(script, "--open-mode=append")
    until(lambda: (running.work / "log").exists() and "run first" in running.log())
    assert running.run("scontrol", "requeue", str(job_id)).code == 0
    assert running.until(job_id, "COMPLETED").restarts == 1
    assert re.fullmatch(
        r"run first\nslurmstepd-n1: error: \*\*\* JOB \d+ ON n1 CANCELLED AT \S+ DUE TO JOB REQUEUE \*\*\*\nrun 1\n",
        running.log(),
    )


def test_a_signal_before_the_time_limit_and_the_limit(running: Cluster) -> None:
    """USR1 comes some seconds before the end."""
    script = "trap 'echo warned' USR1; trap 'echo asked; exit 0' TERM; while :; do sleep 0.1; done"
    job_id = running.submit(script, "--signal=B:USR1@59", "--time=1")
    until(lambda: (running.work / "log").exists() and running.log() == "warned\n")
    with Queue(running.home) as queue, queue.change():
        job = queue.job(job_id)
        assert job is not None
        # Nobody wants to wait for a minute.
        queue.put(replace(job, request=replace(job.request, time_limit=2)))
    ended = running.until(job_id, "TIMEOUT")
    assert (ended.reason, ended.exit_code) == ("TimeLimit", 0)
    assert "DUE TO TIME LIMIT" in running.log()


def test_the_log_s_folder_is_made_and_one_that_cannot_be_is_the_job_s_end(running: Cluster) -> None:
    """Code and signal are those of Slurm."""
    (running.work / "file").write_text("")
    good = running.submit("echo hello", "--output=a/b/log")
    bad = running.submit("echo hello", "--output=file/log")
    assert running.until(good, "COMPLETED", "FAILED").state == "COMPLETED"
    assert running.log("a/b/log") == "hello\n"
    ended = running.until(bad, "COMPLETED", "FAILED")
    assert (ended.state, ended.exit_signal) == ("FAILED", 53)
