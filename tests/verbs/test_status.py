import os
import subprocess
import sys

import pytest
from standins import wait_until
from verbs.desk import SILENT, Desk, stamp, submitted

from trainsub import Client, Run
from trainsub.errors import SlurmSilentError, UnknownClusterError, UnknownRunError, UnreachableError, UnsettledError
from trainsub.tracker.track import accounted


def state(client: Client, run: Run) -> str | None:
    """What the store knows of a run's job."""
    (known,) = client.status([run.run], cached=True).runs
    return known.jobs[0].state


def test_a_silent_slurm_changes_nothing_and_is_told(desk: Desk, client: Client) -> None:
    """Its own words are in the error, whose exit code is 4; what was known stands, with its time."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING")
    before = client.status().runs
    desk.alpha.slurm.says("squeue", SILENT)
    desk.clock.skip(minutes=5)
    told = client.status()
    assert told.runs == before
    (error,) = told.unasked.values()
    assert isinstance(error, SlurmSilentError)
    assert error.exit_code == 4
    assert error.message.startswith("squeue on cluster alpha failed: ")
    assert "Unable to contact slurm controller" in error.message


def test_what_was_never_seen_is_asked_for(desk: Desk, client: Client) -> None:
    """Even if the cluster has answered a moment ago: that was before this run was submitted."""
    first = submitted(client)
    desk.alpha.shows(first, "RUNNING")
    client.status()
    desk.clock.skip(seconds=1)
    second = submitted(client)
    desk.alpha.add(second, "RUNNING")
    assert [run.jobs[0].state for run in client.status().runs] == ["RUNNING", "RUNNING"]
    desk.alpha.slurm.says("squeue", SILENT)
    assert client.status().unasked == {}  # now it need not be asked again


def test_an_odd_line_of_squeue_spoils_one_cluster_only(desk: Desk, client: Client) -> None:
    """Nothing is guessed from it, and the others are asked all the same."""
    first, second = submitted(client), submitted(client, cluster="beta")
    desk.alpha.slurm.says("squeue", "echo 'Welcome to alpha!'")
    desk.beta.shows(second, "RUNNING")
    told = client.status()
    assert list(told.unasked) == ["alpha"]
    assert (state(client, first), state(client, second)) == (None, "RUNNING")


def test_an_unreachable_cluster_spoils_one_cluster_only(desk: Desk, client: Client) -> None:
    """The other one is asked all the same."""
    submitted(client)
    second = submitted(client, cluster="beta")
    desk.alpha.road.blocked = [UnreachableError("no route to host")]
    desk.beta.shows(second, "RUNNING")
    assert list(client.status().unasked) == ["alpha"]
    assert state(client, second) == "RUNNING"


@pytest.mark.parametrize("garbage", ["echo 'Welcome!'", "exit 1"])
def test_squeue_counts_where_sacct_fails(desk: Desk, client: Client, garbage: str) -> None:
    """What squeue said stands, and sacct is asked again later."""
    gone, there = submitted(client), submitted(client)
    desk.alpha.ended(gone)
    desk.alpha.add(there, "RUNNING")
    desk.alpha.slurm.before("sacct", f"{garbage}; exit")
    assert client.status().unasked == {}
    assert (state(client, gone), state(client, there)) == (None, "RUNNING")
    desk.alpha.slurm.before("sacct", "")
    desk.clock.skip(minutes=1)
    client.status()
    assert state(client, gone) == "COMPLETED"


def test_odd_resources_are_unknown_and_hide_nothing_else(desk: Desk, client: Client) -> None:
    """A record whose AllocTRES cannot be read has an unknown number of GPUs."""
    odd, fine = submitted(client), submitted(client)
    desk.alpha.ended(odd, tres="cpu=1,gres/gpu=8.5")
    desk.alpha.accounts(fine, "COMPLETED")
    runs = {run.run: run.jobs[0] for run in client.status().runs}
    assert (runs[odd.run].state, runs[odd.run].allocations[0].gpus) == ("COMPLETED", None)
    assert (runs[fine.run].state, runs[fine.run].allocations[0].gpus) == ("COMPLETED", 8)


def test_odd_settings_hide_nothing(desk: Desk, client: Client) -> None:
    """scontrol is asked only whether GPUs are recorded; if it babbles, that is not known."""
    run = submitted(client)
    desk.alpha.ended(run, tres="cpu=1")
    desk.alpha.slurm.says("scontrol", "echo babble")
    told = client.status()
    assert told.unasked == {}
    assert (told.runs[0].jobs[0].state, told.runs[0].jobs[0].allocations[0].gpus) == ("COMPLETED", None)


def test_a_run_that_cannot_be_settled_hides_nothing_else(desk: Desk, client: Client) -> None:
    """A fence that holds nonsense is told, and the other runs of the cluster are asked for all the same."""
    run = submitted(client)
    desk.alpha.road.cuts = [90]
    desk.alpha.road.blocked = [None, UnreachableError("no route")]
    with pytest.raises(UnsettledError):
        submitted(client, "odd")
    desk.alpha.road.blocked = []
    (odd,) = [one for one in client.status(cached=True).runs if one.outcome == "unknown"]
    fence = desk.alpha.root / "runs" / odd.run / "owner.1"
    wait_until(fence.is_symlink)
    fence.unlink()
    fence.symlink_to("nonsense")
    desk.alpha.shows(run, "RUNNING")
    assert client.status().unasked == {}
    assert state(client, run) == "RUNNING"
    assert "nonsense" in desk.told[-1]


def test_a_moment_later_nothing_is_asked_again(desk: Desk, client: Client) -> None:
    """Two commands within fifteen seconds are one question."""
    submitted(client)
    client.status()
    execs = desk.alpha.road.execs
    client.status()
    assert desk.alpha.road.execs == execs
    desk.clock.skip(seconds=16)
    client.status()
    assert desk.alpha.road.execs == execs + 1


@pytest.mark.parametrize("verb", ["cancel", "logs"])
def test_who_asks_for_one_run_observes_them_all(desk: Desk, client: Client, verb: str) -> None:
    """So that a status a moment later, which asks nothing, shows no older state of the others."""
    first, second = submitted(client), submitted(client)
    desk.alpha.shows(first, "RUNNING")
    desk.alpha.add(second, "RUNNING")
    if verb == "cancel":
        client.cancel([first.run])
    else:
        desk.clock.after(1, lambda: desk.alpha.shows(second, "RUNNING"))
        desk.clock.after(1, lambda: desk.alpha.accounts(first, "COMPLETED"))
        assert list(client.logs(first.run, follow=True)) == []
    execs = desk.alpha.road.execs
    client.status()
    assert desk.alpha.road.execs == execs
    assert state(client, second) == "RUNNING"


def test_a_clock_that_was_ahead_freezes_nothing(desk: Desk, client: Client) -> None:
    """The laptop's clock is set back by a year: what was asked in the year to come is not newer than what is asked."""
    run = submitted(client)
    desk.clock.skip(days=365)
    desk.alpha.shows(run, "PENDING")
    client.status()
    desk.clock.skip(days=-365)
    desk.alpha.shows(run, "RUNNING")
    client.status()
    assert state(client, run) == "RUNNING"


def test_a_failure_is_told_once_its_accounts_come(desk: Desk, client: Client) -> None:
    """squeue told the end first; the record with the exit code is asked for until it is there."""
    run = submitted(client)
    desk.alpha.shows(run, "FAILED", end=stamp())
    assert client.status().runs[0].jobs[0].exit_code is None
    desk.clock.skip(minutes=10)
    desk.alpha.ended(run, "FAILED", code="76:0")
    code = client.status().runs[0].jobs[0].exit_code
    assert code is not None
    assert code.code == 76


def test_an_old_record_of_a_requeued_job_is_not_its_end(desk: Desk, client: Client) -> None:
    """It was preempted, ran again and ended: both records are waited for, and both are billed."""
    run = submitted(client)
    desk.alpha.shows(run, "COMPLETED", start=stamp(-600), end=stamp())
    preempted = {"submitted": stamp(-4300), "start": stamp(-4200), "end": stamp(-2400)}
    desk.alpha.accounts(run, "PREEMPTED", **preempted)
    job = client.status().runs[0].jobs[0]
    assert (job.state, len(job.allocations), accounted(job, desk.clock.now())) == ("COMPLETED", 1, False)
    desk.clock.skip(minutes=1)
    desk.alpha.accounts(run, "COMPLETED", submitted=stamp(-2400), start=stamp(-600))
    job = client.status().runs[0].jobs[0]
    assert ([one.state for one in job.allocations], accounted(job, desk.clock.now())) == (
        ["PREEMPTED", "COMPLETED"],
        True,
    )
    assert client.usage().total.gpu_seconds == 8 * (1800 + 600)


@pytest.mark.parametrize("hours", [-2, 2])
def test_late_accounts_are_asked_for_by_a_wrong_clock_too(desk: Desk, client: Client, hours: int) -> None:
    """How lately a job ended is told by one clock, not by the difference of two."""
    desk.clock.skip(hours=hours)
    run = submitted(client)
    desk.alpha.shows(run, "FAILED", end=stamp())
    client.status()
    desk.clock.skip(minutes=1)
    desk.alpha.ended(run, "FAILED", code="3:0")
    assert client.status().runs[0].jobs[0].exit_code is not None


def test_only_the_named_cluster_is_meant(desk: Desk, client: Client) -> None:
    """A client of one cluster neither sees nor touches runs on another, and asks nothing there."""
    first, second = submitted(client), submitted(client, cluster="beta")
    desk.alpha.ended(first)
    desk.beta.ended(second)
    only = desk.client(cluster="beta")
    execs = desk.alpha.road.execs
    assert [run.run for run in only.status().runs] == [second.run]
    assert [run.run for run in only.usage().runs] == [second.run]
    assert only.status(["1000"]).runs[0].run == second.run
    for verb in (only.cancel, only.wait, only.status, only.usage):
        with pytest.raises(UnknownRunError, match="beta"):
            verb([first.run])
    for one in (only.history, lambda run: list(only.logs(run))):
        with pytest.raises(UnknownRunError):
            one(first.run)
    assert desk.alpha.road.execs == execs
    with pytest.raises(UnknownClusterError):
        desk.client(cluster="gamma")


def test_a_cluster_that_is_no_longer_configured(desk: Desk, client: Client) -> None:
    """Its runs are shown with a note, and that is no failure; who asks for one of them by name is told (exit 6)."""
    run = submitted(client)
    client.close()
    desk.configure(clusters=["beta"])
    env = {**os.environ, **desk.environ, "TRAINSUB_CONFIG": str(desk.config)}

    def status(*names: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "trainsub", "status", *names]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)

    for code, done in ((0, status()), (6, status(run.run))):
        assert done.returncode == code
        assert run.run in done.stdout
        assert "cluster alpha could not be asked" in done.stderr


def test_a_job_whose_name_a_site_changed_is_known_by_its_comment(desk: Desk, client: Client) -> None:
    """And a stranger that was given its id later is not taken for it."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING", name="renamed-by-the-site")
    client.status()
    assert state(client, run) == "RUNNING"
    desk.alpha.shows(run, "PENDING", name="stranger", comment="")
    desk.clock.skip(minutes=1)
    (seen,) = client.status().runs
    assert (seen.jobs[0].state, seen.jobs[0].missing_since) == ("RUNNING", desk.clock.now())
