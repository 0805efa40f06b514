"""A submission that is on its way is nobody's business but that of the process that sends it."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from verbs.desk import Desk, Elsewhere, plan, stamp, submitted

from trainsub import Client
from trainsub.errors import UnreachableError, UnsettledError

OTHERS: dict[str, Callable[[Client, str], object]] = {
    "status": lambda client, _: client.status(),
    "cancel": lambda client, other: client.cancel([other]),
    "logs": lambda client, other: list(client.logs(other)),
    "wait": lambda client, other: client.wait([other]),
    "usage": lambda client, _: client.usage(),
    "submit": lambda client, _: submitted(client, name="another"),
}


@pytest.mark.parametrize("verb", OTHERS)
def test_a_submission_in_flight_is_left_alone(desk: Desk, client: Client, verb: str) -> None:
    """Whatever is asked about other runs meanwhile, sbatch's answer decides, and it is called once."""
    other = submitted(client)
    desk.alpha.ended(other)
    go = desk.alpha.holds("sbatch")
    sender = desk.client()
    sending = plan(sender, "slow")
    flight = Elsewhere(lambda: sender.submit(sending))
    desk.alpha.met("sbatch")
    if verb == "submit":
        go()  # this one would be held too; it may overtake or not
    OTHERS[verb](client, other.run)
    if verb != "submit":
        assert next(run for run in client.status(cached=True).runs if run.run == sending.run).outcome == "open"
    go()
    assert flight.result().outcome == "accepted"
    names = [next(word for word in call if word.startswith("--job-name=")) for call in desk.alpha.slurm.calls("sbatch")]
    assert names.count(f"--job-name={sending.run}") == 1


def test_a_run_in_flight_that_is_named_is_not_decided_upon(desk: Desk, client: Client) -> None:
    """Cancel and logs say that it is just being submitted (exit 7); nobody asks the cluster what became of it."""
    go = desk.alpha.holds("sbatch")
    sender = desk.client()
    sending = plan(sender, "slow")
    flight = Elsewhere(lambda: sender.submit(sending))
    desk.alpha.met("sbatch")
    for ask in (lambda: client.cancel([sending.run]), lambda: list(client.logs(sending.run))):
        with pytest.raises(UnsettledError, match="right now"):
            ask()
    go()
    assert flight.result().outcome == "accepted"
    assert [run.outcome for run in client.status().runs] == ["accepted"]


def test_a_run_is_left_alone_while_its_code_is_sent(desk: Desk, client: Client, tmp_path: Path) -> None:
    """A slow uplink, and another terminal that asks for the status."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "train.py").write_text("print()")
    path = tmp_path / "project" / "job.toml"
    path.write_text('name = "demo"\ncommand = ["true"]\n[slurm]\nnodes = 1\ntime = "10"\n')
    sender = desk.client()
    sending = sender.plan(path)
    started, go = threading.Event(), threading.Event()

    def slowly(_sent: int, _size: int) -> None:
        started.set()
        go.wait(20)

    flight = Elsewhere(lambda: sender.submit(sending, progress=slowly))
    assert started.wait(20)
    assert [run.outcome for run in client.status().runs] == ["open"]
    go.set()
    assert flight.result().outcome == "accepted"


def test_what_a_dead_process_left_is_settled(desk: Desk, client: Client) -> None:
    """The connection was cut before the answer came: the next command finds the job."""
    desk.alpha.road.cuts = [90]
    desk.alpha.road.blocked = [None, UnreachableError("no route to host")]
    with pytest.raises(UnsettledError):
        submitted(client, "cut")
    desk.alpha.road.blocked = []
    (run,) = desk.client().status().runs
    assert (run.outcome, run.jobs[0].state) == ("accepted", "PENDING")
    assert len(desk.alpha.slurm.calls("sbatch")) == 1


def test_a_job_that_came_after_its_run_was_given_up_is_cancelled(desk: Desk, client: Client) -> None:
    """The next poll sees it in the queue; with the same name below another remote root it is another's."""
    other = submitted(client)
    sending = plan(client, "k")
    fence = desk.alpha.root / "runs" / sending.run
    fence.mkdir(parents=True)
    (fence / "owner.1").symlink_to("void")
    assert client.submit(sending).run == sending.renewed(2).run
    late, now = f"trainsub:{sending.run}:1", stamp()
    desk.alpha.shows(other, "RUNNING", submitted=stamp())
    elsewhere = f"/elsewhere/runs/{sending.run}/work"
    desk.alpha.slurm.queue(4711, sending.run, late, state="PENDING", submitted=now, folder=elsewhere)
    desk.clock.skip(minutes=2)
    client.status()
    assert desk.alpha.slurm.calls("scancel") == []
    desk.alpha.slurm.queue(4712, sending.run, late, state="PENDING", submitted=now)
    desk.clock.skip(minutes=2)
    client.status()
    assert desk.alpha.slurm.calls("scancel") == [[f"--name={sending.run}", "4712"]]
    assert any("job 4712 came after" in line for line in desk.told)
