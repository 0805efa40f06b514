"""The queue keeps values as they are, changes all or nothing, and says plainly what it cannot read."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from trainsub.minislurm.queue import FILE, Queue, QueueError
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Array, Job, Process, Request, Share, Signal

REQUEST = Request("a name", "gpu", signal=Signal(10, 5, batch_only=True), nodelist=("n1",), told=(("MailType", "END"),))
JOB = Job(
    7,
    1000,
    REQUEST,
    submit=5,
    array=Array(7, pending=(1, 3), cancelled=(2,)),
    shares=(Share("n1", 2, (0, 1)), Share("n2", 1)),
    stepd=Process(11, "12", "boot"),
)
STEP = Step(
    7, 0, "0", "sh", "RUNNING", 3, shares=JOB.shares, process=Process(1, "2", "b"), tasks=(Process(3, "4", "b"),)
)


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    """Jobs, closed records and steps, over a new connection."""
    with Queue(tmp_path) as queue, queue.change():
        queue.put(JOB)
        queue.close_record(JOB.record())
        queue.put_step(STEP)
        queue.put_step(replace(STEP, name="1"))
        queue.put_step(replace(STEP, state="COMPLETED", end=9))
    with Queue(tmp_path) as queue:
        assert queue.job(7) == JOB
        assert queue.open_jobs() == queue.array_jobs(7) == queue.all_jobs() == queue.shown_jobs(0) == [JOB]
        assert queue.closed_records() == [JOB.record()]
        assert queue.steps(7) == [replace(STEP, state="COMPLETED", end=9), replace(STEP, name="1")]


def test_ids_are_never_given_twice(tmp_path: Path) -> None:
    """Not even after a job was removed; the first one may be asked for."""
    with Queue(tmp_path) as queue, queue.change():
        assert [queue.new_id(), queue.new_id(), queue.new_id(40), queue.new_id(40)] == [1, 2, 40, 41]


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    """And the queue can be used afterwards."""
    with Queue(tmp_path) as queue:
        with pytest.raises(RuntimeError):
            _put_and_fail(queue, RuntimeError())
        assert queue.all_jobs() == []
        with queue.change():
            queue.put(JOB)
        assert queue.all_jobs() == [JOB]


def test_a_change_that_the_disk_refuses_is_told_as_that(tmp_path: Path) -> None:
    """SQLite may have rolled back by itself; its own words must not be lost for that."""
    with Queue(tmp_path) as queue:
        with pytest.raises(QueueError, match="full"):
            _put_and_fail(queue, sqlite3.OperationalError("database or disk is full"), rolled_back=True)
        assert queue.all_jobs() == []


def _put_and_fail(queue: Queue, error: Exception, *, rolled_back: bool = False) -> None:
    with queue.change():
        queue.put(JOB)
        if rolled_back:
            queue._db.execute("ROLLBACK")  # noqa: SLF001 - as SQLite does when the disk is full
        raise error


@pytest.mark.parametrize("body", ["{}", "no JSON", '{"array": null}', "[]"])
def test_what_another_trainsub_wrote_is_told(tmp_path: Path, body: str) -> None:
    """With the place and what to do, not as an accident."""
    with Queue(tmp_path) as queue:
        with queue.change():
            queue.put(JOB)
            queue._db.execute("UPDATE jobs SET body = ?", (body,))  # noqa: SLF001 - nobody else writes such a thing
        with pytest.raises(QueueError, match=f"{FILE}: holds what this trainsub does not know.*Remove the directory"):
            queue.all_jobs()


def test_another_version_and_another_file_are_refused(tmp_path: Path) -> None:
    """Nothing is written to them."""
    with Queue(tmp_path) as queue:
        queue._db.execute("PRAGMA user_version = 99")  # noqa: SLF001 - a later trainsub's
    with pytest.raises(QueueError, match="made by another trainsub"):
        Queue(tmp_path)
    (tmp_path / FILE).write_text("something else, long enough to be looked at as a database" * 20)
    with pytest.raises(QueueError, match="not a database"):
        Queue(tmp_path)
