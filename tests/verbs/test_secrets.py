"""Secrets: from the submitter's environment to the run's directory, and away again, whatever becomes of the run."""

import stat
from pathlib import Path

import pytest
from verbs.desk import Desk, spec, stamp, submitted

from trainsub import Client, Run
from trainsub.errors import RefusedError, TransportError, UnreachableError, UnsettledError, UsageError

VALUE = 'it\'s a $(secret) "value"\nof two lines'
NAMES = '["API_KEY"]'


@pytest.fixture(autouse=True)
def value(monkeypatch: pytest.MonkeyPatch) -> str:
    """The secret in this process's environment."""
    monkeypatch.setenv("API_KEY", VALUE)
    return VALUE


def with_secrets(client: Client, key: str | None = None) -> Run:
    """A run with secrets that was accepted."""
    return submitted(client, key, secrets__names=NAMES)


def secrets(desk: Desk, run: str) -> Path:
    """Where they lie."""
    return desk.alpha.root / "runs" / run / "secrets.env"


def traces(folder: Path) -> list[Path]:
    """Files that hold the secret, or its beginning.

    The way to these clusters is a local one, so what is asked has the user's own environment; not so what is submitted.
    """
    asking = {*folder.rglob("squeue.env.*"), *folder.rglob("sacct.env.*"), *folder.rglob("sc*.env.*")}
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and path not in asking and b"a $(secret)" in path.read_bytes()
    ]


def test_they_lie_in_one_file_and_nowhere_else(desk: Desk, client: Client) -> None:
    """Readable by its owner only; neither store nor audit log, script nor spec, nor what sbatch was given have them."""
    run = with_secrets(client)
    file = secrets(desk, run.run)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert traces(desk.folder) == [file]
    assert file.read_text().startswith("export API_KEY=")


def test_they_are_removed_by_the_command_that_sees_the_end(desk: Desk, client: Client) -> None:
    """Once, and the history tells it."""
    run = with_secrets(client)
    desk.alpha.shows(run, "RUNNING")
    client.status()
    assert secrets(desk, run.run).exists()
    desk.alpha.ended(run)
    desk.clock.skip(minutes=5)
    client.status()
    assert traces(desk.folder) == []
    assert [event.what for event in client.history(run.run)].count("secrets removed") == 1
    before = desk.alpha.road.execs
    desk.clock.skip(minutes=5)
    client.status()
    assert desk.alpha.road.execs - before <= 1


@pytest.mark.parametrize("state", ["CANCELLED", "TIMEOUT", "NODE_FAIL", "FAILED", "OUT_OF_MEMORY", "DEADLINE"])
def test_every_end_is_one(desk: Desk, client: Client, state: str) -> None:
    """Also of a job that never began, or was killed."""
    run = with_secrets(client)
    desk.alpha.ended(run, state)
    client.status()
    assert not secrets(desk, run.run).exists()


def test_a_waiting_job_that_is_cancelled(desk: Desk, client: Client) -> None:
    """Its script never ran."""
    run = with_secrets(client)
    desk.alpha.shows(run, "PENDING")
    client.cancel([run.run])
    assert traces(desk.folder) == []


def test_a_refused_run_leaves_nothing(desk: Desk, client: Client) -> None:
    """Neither there nor here."""
    desk.alpha.slurm.says("sbatch", "echo 'sbatch: error: Invalid qos specification' >&2; exit 1")
    with pytest.raises(RefusedError):
        with_secrets(client)
    assert traces(desk.folder) == []


@pytest.mark.parametrize("sent", [200, 4000])
def test_a_submission_that_is_cut_off_leaves_nothing(desk: Desk, client: Client, sent: int) -> None:
    """Within the program's head, where they are, and behind it."""
    desk.alpha.road.sends = [sent]
    with pytest.raises(TransportError):
        with_secrets(client)
    assert traces(desk.folder) == []


def test_a_submission_that_was_killed_leaves_nothing_once_it_is_given_up(desk: Desk, client: Client) -> None:
    """They were written, sbatch was not called, and nobody was left to remove them."""
    desk.alpha.road.cuts = [90]
    desk.alpha.road.blocked = [None, UnreachableError("no route")]
    with pytest.raises(UnsettledError):
        with_secrets(client)
    (run,) = client.status(cached=True).runs
    file = secrets(desk, run.run)
    folder = file.parent
    for name in ("owner.1", "answer.1"):
        (folder / name).unlink(missing_ok=True)
    (folder / "submit.1").write_text(f"{stamp(-3600)} 60\n")
    (desk.alpha.slurm.state / "queue").write_text("")
    assert file.exists()
    desk.alpha.road.blocked = []
    assert [one.outcome for one in client.status().runs] == ["void"]
    assert traces(desk.folder) == []


def test_what_cannot_be_removed_is_tried_again(desk: Desk, client: Client) -> None:
    """It is told, and hinders nothing else."""
    run = with_secrets(client)
    file = secrets(desk, run.run)
    file.unlink()
    file.mkdir()
    (file / "x").touch()
    desk.alpha.ended(run)
    assert client.status().runs[0].jobs[0].state == "COMPLETED"
    assert f"secrets of run {run.run} cannot be removed from cluster alpha; each command tries again" in desk.told
    (file / "x").unlink()
    file.rmdir()
    file.touch()
    desk.client().status()
    assert not file.exists()


def test_a_cluster_that_does_not_answer_is_asked_again(desk: Desk, client: Client) -> None:
    """The state that was learned is kept."""
    run = with_secrets(client)
    desk.alpha.ended(run)
    desk.alpha.road.blocked = [None, UnreachableError("no route")]
    assert client.status().runs[0].jobs[0].state == "COMPLETED"
    assert f"secrets of run {run.run} may still lie on cluster alpha: no route" in desk.told
    desk.alpha.road.blocked = []
    client.status()
    assert traces(desk.folder) == []


def test_another_machine_removes_them(desk: Desk, client: Client) -> None:
    """One that learned of the run from the cluster alone, as after the store was lost."""
    run = with_secrets(client)
    desk.alpha.ended(run)
    other = desk.client(state="elsewhere")
    other.sync("alpha")
    assert not secrets(desk, run.run).exists()


def test_a_secret_that_is_not_set_stops_the_submission(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So does an empty one; nothing is sent, nothing is recorded."""
    for name in ("UNSET", "EMPTY"):
        monkeypatch.setenv("EMPTY", "")
        with pytest.raises(UsageError, match=f"secrets.names: {name} is not set, or empty, here"):
            submitted(client, "k", secrets__names=f'["API_KEY", "{name}"]')
    assert desk.alpha.road.execs == 0
    assert client.status(cached=True).runs == ()


def test_who_asks_again_needs_no_secrets(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is there already."""
    run = with_secrets(client, "k")
    monkeypatch.delenv("API_KEY")
    assert with_secrets(client, "k").run == run.run


def test_a_run_that_has_ended_is_not_requeued_without_them(desk: Desk, client: Client) -> None:
    """It would wait for its nodes, only to end at once."""
    run = with_secrets(client)
    desk.alpha.shows(run, "FAILED", end=stamp(-1))
    with pytest.raises(RefusedError, match=r"has ended \(FAILED\), and its secrets are gone: submit it again"):
        client.requeue([run.run])
    assert [call for call in desk.alpha.slurm.calls("scontrol") if call[0] == "requeue"] == []


def test_nothing_shows_a_value(client: Client) -> None:
    """Not even what is made to be looked at."""
    plan = client.plan(spec(secrets__names=NAMES), key="k")
    assert "a $(secret)" not in repr(plan) + plan.script + plan.spec.to_toml()


@pytest.mark.parametrize("away", [False, True])
def test_a_refusal_leaves_none_though_the_connection_breaks(desk: Desk, client: Client, *, away: bool) -> None:
    """What removes them did not arrive: it is said over a new connection, or by the next command."""
    desk.alpha.slurm.refuses()
    before = desk.alpha.road.bytes_sent
    with pytest.raises(RefusedError):
        with_secrets(client, "aa")
    desk.alpha.road.sends = [desk.alpha.road.bytes_sent - before - 4]
    desk.alpha.road.blocked = [None, UnreachableError("no route")] if away else []
    with pytest.raises(RefusedError, match="Invalid partition"):
        with_secrets(client, "bb")
    assert bool(list(desk.alpha.root.rglob("secrets.env"))) == away
    assert any("the secrets of run" in line for line in desk.told) == away
    desk.alpha.road.blocked = []
    assert [run.outcome for run in client.status().runs] == ["refused", "refused"]
    assert list(desk.alpha.root.rglob("secrets.env")) == []
