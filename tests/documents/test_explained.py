"""Why a run waits or ended, and its history, as machines read it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from trainsub.documents import models
from trainsub.documents.build import runs_document
from trainsub.tracker.values import ACCEPTED, REFUSED, VOID, Job, Run

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
NAME = "demo-00c0ffee"


def told(*, outcome: str = ACCEPTED, detail: str | None = None, **job: Any) -> dict[str, Any]:
    """The document of a run with one job, or with none."""
    jobs = (Job(NAME, 1, 7, NOW, source="squeue", observed_at=NOW, **job),) if job else ()
    run = Run(NAME, "demo", "k", "hpc", NOW, "h", outcome, "", "", None, detail, jobs)
    (one,) = json.loads(models.dump(runs_document([run])))["runs"]
    return dict(one)


@pytest.mark.parametrize(
    ("state", "reason", "explanation", "remedy"),
    [
        (
            "PENDING",
            "JobHeldUser",
            "it is held: you, or the spec, ordered so",
            f"`trainsub release {NAME}` lets it go.",
        ),
        ("PENDING", "JobArrayTaskLimit", "as many tasks of its array run as may run at the same time", None),
        ("RUNNING", "", None, None),
        ("COMPLETED", "", None, None),
        ("CANCELLED", "CANCELLED by 1000", "user 1000 cancelled it", None),
        ("CANCELLED", "JobHeldUser", None, None),  # it was waiting for that when it was cancelled
        ("CANCELLED", "QOSMaxJobsPerUserLimit", None, None),
        (None, None, None, None),
    ],
)
def test_a_job_is_explained(state: str, reason: str, explanation: str | None, remedy: str | None) -> None:
    """At the top and in its job; the remedy names the run. A job that was not seen yet has no explanation."""
    document = told(state=state, reason=reason)
    for place in (document, document["jobs"][0]):
        assert (place["explanation"], place["remedy"]) == (explanation, remedy)
    assert document["events"] is None


def test_a_runaway_record_explains_itself() -> None:
    """Its reason is not Slurm's."""
    assert told(state="RUNNING", reason="runaway record: …", runaway=True)["explanation"] is None


def test_a_run_without_a_job_is_explained() -> None:
    """Given up and refused have the same phase, and not the same words."""
    void = told(outcome=VOID)
    assert (void["phase"], void["explanation"]) == ("refused", "given up: nothing was accepted, and nothing will be")
    said = "sbatch: error: Batch job submission failed: Invalid qos specification"
    refused = told(outcome=REFUSED, detail=said)
    assert (refused["phase"], refused["reason"]) == ("refused", said)
    assert refused["explanation"] == "the cluster refused it, and there is no job"
    assert "sacctmgr show assoc" in refused["remedy"]
    assert told(outcome=REFUSED, detail="The moon is full")["remedy"] is None
    assert told()["explanation"] is None


def test_the_history_is_told_where_it_is_asked_for() -> None:
    """By run id."""
    event = models.EventDocument(at=NOW, what="hold ordered", source="trainsub", detail=None, link=1)
    run = Run(NAME, "demo", "k", "hpc", NOW, "h", ACCEPTED, "", "")
    (one,) = json.loads(models.dump(runs_document([run], {NAME: [event]})))["runs"]
    assert one["events"] == [
        {"at": "2026-11-01T12:00:00Z", "what": "hold ordered", "source": "trainsub", "detail": None, "link": 1}
    ]
