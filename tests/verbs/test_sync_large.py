"""Runs whose spec is large, or is not understood here: they are told as what they are, or that it is not known."""

import os
from pathlib import Path

import pytest
from verbs.desk import Desk, spec, stamp
from verbs.test_arrays_elsewhere import one_trains

from trainsub import Client, Run
from trainsub.errors import ConnectionLostError, UnsettledError
from trainsub.remote.inventory import LARGEST
from trainsub.restoring import corrected
from trainsub.tracker.outcome import exit_code

POINTS = "[" + ", ".join(f'{{a = {number}, path = "{number:0150}"}}' for number in range(2000)) + "]"


@pytest.fixture(autouse=True)
def _secret(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret travels with each run, and is removed where that is known to have ended."""
    monkeypatch.setenv("MY_TOKEN", "hidden")
    desk.configure(alpha="max_array_size = 10000\n")


def submit(client: Client, *, points: str = POINTS) -> Run:
    """A sweep of two thousand points, which is one array."""
    made = spec(launch__kind="srun", sweep__points=points, secrets__names='["MY_TOKEN"]')
    return client.submit(client.plan(made, key="key"))


def folder(desk: Desk, run: Run) -> Path:
    """Where it lies."""
    return desk.alpha.root / "runs" / run.run


def silent_about_strays(desk: Desk) -> None:
    """Let squeue print rows to who asks for states alone."""
    desk.alpha.slurm.says("squeue", 'case "$*" in *WorkDir*) ;; *) cat "$state/queue" ;; esac')


def known_to(desk: Desk, client: Client, run: Run, how: str) -> Run:
    """The run as a client knows it that lost the answer, found it by its key, or by looking at all that is there."""
    if how == "the same key":
        return submit(client)
    if how == "sync":
        silent_about_strays(desk)
        client.sync("alpha")
        return client.status([run.run], cached=True).runs[0]
    desk.alpha.road.cuts = [90]
    desk.alpha.road.blocked = [None, ConnectionLostError("no route")]
    with pytest.raises(UnsettledError):
        submit(client)
    desk.alpha.road.blocked = []
    return client.status([run.run]).runs[0]


@pytest.mark.parametrize("how", ["a lost answer", "the same key", "sync"])
def test_a_large_sweep_is_an_array_to_every_machine(desk: Desk, how: str) -> None:
    """It goes on while one of its tasks does, and keeps its secrets."""
    run = submit(desk.client())
    assert (folder(desk, run) / "spec.toml").stat().st_size > 300_000
    client = desk.client(state="other")
    found = known_to(desk, client, run, how)
    assert (found.jobs[0].array, len(found.jobs[0].tasks)) == ("0-1999", 2000)
    one_trains(desk, run)
    desk.clock.skip(minutes=5)
    (seen,) = client.status([run.run]).runs
    assert (seen.jobs[0].state, exit_code([seen])) == ("RUNNING", 7)
    assert (folder(desk, run) / "secrets.env").exists()


@pytest.mark.parametrize("how", ["a lost answer", "the same key", "sync"])
@pytest.mark.parametrize("written", [b"[sweep\n", b'[sweep]\npoints = "as a later version has them"\n', None])
def test_a_spec_that_is_not_understood_here(desk: Desk, written: bytes | None, how: str) -> None:
    """Another version wrote it, or it is larger than any spec: the script tells that it is an array."""
    run = submit(desk.client(), points="[{a = 1}, {a = 2}]")
    path = folder(desk, run) / "spec.toml"
    path.write_bytes(written or b"")
    os.truncate(path, LARGEST + 1 if written is None else len(written))
    client = desk.client(state="other")
    desk.told.clear()
    found = known_to(desk, client, run, how)
    larger = f"run {run.run}: its spec.toml on cluster alpha is larger than 16 MiB, and is not read"
    assert desk.told.count(larger) == (written is None)
    assert found.jobs[0].array == "0-1"
    one_trains(desk, run)
    desk.clock.skip(minutes=5)
    assert client.status([run.run]).runs[0].jobs[0].state == "RUNNING"
    assert (folder(desk, run) / "secrets.env").exists()


def test_what_is_known_is_not_replaced_by_what_cannot_be_read(desk: Desk) -> None:
    """The answer was lost, and the spec on the cluster is larger than any: this machine knows what it sent."""
    client = desk.client()
    desk.alpha.slurm.before(
        "sbatch", f'find "{desk.alpha.root}" -name spec.toml -exec truncate -s {LARGEST + 1} {{}} +'
    )
    desk.alpha.road.cuts = [90]
    run = submit(client, points="[{a = 1}, {a = 2}]")
    (known,) = client.status([run.run], cached=True).runs
    for one in (run, known):
        assert (one.jobs[0].array, "[sweep]" in one.spec, one.script == run.script) == ("0-1", True, True)
    assert any("larger than 16 MiB" in line for line in desk.told)


def test_an_accepted_run_stays_so_where_its_directory_does_not_tell(desk: Desk) -> None:
    """Slurm showed the job, and neither fence nor answer could be written there."""
    client = desk.client()
    run = submit(client, points="[{a = 1}, {a = 2}]")
    for name in ("owner.1", "answer.1"):
        (folder(desk, run) / name).unlink()
    (folder(desk, run) / "submit.1").write_text("1000 60\n")
    assert corrected(client._session, run) == run  # noqa: SLF001
    assert client.status([run.run], cached=True).runs[0].outcome == "accepted"


def test_where_neither_spec_nor_script_is_left_slurm_tells_the_tasks(desk: Desk) -> None:
    """A row of one task does not speak for the job; with sacct's records all are known."""
    run = submit(desk.client(), points="[{a = 1}, {a = 2}, {a = 3}]")
    for name in ("spec.toml", "script.sbatch", "run.json"):
        (folder(desk, run) / name).unlink()
    silent_about_strays(desk)
    desk.alpha.slurm.says("sacct", "echo no slurmdbd >&2; exit 1")
    one_trains(desk, run)
    client = desk.client(state="other")
    assert client.sync("alpha").restored == [run.run]
    (seen,) = client.status([run.run], cached=True).runs
    assert (seen.jobs[0].array, seen.jobs[0].state) == (None, None)
    array, times = run.jobs[0].job_id, (stamp(-60), 0, stamp(-50), stamp(), 50, "00:00:00")
    row = (array + 502, f"{array}_2", "FAILED", "1:0", *times, "cpu=1", 1, "n1", "gpu", "a", run.run)
    desk.alpha.slurm._add("accounting", *row)  # noqa: SLF001
    desk.alpha.slurm.says("sacct", 'as_asked <"$state/accounting"')
    desk.clock.skip(minutes=5)
    (seen,) = client.status([run.run]).runs
    assert (seen.jobs[0].array, seen.jobs[0].state) == ("0-2", "RUNNING")
    assert [one.state for one in seen.jobs[0].tasks] == ["RUNNING", "COMPLETED", "FAILED"]


def test_a_run_that_was_taken_for_a_plain_job_is_mended_by_sync(desk: Desk) -> None:
    """It was found while its spec could not be read; now it can be."""
    run = submit(desk.client(), points="[{a = 1}, {a = 2}]")
    texts = {name: (folder(desk, run) / name).read_bytes() for name in ("spec.toml", "script.sbatch")}
    for name in texts:
        (folder(desk, run) / name).unlink()
    silent_about_strays(desk)
    client = desk.client(state="other")
    client.sync("alpha")
    assert client.status([run.run], cached=True).runs[0].jobs[0].array is None
    for name, text in texts.items():
        (folder(desk, run) / name).write_bytes(text)
    assert client.sync("alpha").updated == [run.run]
    (known,) = client.status([run.run], cached=True).runs
    assert (known.jobs[0].array, len(known.jobs[0].tasks)) == ("0-1", 2)
    assert client.sync("alpha").known == [run.run]
