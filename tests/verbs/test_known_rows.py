"""Rows of squeue that are as they were are not read again, and nothing is lost by that."""

from datetime import timedelta

from verbs.desk import Desk, stamp, submitted

from trainsub import Client
from trainsub.store import Store


def test_a_known_row_makes_a_state_younger(desk: Desk, client: Client) -> None:
    """Each look is a new observation, in the store too; a second process sees the same."""
    runs = [submitted(client) for _ in range(3)]
    begun = stamp(-60)
    for run in runs:
        desk.alpha.add(run, "RUNNING", start=begun)
    for _ in range(3):
        desk.clock.skip(seconds=31)
        jobs = [run.jobs[0] for run in client.status().runs]
        assert [(job.state, job.observed_at) for job in jobs] == [("RUNNING", desk.clock.now())] * 3
        assert [run.jobs[0] for run in desk.client().status(cached=True).runs] == jobs


def test_one_that_changes_is_read(desk: Desk, client: Client) -> None:
    """Among others that do not."""
    runs = [submitted(client) for _ in range(3)]
    begun = stamp(-60)
    for state in ("PENDING", "RUNNING", "RUNNING", "COMPLETING"):
        desk.alpha.clear()
        desk.alpha.add(runs[0], "RUNNING", start=begun)
        desk.alpha.add(runs[1], state, start=begun)
        desk.alpha.add(runs[2], "RUNNING", start=begun)
        desk.clock.skip(seconds=31)
        seen = {run.run: run.jobs[0].state for run in client.status().runs}
        assert seen == {runs[0].run: "RUNNING", runs[1].run: state, runs[2].run: "RUNNING"}


def test_a_row_that_was_gone_and_is_back_is_read(desk: Desk, client: Client) -> None:
    """It is the very row that was known before: the job is not missing any more."""
    run = submitted(client)
    begun = stamp(-60)
    desk.alpha.shows(run, "RUNNING", start=begun)
    client.status()
    desk.clock.skip(seconds=31)
    desk.alpha.clear()
    assert client.status().runs[0].jobs[0].missing_since == desk.clock.now()
    desk.clock.skip(seconds=31)
    desk.alpha.shows(run, "RUNNING", start=begun)
    job = client.status().runs[0].jobs[0]
    assert (job.state, job.missing_since, job.observed_at) == ("RUNNING", None, desk.clock.now())


def test_an_id_that_is_used_again_is_another_row(desk: Desk, client: Client) -> None:
    """A stranger's job under the same id is not taken for what was known."""
    run = submitted(client)
    begun = stamp(-60)
    desk.alpha.shows(run, "RUNNING", start=begun)
    client.status()
    desk.alpha.shows(run, "RUNNING", start=begun, name="stranger", comment="")
    desk.clock.skip(seconds=31)
    assert client.status().runs[0].jobs[0].missing_since == desk.clock.now()


def test_what_another_process_wrote_meanwhile_stands(desk: Desk, client: Client) -> None:
    """The list that one process keeps is read anew when the store was written to by another."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING", start=stamp(-60))
    client.status()
    other = desk.client()
    desk.alpha.ended(run)
    desk.clock.skip(seconds=31)
    assert other.status().runs[0].jobs[0].state == "COMPLETED"
    assert client.status().runs[0].jobs[0].state == "COMPLETED"
    late = submitted(other)
    assert {one.run for one in client.status(cached=True).runs} == {run.run, late.run}


def test_marks_survive_in_the_store(desk: Desk, client: Client) -> None:
    """They are there while squeue's word stands, and gone with it."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING", start=stamp(-60))
    client.status()

    def mark() -> int | None:
        with Store(desk.folder / "state" / "store.sqlite") as store:
            return store.lists.open_jobs("alpha", None)[0].seen_row

    assert mark() is not None
    desk.alpha.ended(run)
    desk.clock.time += timedelta(seconds=31)
    client.status()
    assert mark() is None
