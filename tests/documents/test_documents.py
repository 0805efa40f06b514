"""The documents say what is known, and null for what is not."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from trainsub.documents import models
from trainsub.documents.build import phase, runs_document
from trainsub.documents.usage import Rates, usage_document
from trainsub.errors import SpecError
from trainsub.slurm.values import ExitCode
from trainsub.tracker.values import ACCEPTED, OPEN, REFUSED, UNKNOWN, VOID, Allocation, Code, Job, Run

T0 = datetime(2026, 11, 1, 12, 0, 0, 999999, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALLOCATION = Allocation("COMPLETED", T0, T0, T0 + HOUR, 3600, 2, 16, "n[1-2]", "gpu", ExitCode(0, 0))
JOB = Job(
    "demo-00c0ffee", 1, 7, T0, "COMPLETED", None, "sacct", T0, T0, T0 + HOUR, 2, 16, ExitCode(0, 0), None, (ALLOCATION,)
)
RUN = Run(
    "demo-00c0ffee", "demo", "k", "hpc", T0, "h", ACCEPTED, "", "", Code("ab", 1, 2, "c0", False, ("x",)), None, (JOB,)
)


class Price:
    """A price list of one price."""

    currency = "EUR"

    def for_partition(self, name: str) -> Decimal:
        """The same everywhere."""
        return Decimal("2.505") if name == "gpu" else Decimal(0)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (RUN, "finished"),
        (replace(RUN, outcome=OPEN, jobs=()), "unsettled"),
        (replace(RUN, outcome=UNKNOWN, jobs=()), "unsettled"),
        (replace(RUN, jobs=()), "unsettled"),
        (replace(RUN, outcome=REFUSED, jobs=()), "refused"),
        (replace(RUN, outcome=VOID, jobs=()), "refused"),
        (replace(RUN, jobs=(replace(JOB, state="RUNNING"),)), "running"),
        (replace(RUN, jobs=(replace(JOB, state="PENDING"),)), "pending"),
        (replace(RUN, jobs=(replace(JOB, state=None),)), "pending"),
        (replace(RUN, jobs=(replace(JOB, state="NEVER_HEARD_OF"),)), "unknown"),
        (replace(RUN, jobs=(replace(JOB, state=None, missing_since=T0),)), "unknown"),
        (replace(RUN, jobs=(replace(JOB, state="RUNNING", missing_since=T0),)), "unknown"),
    ],
)
def test_phase(run: Run, expected: str) -> None:
    """Each standing has its word."""
    assert phase(run) == expected


def test_a_run_as_machines_read_it() -> None:
    """Times are RFC 3339 in whole seconds, the newest link is at the top, and nothing is left out."""
    told = json.loads(models.dump(runs_document([RUN])))
    assert told["schema"] == 1
    run = told["runs"][0]
    assert run["submit_time"] == "2026-11-01T12:00:00Z"
    assert run["exit_code"] == {"code": 0, "signal": 0}
    assert (run["job_id"], run["state"], run["source"], run["phase"]) == (7, "COMPLETED", "sacct", "finished")
    assert run["code"]["untracked"] == ["x"]
    assert run["jobs"][0]["allocations"][0]["elapsed"] == 3600
    wanted = "run name cluster phase state reason source observed_at job_id submit_time start_time end_time nodes gpus exit_code jobs"
    assert set(wanted.split()) <= set(run)


def test_a_run_without_a_job_has_nulls() -> None:
    """What is not known is null, and the cluster's words are the reason."""
    told = json.loads(models.dump(runs_document([replace(RUN, outcome=REFUSED, detail="no", code=None, jobs=())])))[
        "runs"
    ][0]
    assert (told["job_id"], told["state"], told["reason"], told["code"]) == (None, None, "no", None)


@pytest.mark.parametrize(
    ("source", "expected"), [(None, None), ("squeue", "squeue"), ("record", "record"), ("oracle", "store")]
)
def test_sources(source: str | None, expected: str | None) -> None:
    """A source that this version does not know is the store's."""
    assert runs_document([replace(RUN, jobs=(replace(JOB, source=source),))]).runs[0].source == expected


def test_usage_sums_and_rounds_once() -> None:
    """Three times 40.08 exactly is 120.24; the total is not the sum of rounded figures."""
    runs = [replace(RUN, run=f"demo-0000000{number}") for number in range(3)]
    told = usage_document(runs, {"hpc": Rates(Price(), None)}, now=T0)
    assert told.total.gpu_seconds == 3 * 16 * 3600
    assert [(cost.amount, cost.currency) for cost in told.total.cost] == [("120.24", "EUR")]
    assert told.runs[0].cost == models.MoneyDocument(amount="40.08", currency="EUR")
    assert told.total.complete
    assert not told.total.provisional


def test_usage_without_a_price_has_no_cost() -> None:
    """GPU-seconds are known all the same."""
    told = usage_document([RUN], {"hpc": Rates(None, None)}, now=T0)
    assert (told.runs[0].gpu_seconds, told.runs[0].cost, told.total.cost, told.total.complete) == (
        57600,
        None,
        [],
        False,
    )


def test_usage_of_a_running_job_is_provisional() -> None:
    """It says so, for the job, the run and the total."""
    held = replace(ALLOCATION, end=None, elapsed=10, state="RUNNING")
    told = usage_document(
        [replace(RUN, jobs=(replace(JOB, state="RUNNING", allocations=(held,)),))],
        {"hpc": Rates(None, None)},
        now=T0 + HOUR,
    )
    assert told.runs[0].provisional
    assert told.runs[0].jobs[0].provisional
    assert told.total.provisional


def test_usage_without_records_is_unknown_not_nothing() -> None:
    """A job that ran, of which Slurm keeps no record, has no figure."""
    told = usage_document([replace(RUN, jobs=(replace(JOB, allocations=()),))], {"hpc": Rates(Price(), None)}, now=T0)
    assert told.runs[0].gpu_seconds is None
    assert told.total.gpu_seconds is None


def test_usage_is_estimated_where_gpus_are_not_recorded() -> None:
    """Nodes times GPUs per node, and it says so."""
    bare = replace(ALLOCATION, gpus=None)
    told = usage_document([replace(RUN, jobs=(replace(JOB, allocations=(bare,)),))], {"hpc": Rates(None, 8)}, now=T0)
    assert (told.runs[0].gpu_seconds, told.runs[0].estimated) == (57600, True)


def test_usage_of_a_run_without_jobs_is_nothing() -> None:
    """There is no state and nothing was used."""
    told = usage_document([replace(RUN, jobs=())], {"hpc": Rates(None, None)}, now=T0)
    assert (told.runs[0].state, told.runs[0].gpu_seconds) == (None, 0)


def test_an_error_has_code_kind_message_and_hint() -> None:
    """What a pipeline needs to decide."""
    told = json.loads(models.dump(models.error_document(SpecError("spec.toml: no", hint="Say yes."))))
    assert told == {"schema": 1, "error": {"code": 3, "kind": "spec", "message": "spec.toml: no", "hint": "Say yes."}}


def test_every_key_is_described() -> None:
    """The reference page is made from these descriptions."""
    todo = list(models.DOCUMENTS.values())
    assert len(todo) == len(set(models.DOCUMENTS))
    for document in models.Document.__subclasses__():
        assert all(field.description for field in document.model_fields.values()), document


def test_an_array_is_told_with_its_tasks_and_billed_as_one() -> None:
    """One entry for the array, one for each task; the bill of its link is that of all tasks."""
    held = (replace(JOB.allocations[0], gpus=8, elapsed=10, start=T0, end=T0 + timedelta(seconds=10)),)
    tasks = tuple(replace(JOB, array_task=index, job_id=JOB.job_id + index, allocations=held) for index in (0, 1))
    whole = replace(JOB, array="0-1", tasks=tasks, allocations=())
    run = replace(RUN, jobs=(whole,))
    document = runs_document([run]).runs[0]
    assert [(job.array_task, job.job_id, len(job.allocations)) for job in document.jobs] == [
        (None, JOB.job_id, 0), (0, JOB.job_id, 1), (1, JOB.job_id + 1, 1),
    ]  # fmt: skip
    (used,) = usage_document([run], {RUN.cluster: Rates(None, None)}, now=T0).runs
    assert (used.gpu_seconds, len(used.jobs), used.runaway) == (160, 1, False)


def test_a_runaway_record_is_marked() -> None:
    """It counts until the last sign of life, and says so in the job, the run and the total."""
    held = (replace(JOB.allocations[0], gpus=8, elapsed=10**6, start=T0, end=None),)
    gone = replace(
        JOB, state="RUNNING", end_time=None, runaway=True, seen_there=T0 + timedelta(seconds=5), allocations=held
    )
    document = usage_document(
        [replace(RUN, jobs=(gone,))], {RUN.cluster: Rates(None, None)}, now=T0 + timedelta(days=9)
    )
    (used,) = document.runs
    assert (used.gpu_seconds, used.runaway, used.estimated, used.jobs[0].runaway) == (40, True, True, True)
    assert document.total.runaway
