"""Faults of a real cluster: what trainsub says while they last, that all is right afterwards, and that it did nothing.

One cluster for each version, whose job_submit plugin rewrites comments, so that a job is known by its name alone, and
whose controller forgets ended jobs within a minute.
"""

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import clusters
import pytest
from cluster import billing
from cluster.conftest import REQUEUE_WAIT, VERSIONS
from cluster.faults import FRESH_SECONDS, Told, documents, mend
from cluster.laptop import Laptop, finish, until
from clusters import SlurmCluster

from trainsub.sandbox.layout import CONTROLLER
from trainsub.session import SystemClock

GO = "until [ -e ../go ]; do sleep 0.2; done"
"""A job's script: it runs until it is let go."""
SILENT_NODE = "15"
"""Seconds until a node that does not answer is down; Slurm's default is 300."""
OFTEN = "poll_seconds = 1"
"""Slurm is asked every second; usually it is every 30 s."""


@pytest.fixture(scope="module", params=VERSIONS)
def cluster(request: pytest.FixtureRequest) -> Iterator[SlurmCluster]:
    """A cluster of its own: these tests break it."""
    clusters.ensure([request.param])
    settings = {**REQUEUE_WAIT, "SLURMD_TIMEOUT": SILENT_NODE}
    with SlurmCluster(request.param, nodes=3, lua=True, env=settings) as started:
        # Jobs that have ended are forgotten soon, and who is not answered gives up soon.
        started.check(["sed", "-i", "s/^MinJobAge=.*/MinJobAge=2\\nMessageTimeout=4/", "/etc/slurm/slurm.conf"])
        started.service("slurmctld")
        started.wait_ready()
        yield started


@pytest.fixture
def told(cluster: SlurmCluster, tmp_path: Path) -> Iterator[Told]:
    """Alice's machine; her jobs are ended at last."""
    made = Told(Laptop(tmp_path / "home", cluster, keys=OFTEN))
    yield made
    made.end()
    mend(cluster)
    cluster.exec(["scancel", "--user=alice"])


def let_go(told: Told, run: str) -> None:
    """Let a run's script end."""
    told.laptop.there("touch", f"{told.laptop.run_dir(run)}/go")


def test_the_database_is_down_while_jobs_end(cluster: SlurmCluster, told: Told, tmp_path: Path) -> None:
    """slurmdbd is stopped; one job ends and is forgotten by squeue meanwhile: its end is not guessed, and then known."""
    laptop = told.laptop
    spec = laptop.shell_job(GO, gpus=2, name="early")
    early, late = told.submit(spec, laptop.shell_job(GO, gpus=1, name="late"))
    for run in (early, late):
        told.until_queue(run, "RUNNING")
    # Another machine of Alice's, which has seen it run, and does not look while it ends.
    other = Laptop(tmp_path / "other", cluster, root=laptop.root, keys=OFTEN)
    assert other.submit(spec, "--key", spec.parent.name)["job_id"] == told.jobs[early]
    assert {run["state"] for run in other.run("status", "--json").ok().document["runs"]} == {"RUNNING"}
    assert {run["state"] for run in told.status(early, late).values()} == {"RUNNING"}

    cluster.kill_service("slurmdbd", signal="TERM")
    waiting = told.start("wait", early, late, "--json")
    stopped = datetime.now(UTC)
    let_go(told, early)
    # The controller may forget it before anybody has looked.
    until(lambda: not told.in_queue(early).startswith(("RUNNING", "COMPLETING")), "the job to end")
    known = told.status(early)[early]
    assert (known["state"], known["source"]) in {("COMPLETED", "squeue"), ("RUNNING", "squeue")}
    silent = laptop.run("usage", early)
    assert silent.code == 4, silent
    assert "could not be asked, the figures are older" in silent.err
    (new,) = told.submit(laptop.shell_job("true", name="new"))
    until(lambda: not told.in_queue(early), "the controller to forget the job", 100)

    _check_not_guessed(other, early, stopped)
    assert waiting.poll() is None

    cluster.service("slurmdbd")
    told.until_booked(early)
    let_go(told, late)
    ended = finish(waiting, 120)
    assert ended.code == 0, ended
    assert {run["state"] for run in documents(ended).values()} == {"COMPLETED"}
    assert other.run("wait", early).code == 0
    known = other.run("status", early, "--cached", "--json").ok().run
    assert (known["state"], known["source"]) == ("COMPLETED", "sacct")
    assert laptop.run("wait", new).code == 0
    told.check_ends({early: "COMPLETED", late: "COMPLETED", new: "COMPLETED"})
    told.check_nothing_else()


def _check_not_guessed(laptop: Laptop, run: str, stopped: datetime) -> None:
    """Look at a job that ran when it was seen last: squeue does not show it now, and sacct cannot be asked."""
    time.sleep(FRESH_SECONDS)
    known = laptop.run("status", run, "--json").run
    assert (known["state"], known["source"], known["end_time"]) == ("RUNNING", "squeue", None)
    assert known["phase"] in {"running", "unknown"}
    assert datetime.fromisoformat(known["observed_at"]) < stopped
    assert " ago" in laptop.run("status", run).out
    assert laptop.run("wait", run, "--timeout", "3").code == 124


def test_the_controller_freezes_stops_and_comes_back(cluster: SlurmCluster, told: Told) -> None:
    """slurmctld hangs, and is then stopped, while one job waits, one runs on, and one ends."""
    laptop = told.laptop
    held, ends, runs = told.submit(
        laptop.shell_job("true", name="held", more="hold = true\n"),
        laptop.shell_job(GO, gpus=1, name="ends"),
        laptop.shell_job(GO, gpus=3, name="runs"),
    )
    for run in (ends, runs):
        told.until_queue(run, "RUNNING")
    assert {run["state"] for run in told.status(held, ends, runs).values()} == {"PENDING", "RUNNING"}
    asked_before = len(laptop.audit())
    waiting = told.start("wait", ends, runs, "--json")
    until(lambda: len(laptop.audit()) > asked_before, "wait to ask")

    cluster.freeze_service("slurmctld")
    # From the laptop of nobody: it is not known then whether there is a job, and trainsub says so.
    spec = laptop.shell_job("true", name="asked", more="hold = true\n")
    asking = told.start("submit", spec, "--key", "once", "--json")
    told.check_silence(runs, "RUNNING")
    let_go(told, ends)
    asked = finish(asking, 120)
    told.submits += 1
    assert asked.code in {5, 7}, asked
    cluster.thaw_service("slurmctld")
    until(lambda: cluster.exec(["scontrol", "ping"])[0] == 0, "the controller")
    # Whatever came of it: asked for again, it is one job.
    until(lambda: laptop.run("status", "--json").ok().document["runs"][-1]["phase"] != "unsettled", "the outcome", 120)
    again = laptop.run("submit", spec, "--key", "once", "--json").ok().run
    told.submits += sum(line["what"] == "submit" for line in laptop.audit()) - told.submits
    told.jobs[again["run"]] = again["job_id"]
    assert laptop.queued("asked-") == [str(again["job_id"])]

    cluster.kill_service("slurmctld", signal="TERM")
    told.check_silence(held, "PENDING")
    refused = laptop.run("submit", laptop.shell_job("true", name="refused"), "--json")
    told.submits += 1
    assert refused.code == 5, refused
    assert "slurmctld does not answer" in refused.document["error"]["hint"]
    assert waiting.poll() is None

    cluster.service("slurmctld")
    let_go(told, runs)
    ended = finish(waiting, 120)
    assert ended.code == 0, ended
    assert "trying again" in ended.err
    assert told.status(held)[held]["phase"] == "pending"
    laptop.run("cancel", held, again["run"]).ok()
    told.check_ends({ends: "COMPLETED", runs: "COMPLETED"})
    told.check_nothing_else(held, again["run"])


def test_a_node_dies_under_its_jobs(cluster: SlurmCluster, told: Told) -> None:
    """One of them may be requeued: it runs again, and both its allocations are billed; the other has failed."""
    laptop = told.laptop
    on_node = 'nodelist = "n3"\n'
    again = 'echo "start ${SLURM_RESTART_COUNT:-0}"; [ "${SLURM_RESTART_COUNT:-0}" = 1 ] || sleep 300'
    lost, back = told.submit(
        laptop.shell_job("sleep 300", gpus=2, name="lost", more=f"{on_node}requeue = false\n"),
        laptop.shell_job(again, gpus=1, name="back", more=f"{on_node}requeue = true\n"),
    )
    for run in (lost, back):
        told.until_queue(run, "RUNNING")
    waiting = [told.start("wait", run, "--json") for run in (lost, back)]
    time.sleep(2)
    cluster.kill("n3")
    # Until Slurm notices, its word is RUNNING, and so is ours.
    assert {run["state"] for run in told.status(lost, back).values()} == {"RUNNING"}
    # 22.05 writes a job's first record some seconds late.
    until(lambda: [one[0] for one in told.in_accounts(lost)[-1:]] == ["NODE_FAIL"], "Slurm to notice", 90)
    # A controller that looks for a node may be slow to answer anybody.
    until(lambda: laptop.run("status", back, "--json").run["phase"] == "pending", "the job to wait again")
    assert told.status(lost)[lost]["state"] == "NODE_FAIL"
    # On n3 a late word of slurmctld's about the first start now and then ends the second, which has then FAILED.
    cluster.check(["scontrol", "update", f"JobId={told.jobs[back]}", "ReqNodeList=n2"])
    cluster.start_node("n3")
    first, second = (finish(process, 150) for process in waiting)
    assert (first.code, second.code) == (12, 0), f"{first}\n{second}\n{laptop.run('logs', back)}"
    told.check_ends({lost: "NODE_FAIL", back: "COMPLETED"})
    (job,) = told.status(back)[back]["jobs"]
    assert [one["state"] for one in job["allocations"]] == ["NODE_FAIL", "COMPLETED"]
    assert "start 1" in laptop.run("logs", back).ok().out
    told.check_nothing_else()


def test_the_login_node_is_rebooted(cluster: SlurmCluster, told: Told) -> None:
    """sshd dies with all its sessions under wait, logs --follow and submit."""
    laptop = told.laptop
    script = "n=0; until [ -e ../go ]; do echo line $n; n=$((n + 1)); sleep 0.1; done; echo last"
    (run,) = told.submit(laptop.shell_job(script, name="follows"))
    told.until_queue(run, "RUNNING")
    told.status(run)
    waiting, following = told.start("wait", run, "--json"), told.start("logs", run, "--follow")
    laptop.there("mkdir", "-p", f"{laptop.root}/bin")
    slow = '#!/bin/sh\nsleep 4\nexec $(PATH=/usr/bin:/usr/local/bin command -v sbatch) "$@"\n'
    laptop.there("sh", "-c", 'printf %s "$1" >"$2" && chmod +x "$2"', "sh", slow, f"{laptop.root}/bin/sbatch")
    laptop.configure(f'slurm_bin = "{laptop.root}/bin"\n{OFTEN}')
    submitting = told.start("submit", laptop.shell_job("true", name="cut", more="hold = true\n"), "--json")
    told.submits += 1
    until(lambda: "cut-" in laptop.there("ls", f"{laptop.root}/runs"), "sbatch to be called")
    cluster.kill_logins()
    told.check_silence(run, "RUNNING")
    cut = finish(submitting)
    assert cut.code == 7, cut
    time.sleep(2)
    cluster.service("sshd")

    settled = until(
        lambda: [one for one in told.status().values() if one["name"] == "cut" and one["phase"] == "pending"],
        "the outcome",
        120,
    )[0]
    told.jobs[settled["run"]] = settled["job_id"]
    let_go(told, run)
    waited, followed = finish(waiting, 150), finish(following, 150)
    assert (waited.code, followed.code) == (0, 0), (waited, followed)
    assert "trying again" in waited.err
    assert "connection to hpc lost" in followed.err
    lines = [line for line in followed.out.splitlines() if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(len(lines))]
    assert "\nlast\n" in followed.out
    assert followed.out == laptop.run("logs", run).ok().out
    laptop.run("cancel", settled["run"]).ok()
    told.check_ends({run: "COMPLETED"})
    told.check_nothing_else(settled["run"])


def test_the_controllers_network_is_cut_for_a_while(cluster: SlurmCluster, told: Told) -> None:
    """Open connections swallow everything, and new ones do not come about; jobs run on."""
    laptop = told.laptop
    (run,) = told.submit(laptop.shell_job(GO, gpus=2, name="cable"))
    told.until_queue(run, "RUNNING")
    told.status(run)
    waiting, following = told.start("wait", run, "--json"), told.start("logs", run, "--follow")
    time.sleep(3)
    cluster.disconnect(CONTROLLER)
    told.check_silence(run, "RUNNING")
    let_go(told, run)
    cluster.connect(CONTROLLER)
    ended = finish(waiting, 150)
    assert ended.code == 0, ended
    assert finish(following, 150).code == 0
    told.check_ends({run: "COMPLETED"})
    told.check_nothing_else()


def test_root_cancels_holds_and_requeues(cluster: SlurmCluster, told: Told) -> None:
    """What an administrator does is told, and is not undone."""
    laptop = told.laptop
    again = 'echo "start ${SLURM_RESTART_COUNT:-0}"; [ "${SLURM_RESTART_COUNT:-0}" = 1 ] || sleep 300'
    ended, back, held, stopped = told.submit(
        laptop.shell_job("sleep 300", gpus=1, name="ended"),
        laptop.shell_job(again, gpus=2, name="back", more="requeue = true\n"),
        laptop.shell_job("true", name="held", more='begin = "now+1hour"\n'),
        laptop.shell_job("sleep 300", gpus=1, name="stopped", more="requeue = true\n"),
    )
    for run in (ended, back, stopped):
        told.until_queue(run, "RUNNING")
    waiting = [told.start("wait", run, "--json") for run in (ended, back)]
    time.sleep(2)
    for order, run in (("cancel", ended), ("requeue", back), ("hold", held), ("requeuehold", stopped)):
        command = ["scancel"] if order == "cancel" else ["scontrol", order]
        cluster.check([*command, str(told.jobs[run])])
    until(lambda: told.status(back)[back]["state"] == "PENDING", "the job to wait again")
    known = told.status(held, stopped)
    assert (known[held]["phase"], known[held]["reason"]) == ("pending", "JobHeldAdmin")
    until(lambda: told.status(stopped)[stopped]["phase"] == "pending", "the job to wait again, held")
    assert told.status(stopped)[stopped]["reason"]
    first, second = (finish(process, 120) for process in waiting)
    assert (first.code, second.code) == (11, 0), (first, second)
    told.check_ends({ended: "CANCELLED", back: "COMPLETED"})
    (job,) = told.status(back)[back]["jobs"]
    assert [one["state"] for one in job["allocations"]] == ["REQUEUED", "COMPLETED"]
    told.check_nothing_else()
    assert told.status(held, stopped)[stopped]["phase"] == "pending"
    laptop.run("cancel", held, stopped).ok()


def test_a_site_that_rewrites_comments(told: Told) -> None:
    """The client is killed while sbatch works; the job is found by its name, and a second submit does not make another."""
    laptop = told.laptop
    spec = laptop.shell_job("true", name="comment", more="hold = true\n")
    process = told.start("submit", spec, "--key", "k")
    told.submits += 1
    until(lambda: laptop.exists(f"{laptop.root}/runs") and laptop.there("ls", f"{laptop.root}/runs"), "the lock")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    settled = until(
        lambda: [one for one in told.status().values() if one["phase"] in {"pending", "refused"}], "the outcome", 120
    )[0]
    run = laptop.run("submit", spec, "--key", "k", "--json").ok().run
    told.submits += settled["job_id"] is None
    told.jobs[run["run"]] = run["job_id"]
    assert "Comment=site:" in laptop.there("scontrol", "show", "job", str(run["job_id"]))
    assert settled["job_id"] in {None, run["job_id"]}
    assert told.status(run["run"])[run["run"]]["phase"] == "pending"
    told.check_nothing_else(killed=1)
    laptop.run("cancel", run["run"]).ok()


class Ahead(SystemClock):
    """A clock that is an hour ahead."""

    def now(self) -> datetime:
        """The time in an hour."""
        return super().now() + timedelta(hours=1)


@pytest.fixture(params=VERSIONS)
def forgetful(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Told]:
    """A cluster of its own: one that forgets jobs gives their ids again."""
    clusters.ensure([request.param])
    with SlurmCluster(request.param, nodes=1, env=REQUEUE_WAIT) as started:
        made = Told(Laptop(tmp_path / "home", started, keys=OFTEN))
        yield made
        made.end()


def test_the_controller_forgets_its_jobs(forgetful: Told) -> None:
    """By a cold start, of which it tells the accounts; and by losing the file of its queue, of which nobody is told.

    Then sacct says RUNNING for ever: a runaway record. That is told, and the bill ends with the last sign of life.
    """
    told, laptop, cluster = forgetful, forgetful.laptop, forgetful.laptop.cluster
    cold = _run_one(told, "cold")
    waiting = told.start("wait", cold, "--json")
    time.sleep(2)
    cluster.cold_start()
    until(lambda: [one[0] for one in told.in_accounts(cold)[-1:]] == ["CANCELLED"], "the accounts to be told")
    assert finish(waiting, 120).code == 11
    told.check_ends({cold: "CANCELLED"})
    cluster.wait_ready()

    lost = _run_one(told, "lost")
    seen = told.status(lost)[lost]
    assert (seen["phase"], seen["state"]) == ("running", "RUNNING")
    cluster.lose_queue()
    time.sleep(15)
    if cluster.version == "22.05":
        until(lambda: told.in_accounts(lost)[-1][0] != "RUNNING", "the accounts to be told", 90)
    # 22.05 has told the accounts by now; a record that nobody ends looks like this on every version.
    row = f"id_job = {told.jobs[lost]} AND job_name = '{lost}'"
    cluster.sql(f"UPDATE sandbox_job_table SET state = 1, time_end = 0 WHERE {row}")
    known = told.status(lost)[lost]
    assert (known["phase"], known["state"]) == ("unknown", "RUNNING"), known
    assert known["observed_at"] == seen["observed_at"]
    assert told.in_accounts(lost)[-1][0] == "RUNNING"
    used = laptop.run("usage", lost, "--json").ok().document["runs"][0]
    assert used["provisional"], used
    # An hour later Slurm has gone on counting, and trainsub has not.
    with laptop.client(clock=Ahead()) as client:
        (later,) = client.status([lost]).runs
        (bill,) = client.usage([lost]).document.runs
    begun = billing.rows(cluster, told.jobs[lost], lost)[-1].start
    held = datetime.fromisoformat(seen["observed_at"]).timestamp() - begun
    assert (later.jobs[0].state, later.jobs[0].runaway) == ("RUNNING", True)
    assert bill.runaway
    assert bill.estimated
    assert bill.gpu_seconds is not None
    assert abs(bill.gpu_seconds - 2 * held) <= 4, (bill, held)
    assert laptop.run("wait", lost, "--timeout", "3").code == 124
    told.check_nothing_else()


def _run_one(told: Told, name: str) -> str:
    """Submit a job and wait until squeue and sacct call it running."""
    (run,) = told.submit(told.laptop.shell_job("sleep 300", gpus=2, name=name))
    told.until_queue(run, "RUNNING")
    until(lambda: told.in_accounts(run)[-1:] and told.in_accounts(run)[-1][0] == "RUNNING", "its record")
    return run
