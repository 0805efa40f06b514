import sqlite3
from pathlib import Path

import pytest
from standins import wait_until
from verbs.desk import SILENT, Desk, Elsewhere, stamp, submitted

from trainsub import Client, asking
from trainsub.errors import RefusedError, UnknownRunError, UnreachableError, UnsettledError
from trainsub.scheduler import SlurmCli


def lost(desk: Desk, client: Client, key: str) -> str:
    """A run of which nobody knows whether it has a job: its answer was lost, and Slurm does not tell."""
    desk.alpha.road.cuts = [90]
    desk.alpha.road.blocked = [None, UnreachableError("no route")]
    with pytest.raises(UnsettledError):
        submitted(client, key)
    (run,) = [one.run for one in client.status(cached=True).runs if one.outcome == "unknown"]
    folder = desk.alpha.root / "runs" / run
    wait_until((folder / "owner.1").is_symlink)
    (folder / "owner.1").unlink()
    (folder / "answer.1").unlink()
    (folder / "submit.1").write_text(f"{stamp(-3600)} 60\n")
    desk.alpha.slurm.says("sacct", "echo 'sacct: error: no' >&2; exit 1")
    (desk.alpha.slurm.state / "queue").write_text("")
    desk.alpha.road.blocked = []
    return run


def orders(desk: Desk) -> list[str]:
    """What scancel was told, the name first."""
    return [" ".join(call) for call in desk.alpha.slurm.calls("scancel")]


def test_a_job_is_cancelled_and_seen_to_end(desk: Desk, client: Client) -> None:
    """squeue has just shown that the id is ours, so the id alone is named."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING")
    (done,) = client.cancel([run.run])
    assert (done.jobs, done.run.jobs[0].state) == ((1000,), "CANCELLED")
    assert orders(desk) == ["1000"]
    assert "cancel ordered" in [event.what for event in client.history(run.run)]


def test_what_has_ended_is_left_alone(desk: Desk, client: Client) -> None:
    """No order is given, and none is told."""
    run = submitted(client)
    desk.alpha.ended(run)
    (done,) = client.cancel([run.run])
    assert (done.jobs, done.run.jobs[0].state) == ((), "COMPLETED")
    assert orders(desk) == []


def test_others_that_are_not_settled_do_not_hinder(desk: Desk, client: Client) -> None:
    """A run is cancelled while nobody knows what became of another one."""
    unknown = lost(desk, client, "lost")
    run = submitted(client, name="another")
    assert client.cancel([run.run])[0].jobs == (run.jobs[0].job_id,)
    assert client.status([unknown], cached=True).runs[0].outcome == "unknown"


def test_of_several_the_settled_ones_are_cancelled(desk: Desk, client: Client) -> None:
    """Then the error says of which one it is not known whether it has a job (exit 7)."""
    unknown = lost(desk, client, "lost")
    run = submitted(client, name="another")
    with pytest.raises(UnsettledError, match=unknown) as caught:
        client.cancel([unknown, run.run])
    assert caught.value.exit_code == 7
    assert client.status([run.run], cached=True).runs[0].jobs[0].state == "CANCELLED"


def test_a_cluster_that_is_away_does_not_hinder_another(desk: Desk, client: Client) -> None:
    """Its runs go on, and that is the error; the others are cancelled."""
    first, second = submitted(client), submitted(client, cluster="beta")
    desk.alpha.road.blocked = [UnreachableError("no route")]
    with pytest.raises(UnreachableError):
        client.cancel([first.run, second.run])
    assert client.status([second.run], cached=True).runs[0].jobs[0].state == "CANCELLED"


def test_whoever_was_not_told_is_named(desk: Desk, client: Client) -> None:
    """One error ends the command; the runs of the others must not be taken for cancelled."""
    first, second = submitted(client, "a"), submitted(client, "b", "beta")
    desk.alpha.shows(first, "RUNNING")
    desk.beta.shows(second, "RUNNING")
    desk.alpha.road.blocked = [UnreachableError("alpha: no route")]
    desk.beta.road.blocked = [UnreachableError("beta: no route")]
    with pytest.raises(UnreachableError, match="alpha: no route"):
        client.cancel([first.run, second.run])
    assert desk.told[-1] == f"run {second.run} on cluster beta may not have been told: beta: no route"
    desk.beta.road.blocked = []
    desk.beta.slurm.says("scancel", 'echo "scancel: error: Kill job error on job id 1000: Access denied" >&2; exit 1')
    with pytest.raises(RefusedError, match="Access denied"):
        client.cancel([first.run, second.run])
    assert desk.told[-1] == f"run {first.run} on cluster alpha may not have been told: alpha: no route"


def test_a_silent_squeue_does_not_keep_a_job_running(desk: Desk, client: Client) -> None:
    """It is told to stop, by id and by name, since nobody says that the id is still ours."""
    run = submitted(client)
    desk.alpha.slurm.says("squeue", SILENT)
    (done,) = client.cancel([run.run])
    assert done.jobs == (1000,)
    assert orders(desk) == [f"--name={run.run} 1000"]
    assert "still shows" not in desk.told[-1]


def test_a_job_that_goes_on_is_told(desk: Desk, client: Client) -> None:
    """Slurm took the order, and shows the job as if nothing had happened."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING")
    desk.alpha.slurm.says("scancel", "")
    (done,) = client.cancel([run.run])
    assert done.jobs == (1000,)
    assert "still shows it as RUNNING" in desk.told[-1]


def test_a_refusal_is_in_slurms_words(desk: Desk, client: Client) -> None:
    """And the others are cancelled all the same."""
    first, second = submitted(client), submitted(client)
    cancels = (desk.alpha.slurm.state / "scancel.script").read_text()
    no = 'case " $* " in *" 1000 "*) echo "scancel: error: Kill job error on job id 1000: Access denied" >&2; exit 1 ;; esac'
    desk.alpha.slurm.says("scancel", no + cancels)
    with pytest.raises(RefusedError, match="Access denied"):
        client.cancel([first.run, second.run])
    assert client.status([second.run], cached=True).runs[0].jobs[0].state == "CANCELLED"


def test_a_job_that_a_site_renamed_is_cancelled(desk: Desk, client: Client) -> None:
    """Its comment says that it is ours, and a name would not meet it."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING", name="renamed-by-the-site")
    (done,) = client.cancel([run.run])
    assert (orders(desk), done.run.jobs[0].state) == (["1000"], "CANCELLED")


def test_a_stranger_with_the_same_id_is_never_hit(desk: Desk, client: Client) -> None:
    """Slurm gave the id to another job of the same user: an order would only meet a job of the run's name."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING", name="interactive", comment="")
    client.cancel([run.run])
    assert orders(desk) == [f"--name={run.run} 1000"]
    assert "RUNNING" in (desk.alpha.slurm.state / "queue").read_text()
    assert "still shows" not in desk.told[-1]


def test_a_stranger_is_never_hit_while_sacct_is_silent(desk: Desk, client: Client) -> None:
    """Then nobody calls the job missing, though squeue shows its id as another job's."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING")
    client.status()
    desk.clock.skip(days=100)
    desk.alpha.shows(run, "RUNNING", name="interactive", comment="")
    desk.alpha.slurm.says("sacct", "echo 'sacct: error: Connection refused' >&2; exit 1")
    client.cancel([run.run])
    assert orders(desk) == [f"--name={run.run} 1000"]
    assert "RUNNING" in (desk.alpha.slurm.state / "queue").read_text()


def test_many_jobs_are_one_command(desk: Desk, client: Client) -> None:
    """Slurm has just shown that the ids are ours."""
    runs = [submitted(client, name=f"run{number}") for number in range(5)]
    desk.alpha.clear()
    for run in runs:
        desk.alpha.add(run, "RUNNING")
    client.cancel([run.run for run in runs])
    assert orders(desk) == ["1000 1001 1002 1003 1004"]
    assert {run.jobs[0].state for run in client.status(cached=True).runs} == {"CANCELLED"}


def read_only(path: Path) -> sqlite3.Connection:
    """The store on a file system that can only be read."""
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)


def full(path: Path) -> sqlite3.Connection:
    """The store on a disk that is full: SQLite is not given one page more."""
    found = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    (pages,) = found.execute("PRAGMA page_count").fetchone()
    found.execute(f"PRAGMA max_page_count = {pages}")
    try:
        while True:
            found.execute("INSERT INTO events (run, at, what) SELECT run, created_at, 'filler' FROM runs LIMIT 1")
    except sqlite3.OperationalError:
        return found


@pytest.mark.parametrize("broken", [read_only, full])
def test_a_store_that_cannot_be_written_to_keeps_no_job_running(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch, broken: object
) -> None:
    """The order is given, and it is said that nothing of it is recorded here."""
    runs = [submitted(client, name=name) for name in ("one", "two")]
    desk.alpha.clear()
    for run in runs:
        desk.alpha.add(run, "RUNNING")
    client.close()
    monkeypatch.setattr("trainsub.store.files.open_file", broken)
    done = desk.client().cancel([run.run for run in runs])
    assert [(one.jobs, one.run.jobs[0].state) for one in done] == [((1000,), "CANCELLED"), ((1001,), "CANCELLED")]
    assert orders(desk) == ["1000 1001"]
    assert [line for line in desk.told if "cannot be recorded on this machine" in line]
    monkeypatch.undo()
    assert [run.jobs[0].state for run in desk.client().status(cached=True).runs] == [None, None]
    assert [run.jobs[0].state for run in desk.client().status().runs] == ["CANCELLED", "CANCELLED"]


def test_an_open_submission_is_settled_without_a_store_too(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job is found, and told to stop."""
    run = lost(desk, client, "lost")
    desk.alpha.slurm.queue(1000, state="RUNNING", name=run, comment=f"trainsub:{run}:1", start=stamp(), tres="cpu=1")
    client.close()
    monkeypatch.setattr("trainsub.store.files.open_file", read_only)
    (done,) = desk.client().cancel([run])
    assert done.jobs == (1000,)


def test_a_submission_on_its_way_is_waited_for(desk: Desk, client: Client) -> None:
    """sbatch is still at work for another terminal: when it has answered, its job is cancelled."""
    release = desk.alpha.holds("sbatch")
    other = Elsewhere(lambda: submitted(desk.client(), "key"))
    desk.alpha.met("sbatch")
    (run,) = [one.run for one in client.status(cached=True).runs]
    desk.clock.after(1, release)
    desk.clock.after(1, other.result)  # its outcome is recorded a moment before it lets go of its claim
    (done,) = client.cancel([run])
    assert done.jobs == (other.result().jobs[0].job_id,)
    assert "is being submitted right now; waiting" in " ".join(desk.told)


def test_what_stays_unsettled_says_why(desk: Desk, client: Client) -> None:
    """Nothing was cancelled, nobody knows whether there is anything to cancel: exit 7, with Slurm's words."""
    run = lost(desk, client, "lost")
    with pytest.raises(UnsettledError, match=r"nothing was cancelled: sacct could not be asked.*no") as caught:
        client.cancel([run])
    assert caught.value.hint == f"`trainsub cancel {run}` tries again."


def test_only_runs_of_the_cluster_that_is_named(desk: Desk, client: Client) -> None:
    """As everywhere with --cluster."""
    run = submitted(client)
    with pytest.raises(UnknownRunError, match="on cluster beta") as caught:
        desk.client(cluster="beta").cancel([run.run])
    assert "`trainsub sync beta`" in (caught.value.hint or "")
    assert desk.client(cluster="alpha").cancel([run.run])[0].jobs == (1000,)


def test_what_is_waited_for_is_told(desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A squeue that hangs is not waited for in silence."""
    monkeypatch.setattr(asking, "SLOW_SECONDS", 0.1)
    run = submitted(client)
    desk.alpha.slurm.before("squeue", "sleep 0.5")
    client.status([run.run])
    assert desk.told == ["cluster alpha: waiting for squeue"]


@pytest.mark.parametrize(
    ("command", "words"),
    [("squeue", "no job had been told to stop yet"), ("scancel", "is not known; cancelling again")],
)
def test_an_interrupt_says_whether_the_order_was_given(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch, command: str, words: str
) -> None:
    """Whoever presses Ctrl-C knows whether the job may go on."""
    run = submitted(client)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SlurmCli, {"squeue": "poll", "scancel": "cancel"}[command], interrupt)
    with pytest.raises(KeyboardInterrupt):
        client.cancel([run.run])
    assert words in desk.told[-1]
