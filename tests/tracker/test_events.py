"""What a poll adds to the history of a run."""

from dataclasses import replace

from tracker.test_arrays import ARRAY, shared, task
from tracker.test_track import JOB, at, queue, queued, record

from trainsub.tracker.events import Change, changes
from trainsub.tracker.poll import Poll
from trainsub.tracker.single import RUNAWAY, RUNAWAY_PATIENCE
from trainsub.tracker.track import observe


def test_a_state_is_news_and_a_reason_to_wait_is_none() -> None:
    """Reasons come and go while a job waits."""
    waits = observe(JOB, Poll(queue(queued("PENDING", reason="Priority"))), at(10))
    assert changes(JOB, waits) == [Change("PENDING", "squeue", "Priority")]
    assert changes(waits, replace(waits, reason="Resources", observed_at=at(20))) == []
    assert changes(waits, replace(waits, state=None)) == [Change("unknown", "squeue", "Priority")]


def test_who_cancelled_a_job_is_news() -> None:
    """squeue tells the end, and sacct a moment later whose order it was."""
    ended = observe(JOB, Poll(queue(queued("CANCELLED", reason=""))), at(10))
    told = observe(ended, Poll({}, {7: [record("CANCELLED by 1000")]}, accounting=True), at(70))
    assert changes(ended, told) == [Change("CANCELLED", "sacct", "CANCELLED by 1000")]


def test_a_runaway_record_is_news() -> None:
    """Its state stays as it was."""
    poll = Poll({}, {7: [record("RUNNING", end=None)]}, accounting=True)
    lost = observe(replace(JOB, state="RUNNING", source="squeue"), poll, at(10))
    told = observe(lost, poll, at(10) + RUNAWAY_PATIENCE)
    assert changes(lost, told) == [Change("RUNNING", "squeue", RUNAWAY)]
    assert changes(told, told) == []


def test_tasks_are_told_one_by_one() -> None:
    """But not that each of them waits, which the array's own line says."""
    waits = observe(ARRAY, Poll(queue(shared("0-3%2"))), at(5))
    assert changes(ARRAY, waits) == [Change("PENDING", "squeue", "JobArrayTaskLimit")]
    runs = observe(waits, Poll(queue(task(0, "RUNNING", reason=""), shared("1-3%2"))), at(10))
    assert changes(waits, runs) == [Change("task 0 RUNNING", "squeue", ""), Change("RUNNING", "squeue", "")]
    bare = replace(ARRAY, tasks=())
    assert changes(bare, ARRAY) == []
