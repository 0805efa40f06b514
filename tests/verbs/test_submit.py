import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from standins import REFUSE, wait_until
from verbs.desk import Clock, Desk, Elsewhere, Road, plan, stamp, submitted

from trainsub import Client
from trainsub.errors import AuthError, RefusedError, StoreError, TransportError, UnreachableError, UnsettledError
from trainsub.store import files
from trainsub.transport.base import Channel

DOWN = UnreachableError("no route to host")


def outcomes(client: Client) -> list[tuple[str, str]]:
    """Where the runs are, and what became of them."""
    return [(run.cluster, run.outcome) for run in client.status(cached=True).runs]


def lose(desk: Desk, client: Client, key: str | None = None) -> None:
    """Let an answer be lost, and the cluster be away from then on."""
    desk.alpha.road.cuts = [90]
    desk.alpha.road.blocked = [None, DOWN]
    with pytest.raises(UnsettledError, match="no route") as caught:
        submitted(client, key)
    assert caught.value.exit_code == 7


def test_a_lost_answer_is_found_by_the_same_command(desk: Desk, client: Client) -> None:
    """Over a new connection, and it may take several tries."""
    desk.alpha.road.cuts = [90]
    desk.alpha.road.blocked = [None, DOWN, DOWN, None]
    run = submitted(client, "k")
    assert (run.outcome, run.jobs[0].job_id) == ("accepted", 1000)
    assert outcomes(client) == [("alpha", "accepted")]
    assert len(desk.alpha.slurm.calls("sbatch")) == 1
    assert desk.clock.slept == [1, 2]
    assert "for 60 s at most" in desk.told[0]
    assert "was accepted as job 1000" in desk.told[-1]


def test_what_did_not_arrive_is_given_up_by_the_same_command(desk: Desk, client: Client) -> None:
    """Exit code 4, the fence is there, and the same key goes on as another run."""
    sending = plan(client, "k")
    desk.alpha.road.sends = [500]
    with pytest.raises(TransportError, match="none will train") as caught:
        client.submit(sending)
    assert caught.value.exit_code == 4
    assert outcomes(client) == [("alpha", "void")]
    assert str((desk.alpha.root / "runs" / sending.run / "owner.1").readlink()) == "void"
    again = client.submit(sending)
    assert (again.run, again.outcome) == (sending.renewed(2).run, "accepted")
    assert len(desk.alpha.slurm.calls("sbatch")) == 1


def test_a_refusal_that_was_lost_is_told_by_the_same_command(desk: Desk, client: Client) -> None:
    """With the words that matter."""
    desk.alpha.slurm.refuses()
    desk.alpha.road.cuts = [90]
    with pytest.raises(RefusedError, match="Invalid partition"):
        submitted(client, "k")
    assert outcomes(client) == [("alpha", "refused")]


def test_what_was_refused_to_somebody_else_says_nothing_of_this(desk: Desk, client: Client) -> None:
    """Their spec may have been another one: they left a refusal, and the same key of this machine is submitted."""
    desk.alpha.slurm.before("sbatch", f'[ "$n" -gt 0 ] || {{ {REFUSE}; }}')
    lose(desk, desk.client(state="other"), "k")
    desk.alpha.road.blocked = []
    run = submitted(client, "k")
    assert (run.outcome, run.jobs[0].job_id) == ("accepted", 1001)
    assert "another submission of it was refused" in desk.told[-1]
    assert "Invalid partition" in desk.told[-1]


def test_a_refusal_found_for_a_lost_answer_may_be_somebody_elses(desk: Desk, client: Client) -> None:
    """The connection broke before sbatch was seen to be called: what is found there is no answer to this plan."""
    desk.alpha.slurm.before("sbatch", f'[ "$n" -gt 0 ] || {{ {REFUSE}; }}')
    lose(desk, desk.client(state="other"), "k")
    desk.alpha.road.blocked = []
    desk.alpha.road.sends = [500]
    run = submitted(client, "k")
    assert (run.outcome, run.jobs[0].job_id) == ("accepted", 1001)
    assert "another submission of it was refused" in desk.told[-1]


def test_a_refusal_that_nobody_can_remove_is_told(desk: Desk, client: Client) -> None:
    """It is not met again and again."""
    desk.alpha.slurm.refuses()
    lose(desk, desk.client(state="other"), "k")
    desk.alpha.road.blocked = []
    (desk.alpha.root / "runs" / plan(client, "k").run / "owner.1").symlink_to("gone")
    with pytest.raises(RefusedError, match=r"refused another submission .*Invalid partition") as caught:
        submitted(client, "k")
    assert "in ten minutes" in str(caught.value.hint)
    assert len(desk.alpha.slurm.calls("sbatch")) == 1
    assert outcomes(client) == [("alpha", "refused")]


def test_nobody_is_asked_for_a_password_again_and_again(desk: Desk, client: Client) -> None:
    """What the login node does not accept now it will not accept a second later; tries may lock the account."""
    desk.alpha.road.cuts = [90]
    desk.alpha.road.blocked = [None, AuthError("no such key")]
    with pytest.raises(UnsettledError, match="no such key"):
        submitted(client, "k")
    assert desk.clock.slept == []


def test_who_waits_for_another_terminal_is_told(desk: Desk, client: Client) -> None:
    """The same key at once in two terminals: the second says what it waits for."""
    go = desk.alpha.holds("sbatch")
    another = desk.client()
    first = Elsewhere(lambda: submitted(another, "k"))
    desk.alpha.met("sbatch")
    second = Elsewhere(lambda: submitted(client, "k"))
    wait_until(lambda: any("another trainsub" in line for line in desk.told))
    go()
    assert first.result().run == second.result().run


def test_the_same_key_finds_the_run_on_whatever_cluster(desk: Desk, client: Client) -> None:
    """It was accepted elsewhere: that run stands, and nothing is sent."""
    first = submitted(client, "k")
    assert submitted(client, "k", "beta").jobs == first.jobs
    assert "cluster alpha" in desk.told[-1]
    assert desk.beta.road.execs == 0
    assert outcomes(client) == [("alpha", "accepted")]


def test_an_unsettled_key_is_settled_where_it_went(desk: Desk, client: Client) -> None:
    """Its job is found on the first cluster, and the second one is not asked to run it too."""
    lose(desk, client, "k")
    desk.alpha.road.blocked = []
    assert submitted(client, "k", "beta").cluster == "alpha"
    assert desk.beta.slurm.calls("sbatch") == []


def test_an_unsettled_key_on_a_cluster_that_is_away_goes_nowhere(desk: Desk, client: Client) -> None:
    """Nobody knows whether there is a job, so there must not be another."""
    lose(desk, client, "k")
    with pytest.raises(UnreachableError):
        submitted(client, "k", "beta")
    assert desk.beta.slurm.calls("sbatch") == []
    assert outcomes(client) == [("alpha", "unknown")]


def test_a_refused_key_may_go_elsewhere(desk: Desk, client: Client) -> None:
    """There is no job and will be none, so the key is free."""
    desk.alpha.slurm.refuses()
    with pytest.raises(RefusedError, match="Invalid partition"):
        submitted(client, "k")
    assert submitted(client, "k", "beta").outcome == "accepted"
    assert outcomes(client) == [("beta", "accepted")]


def test_a_key_whose_run_was_given_up_goes_on_as_another_run(desk: Desk, client: Client) -> None:
    """The fence of the first one stays; the second is found by the same key, from any machine."""
    sending = plan(client, "k")
    fence = desk.alpha.root / "runs" / sending.run
    fence.mkdir(parents=True)
    (fence / "owner.1").symlink_to("void")
    runs = [client.submit(sending), client.submit(sending), submitted(desk.client(state="other machine"), "k")]
    assert {run.jobs[0].job_id for run in runs} == {1000}
    assert {run.run for run in runs} == {sending.renewed(2).run}
    assert sorted(outcomes(client)) == [("alpha", "accepted"), ("alpha", "void")]


@pytest.mark.parametrize("hours", [-1, 0, 1, 5])
def test_a_run_found_by_its_key_is_known_as_it_was(desk: Desk, client: Client, hours: int) -> None:
    """Another machine, whose clock is wrong, finds it after its end: its time, its records, its bill."""
    began = submitted(client, "k").jobs[0].submitted
    clock = Clock()
    clock.skip(hours=hours)
    other = desk.client(clock=clock, state="other machine")
    found = submitted(other, "k")
    assert abs(found.jobs[0].submitted - began) < timedelta(minutes=1)
    desk.alpha.ended(found, submitted=stamp(-5 * 3600), start=stamp(-4 * 3600), end=stamp(-3 * 3600))
    (done,) = other.wait([found.run], timeout=60)
    assert done.jobs[0].state == "COMPLETED"
    assert other.usage([found.run]).total.gpu_seconds == 8 * 3600
    assert len(desk.alpha.slurm.calls("sbatch")) == 1


def test_after_an_upgrade_a_key_is_the_same_spec(desk: Desk, client: Client) -> None:
    """Another version renders another script; nothing of that is told, but another spec is."""
    first = plan(client, "k")
    client.submit(first)
    later = replace(first, script=first.script + "# newer\n", plan_hash="f" * 64)
    client.submit(later)
    assert "was submitted before; that run stands" in desk.told[-1]
    desk.client(state="other machine").submit(later)
    assert "other code" not in desk.told[-1]
    submitted(client, "k", slurm__nodes=2)
    assert "with another spec or other code" in desk.told[-1]


@pytest.mark.parametrize("synced", [False, True])
def test_a_run_found_by_its_key_was_submitted_when_it_was(desk: Desk, client: Client, *, synced: bool) -> None:
    """So that `usage --since` counts it where it belongs; what an earlier version recorded is mended by sync."""
    first = submitted(client, "k")
    clock = Clock()
    clock.skip(days=3)
    other = desk.client(clock=clock, state="other machine")
    found = submitted(other, "k")
    if synced:
        path = desk.folder / "other machine" / "store.sqlite"
        late = clock.now().isoformat()
        with closing(sqlite3.connect(path)) as db:
            db.execute("UPDATE runs SET created_at = ?", (late,))
            db.execute("UPDATE jobs SET submitted = ?", (late,))
            db.commit()
        for name in ("squeue", "sacct"):
            desk.alpha.slurm.says(name, "")
        assert other.sync("alpha").updated == [first.run]
        (found,) = other.status(cached=True).runs
    assert found.created_at == first.created_at
    assert abs(found.jobs[0].submitted - first.created_at) < timedelta(minutes=1)
    assert not other.usage(since=clock.now() - timedelta(days=1), cached=True).runs


def test_days_later_the_records_are_still_found(desk: Desk, client: Client) -> None:
    """sacct's window begins before the mark that the submission left on the cluster, not when it was found."""
    run = submitted(client, "k")
    (desk.alpha.root / "runs" / run.run / "submit.1").write_text(f"{stamp(-9 * 86400)} 60\n")
    other = desk.client(state="other machine")
    found = submitted(other, "k")
    desk.alpha.ended(found, submitted=stamp(-9 * 86400), start=stamp(-9 * 86400), end=stamp(-8 * 86400))
    assert other.status().runs[0].jobs[0].state == "COMPLETED"


def test_a_failure_before_anything_was_sent_leaves_no_intent(desk: Desk, client: Client) -> None:
    """There is nothing to settle, so nothing is kept."""
    desk.alpha.road.blocked = [DOWN]
    with pytest.raises(UnreachableError):
        submitted(client, "k")
    assert outcomes(client) == []


def test_a_failure_after_a_refusal_leaves_the_refusal(desk: Desk, client: Client) -> None:
    """What the cluster said stays known, with its words."""
    desk.alpha.slurm.refuses()
    with pytest.raises(RefusedError):
        submitted(client, "k")
    (before,) = client.status(cached=True).runs
    desk.alpha.road.blocked = [DOWN]
    with pytest.raises(UnreachableError):
        submitted(client, "k", slurm__nodes=2)
    assert client.status(cached=True).runs == (before,)
    assert "Invalid partition" in (before.detail or "")


def test_two_that_submit_the_same_key_get_one_job(desk: Desk, client: Client) -> None:
    """The second waits for the first one's answer, and it is its own."""
    go = desk.alpha.holds("sbatch")
    first = Elsewhere(lambda: submitted(client, "k"))
    desk.alpha.met("sbatch")
    another = desk.client()
    second = Elsewhere(lambda: submitted(another, "k"))
    go()
    assert first.result().jobs == second.result().jobs
    assert len(desk.alpha.slurm.calls("sbatch")) == 1


def test_two_that_submit_the_same_content_without_a_key_get_one_job(desk: Desk, client: Client) -> None:
    """Typed in two terminals: while the first is open the second is taken for it."""
    go = desk.alpha.holds("sbatch")
    first = Elsewhere(lambda: submitted(client))
    desk.alpha.met("sbatch")
    another = desk.client()
    second = Elsewhere(lambda: submitted(another))
    wait_until(lambda: len(list((client.places.state / "claims").iterdir())) == 2)
    go()
    assert first.result().run == second.result().run
    assert len(desk.alpha.slurm.calls("sbatch")) == 1
    assert submitted(client).run != first.result().run


def test_many_that_begin_at_the_same_moment_get_one_job(desk: Desk, client: Client) -> None:
    """None of them overlooks the others."""
    go = desk.alpha.holds("sbatch")
    clients = [client, *(desk.client() for _ in range(5))]
    plans = [plan(one) for one in clients]
    flights = [Elsewhere(lambda one=one, wish=wish: one.submit(wish)) for one, wish in zip(clients, plans, strict=True)]  # type: ignore[misc]
    wait_until(lambda: len([line for line in desk.told if "another trainsub" in line]) == 5)
    go()
    assert len({flight.result().jobs[0].job_id for flight in flights}) == 1
    assert len(desk.alpha.slurm.calls("sbatch")) == 1


def test_what_a_twin_took_back_is_not_waited_for(desk: Desk, client: Client) -> None:
    """The first of two equal submissions could not connect and left nothing: the second goes its own way."""
    claims = client.places.state / "claims"

    class Slow(Road):
        """A way that turns out to be blocked once another process waits for who goes it."""

        def open(self, argv: Sequence[str], *, what: str = "") -> Channel:
            del argv, what
            wait_until(lambda: len(list(claims.iterdir())) == 2)
            time.sleep(0.2)  # the other one has its claim, and comes to wait for this one's
            raise DOWN

    another = desk.client(alpha=Slow())
    first = Elsewhere(lambda: submitted(another))
    wait_until(lambda: outcomes(client) == [("alpha", "open")])
    second = Elsewhere(lambda: submitted(client))
    with pytest.raises(UnreachableError):
        first.result()
    assert second.result().outcome == "accepted"
    assert outcomes(client) == [("alpha", "accepted")]


def test_a_job_that_could_not_be_recorded_is_named_and_found(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is locked when sbatch answers: the error (exit 8) has the job's id, and the next command records it."""
    monkeypatch.setattr(files, "BUSY_SECONDS", 0.1)
    go = desk.alpha.holds("sbatch")
    flight = Elsewhere(lambda: submitted(client, "k"))
    desk.alpha.met("sbatch")
    holder = sqlite3.connect(client.places.store, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    go()
    with pytest.raises(StoreError, match="job 1000 on alpha was accepted") as caught:
        flight.result()
    assert caught.value.exit_code == 8
    holder.execute("ROLLBACK")
    holder.close()
    (run,) = desk.client().status().runs
    assert (run.outcome, run.jobs[0].job_id) == ("accepted", 1000)
    assert submitted(desk.client(), "k").jobs[0].job_id == 1000
    assert len(desk.alpha.slurm.calls("sbatch")) == 1
