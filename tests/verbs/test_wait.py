import pytest
from standins import wait_until
from verbs.desk import SILENT, Desk, Elsewhere, plan, stamp, submitted

from trainsub import Client
from trainsub.errors import (
    AuthError,
    DeadlineError,
    HostKeyError,
    SlurmSilentError,
    TrainsubError,
    UnreachableError,
    UnsettledError,
)
from trainsub.tracker.outcome import exit_code


@pytest.mark.parametrize(
    "error", [UnreachableError("no route"), AuthError("permission denied"), HostKeyError("it changed")]
)
def test_a_cluster_that_was_never_reached_is_an_error(desk: Desk, client: Client, error: TrainsubError) -> None:
    """There is nothing to wait for."""
    run = submitted(client)
    desk.alpha.road.blocked = [error]
    with pytest.raises(type(error)):
        client.wait([run.run])
    assert desk.clock.slept == []


@pytest.mark.parametrize("error", [AuthError("permission denied"), HostKeyError("it changed")])
def test_who_is_not_let_in_any_more_stops_waiting(desk: Desk, client: Client, error: TrainsubError) -> None:
    """It takes a person to mend that."""
    run = submitted(client)
    desk.alpha.road.blocked = [None, error]
    with pytest.raises(type(error)):
        client.wait([run.run])


def test_a_cluster_that_is_away_for_a_while_is_asked_again(desk: Desk, client: Client) -> None:
    """The run goes on without us, and its end is learned when the way is free again."""
    run = submitted(client)
    away = UnreachableError("no route")
    desk.alpha.road.blocked = [None, away, away, away, None]
    desk.clock.after(60, lambda: desk.alpha.ended(run))
    (done,) = client.wait([run.run])
    assert done.jobs[0].state == "COMPLETED"
    assert [line for line in desk.told if "alpha" in line] == [
        "cluster alpha could not be asked, trying again: no route",
        "cluster alpha answers again",
    ]


def test_a_slurm_that_is_silent_for_a_while_is_asked_again(desk: Desk, client: Client) -> None:
    """A restart of the controller ends no wait; one that never answered does."""
    run = submitted(client)
    speaks = (desk.alpha.slurm.state / "squeue.script").read_text()
    desk.clock.after(1, lambda: desk.alpha.slurm.says("squeue", SILENT))
    desk.clock.after(30, lambda: desk.alpha.slurm.says("squeue", speaks))
    desk.clock.after(60, lambda: desk.alpha.ended(run))
    assert client.wait([run.run])[0].jobs[0].state == "COMPLETED"
    other = submitted(client)
    desk.alpha.slurm.says("squeue", SILENT)
    with pytest.raises(SlurmSilentError):
        client.wait([other.run])


def test_the_time_is_up_and_the_job_goes_on(desk: Desk, client: Client) -> None:
    """Exit code 124, at the second; nobody is told to stop."""
    run = submitted(client)
    with pytest.raises(DeadlineError) as caught:
        client.wait([run.run], timeout=100)
    assert caught.value.exit_code == 124
    assert sum(desk.clock.slept) == pytest.approx(100)
    assert desk.alpha.slurm.calls("scancel") == []


def test_a_run_that_slurm_does_not_show_is_told_once(desk: Desk, client: Client) -> None:
    """It is waited for all the same: its end is not known."""
    run = submitted(client)
    desk.alpha.clear()
    desk.clock.after(200, lambda: desk.alpha.ended(run))
    client.wait([run.run])
    assert sum("neither squeue nor sacct" in line for line in desk.told) == 1


def test_the_exit_code_of_a_failure_is_waited_for(desk: Desk, client: Client) -> None:
    """The nodes were at fault (76): that is exit code 12, which only the late accounts tell."""
    run = submitted(client)
    desk.alpha.shows(run, "FAILED", end=stamp())
    desk.clock.after(3, lambda: desk.alpha.accounts(run, "FAILED", code="76:0"))
    assert exit_code(client.wait([run.run])) == 12


def test_accounts_that_do_not_come_are_not_waited_for_long(desk: Desk, client: Client) -> None:
    """Then it is a failure like any other, some seconds later."""
    run = submitted(client)
    desk.alpha.shows(run, "FAILED", end=stamp())
    assert exit_code(client.wait([run.run])) == 10
    assert sum(desk.clock.slept) < 20


def test_a_run_in_flight_is_waited_for(desk: Desk, client: Client) -> None:
    """Another terminal submits it just now: nothing is decided about it, and its end is seen."""
    go = desk.alpha.holds("sbatch")
    sender = desk.client()
    sending = plan(sender, "slow")
    flight = Elsewhere(lambda: sender.submit(sending))
    desk.alpha.met("sbatch")

    def arrives() -> None:
        go()
        desk.alpha.ended(flight.result())

    desk.clock.after(10, arrives)
    (done,) = client.wait([sending.run])
    assert (done.outcome, done.jobs[0].state) == ("accepted", "COMPLETED")


def test_a_run_that_stays_unsettled_fills_no_history(desk: Desk, client: Client) -> None:
    """However often the cluster is asked about it, that it is unknown is noted once."""
    desk.alpha.road.cuts = [90]
    desk.alpha.road.blocked = [None, UnreachableError("no route")]
    with pytest.raises(UnsettledError):
        submitted(client, "lost")
    desk.alpha.road.blocked = []
    (run,) = client.status(cached=True).runs
    folder = desk.alpha.root / "runs" / run.run
    wait_until((folder / "owner.1").is_symlink)
    (folder / "owner.1").unlink()
    (folder / "answer.1").unlink()
    (folder / "submit.1").write_text(f"{stamp(-3600)} 60\n")
    desk.alpha.slurm.says("squeue", SILENT)
    with pytest.raises(DeadlineError):
        client.wait([run.run], timeout=60)
    assert [event.what for event in client.history(run.run)] == ["intent recorded", "submission unknown"]


def test_runs_on_two_clusters_are_waited_for_together(desk: Desk, client: Client) -> None:
    """The worst end is the exit code."""
    runs = [submitted(client), submitted(client, cluster="beta")]
    desk.clock.after(5, lambda: desk.alpha.ended(runs[0], "TIMEOUT"))
    desk.clock.after(50, lambda: desk.beta.ended(runs[1]))
    done = client.wait([run.run for run in runs])
    assert [run.jobs[0].state for run in done] == ["TIMEOUT", "COMPLETED"]
    assert exit_code(done) == 12
