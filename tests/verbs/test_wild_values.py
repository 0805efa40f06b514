"""Numbers and times that no Slurm gives, on a cluster where anybody may write: one bad run spoils nothing else."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from verbs.desk import Desk, submitted

from trainsub import Client
from trainsub.errors import TrainsubError
from trainsub.record.about import FILE, About, format_about
from trainsub.remote.inventory import Found
from trainsub.restoring import run_found

WILD = "odd-00000001"
TOO_LARGE = ["99999999999999999999", "4294967296", "9" * 300]


def wild_run(desk: Desk, owner: str = "77", about: str = "") -> Path:
    """Make the directory of a run that nobody here submitted."""
    folder = desk.alpha.root / "runs" / WILD
    folder.mkdir(parents=True)
    (folder / "owner.1").symlink_to(owner)
    if about:
        (folder / FILE).write_text(about)
    return folder


def silent(desk: Desk) -> None:
    """Let Slurm know of no jobs."""
    for name in ("squeue", "sacct"):
        desk.alpha.slurm.says(name, "")


@pytest.mark.parametrize("owner", TOO_LARGE)
def test_a_fence_with_a_number_that_is_no_job_id(desk: Desk, client: Client, owner: str) -> None:
    """The run is left as it is; all others are found, now and later."""
    submitted(client, "k")
    wild_run(desk, owner)
    silent(desk)
    other = desk.client(state="other")
    done = other.sync("alpha")
    assert "neither a job id" in done.unreadable[WILD]
    assert (len(done.restored), len(other.status().runs), len(other.usage().runs)) == (1, 1, 1)


@pytest.mark.parametrize("number", TOO_LARGE)
def test_sbatch_prints_a_number_that_is_no_job_id(desk: Desk, client: Client, number: str) -> None:
    """It is not known whether there is a job; nothing claims the fence for that number."""
    desk.alpha.slurm.says("sbatch", f"echo {number}")
    with pytest.raises(TrainsubError):
        submitted(client, "k")
    desk.alpha.slurm.says("sbatch", "echo 4294967295")
    good = submitted(client, "good")
    silent(desk)
    assert good.jobs[0].job_id == 4294967295
    assert not any(path.readlink() == Path(number) for path in desk.alpha.root.glob("runs/*/owner.1"))
    assert good.run in {run.run for run in client.status().runs}
    client.sync("alpha")


@pytest.mark.parametrize("owner", TOO_LARGE)
def test_such_a_fence_under_an_open_run_spoils_no_other(desk: Desk, client: Client, owner: str) -> None:
    """It cannot be settled, and that is told; the rest of the machine goes on."""
    good = submitted(client, "good")
    desk.alpha.slurm.says("sbatch", "sleep 0; exit 124")
    with pytest.raises(TrainsubError):
        submitted(client, "k")
    for folder in (desk.alpha.root / "runs").iterdir():
        if folder.name != good.run:
            (folder / "owner.1").unlink(missing_ok=True)
            (folder / "owner.1").symlink_to(owner)
    desk.alpha.ended(good)
    later = desk.client()
    assert {run.run: run.jobs[0].state for run in later.status().runs if run.jobs} == {good.run: "COMPLETED"}


@pytest.mark.parametrize("column", ["start", "end"])
def test_a_wild_time_of_slurm_can_be_shown(desk: Desk, client: Client, column: str) -> None:
    """The last second of all years is none that every zone has."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING", **{column: 253402300799})
    (known,) = client.status().runs
    assert known.jobs[0].state == "RUNNING"


@pytest.mark.parametrize(
    "at",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59Z"],
)
def test_a_time_at_the_end_of_all_calendars(desk: Desk, at: str) -> None:
    """It is none: the submit's own mark, or the directory, tells when the run was made."""
    wild_run(desk, about=format_about(About("k", at, "p", None, "0.1", "h")))
    silent(desk)
    client = desk.client()
    done = client.sync("alpha")
    assert done.restored == [WILD]
    (run,) = client.status(cached=True).runs
    assert 2000 < run.created_at.astimezone().year < 9000
    assert client.usage(since=run.created_at, cached=True).runs


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
codes = st.none() | st.fixed_dictionaries(
    {"sha256": st.text() | json_values, "size": json_values, "files": json_values},
    optional={"commit": json_values, "dirty": json_values, "untracked": json_values},
)
moments = st.datetimes(timezones=st.timezones() | st.none()).map(datetime.isoformat) | st.text()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=moments, code=codes, mark=st.binary(max_size=40), owner=st.sampled_from(["-", "77", "void", *TOO_LARGE]))
def test_any_run_json_makes_a_run_or_a_typed_error(at: str, code: object, mark: bytes, owner: str) -> None:
    """And the times of a run are such that a person can be shown them, wherever he is."""
    text = json.dumps({"key": "k", "created_at": at, "plan_hash": "p", "trainsub": "v", "host": "h", "code": code})
    found = Found(WILD, now=2_000_000_000, changed=1_700_000_000, files={FILE: text.encode()}, marks={1: mark})
    found.owners = {} if owner == "-" else {1: owner}
    try:
        run = run_found("alpha", found)
    except TrainsubError:
        return
    for moment in (run.created_at, *(job.submitted for job in run.jobs)):
        assert 1970 <= moment.year < 6000
