from dataclasses import replace

import pytest

from trainsub.minislurm import lifecycle
from trainsub.minislurm.lifecycle import ChangeError
from trainsub.minislurm.values import Array, Job, Process, Request, Share

NOW = 1_000
DELAY = 8
STEPD = Process(7, "then", "boot")
SHARES = (Share("n1", 2), Share("n2", 2))
WAITING = Job(12, 1000, Request("job", "gpu"), 900, eligible=900)
RUNNING = lifecycle.start(WAITING, 950, SHARES, "mark")
ROW = replace(WAITING, array=Array(12, pending=(1, 2, 3), count=3, least=1, most=3))


def ended(state: str = "COMPLETED") -> Job:
    """Return a job that is over."""
    return replace(RUNNING, state=state, end=990, stepd=None)


def test_a_start_gives_nodes_and_a_mark_and_leaves_the_stepd_open() -> None:
    """Until a stepd has claimed the job nothing of it runs."""
    assert (RUNNING.state, RUNNING.start, RUNNING.shares, RUNNING.mark) == ("RUNNING", 950, SHARES, "mark")
    assert (RUNNING.eligible, RUNNING.stepd) == (900, None)
    assert lifecycle.start(replace(WAITING, eligible=None), 950, SHARES, "mark").eligible == 950


def test_only_the_stepd_that_a_job_was_started_for_gets_it() -> None:
    """A stepd that comes late, or second, finds that it is not wanted."""
    claimed = lifecycle.claim(RUNNING, "mark", STEPD)
    assert claimed is not None
    assert claimed.stepd == STEPD
    assert lifecycle.claim(claimed, "mark", STEPD) is None
    assert lifecycle.claim(RUNNING, "another mark", STEPD) is None
    assert lifecycle.claim(WAITING, "", STEPD) is None


@pytest.mark.parametrize(
    ("code", "number", "state", "reason"),
    [
        (0, 0, "COMPLETED", "None"),
        (3, 0, "FAILED", "NonZeroExitCode"),
        (0, 9, "FAILED", "RaisedSignal:9(Killed)"),
        (0, 53, "FAILED", "RaisedSignal:53(Real-time signal 19)"),
    ],
)
def test_the_script_s_end_is_the_job_s(code: int, number: int, state: str, reason: str) -> None:
    """Nobody stopped it."""
    after, record = lifecycle.end(RUNNING, NOW, code, number, DELAY)
    assert (after.state, after.reason, after.end, after.exit_code, after.exit_signal) == (
        state,
        reason,
        NOW,
        code,
        number,
    )
    assert record is None


@pytest.mark.parametrize(("state", "reason"), [("CANCELLED", "None"), ("TIMEOUT", "TimeLimit"), ("NODE_FAIL", "None")])
def test_a_stopped_job_ends_in_the_state_that_it_was_stopped_with(state: str, reason: str) -> None:
    """It ends at the moment of the stop, and keeps how its script ended."""
    stopping = lifecycle.stop(RUNNING, 980, state, by=5)
    assert (stopping.state, stopping.stop, stopping.running) == ("COMPLETING", state, True)
    after, record = lifecycle.end(stopping, NOW, 0, 15, DELAY)
    assert (after.state, after.reason, after.end, after.exit_signal, after.stop_by) == (state, reason, 980, 15, 5)
    assert (after.stop, record) == ("", None)


def test_what_stops_a_job_first_counts() -> None:
    """But a user who cancels what is about to be queued again means it."""
    timed_out = lifecycle.stop(RUNNING, 980, "TIMEOUT")
    assert lifecycle.cancel(timed_out, 985, 5) == timed_out
    requeued, _ = lifecycle.requeue(RUNNING, 980, DELAY)
    cancelled = lifecycle.cancel(requeued, 985, 5)
    assert (cancelled.stop, cancelled.stop_requeue, cancelled.stop_by) == ("CANCELLED", "", 5)


def test_a_running_job_is_requeued_when_its_processes_are_gone() -> None:
    """Its period goes into the accounts, and it waits for a while."""
    stopping, record = lifecycle.requeue(RUNNING, 980, DELAY)
    assert (stopping.stop, record) == ("REQUEUED", None)
    after, record = lifecycle.end(stopping, NOW, 0, 15, DELAY)
    assert record is not None
    assert (record.state, record.start, record.end, record.restarts) == ("REQUEUED", 950, 980, 0)
    assert (after.state, after.reason, after.submit, after.not_before) == ("PENDING", "BeginTime", NOW, NOW + DELAY)
    assert (after.restarts, after.shares, after.mark, after.stop, after.end) == (1, (), "", "", None)


def test_a_job_that_has_ended_is_requeued_at_once() -> None:
    """Its last period stays as it ended."""
    after, record = lifecycle.requeue(ended("FAILED"), NOW, DELAY, held=True)
    assert record is not None
    assert record.state == "FAILED"
    assert (after.state, after.reason, after.held) == ("PENDING", "job requeued in held state", "user")


def test_what_may_not_be_requeued() -> None:
    """The words are Slurm's."""
    with pytest.raises(ChangeError, match="Job is pending execution"):
        lifecycle.requeue(WAITING, NOW, DELAY, held=True)
    with pytest.raises(ChangeError, match="Requested operation is presently disabled"):
        lifecycle.requeue(replace(RUNNING, request=replace(RUNNING.request, requeue=False)), NOW, DELAY)


def test_hold_and_release() -> None:
    """A held job that runs waits held should it be queued again."""
    held = lifecycle.hold(WAITING)
    assert (held.held, held.reason, held.eligible) == ("user", "JobHeldUser", None)
    assert (lifecycle.release(held).held, lifecycle.release(held).reason) == ("", "None")
    assert lifecycle.release(WAITING) == WAITING
    stopping, _ = lifecycle.requeue(lifecycle.hold(RUNNING), NOW, DELAY)
    after, _ = lifecycle.end(stopping, NOW, 0, 15, DELAY)
    assert (after.held, after.reason) == ("user", "JobHeldUser")
    for change in (lifecycle.hold, lifecycle.release):
        with pytest.raises(ChangeError, match="Job has already finished"):
            change(ended())


def test_cancelling_what_waits_and_what_has_ended() -> None:
    """What waits ends at once and keeps its reason."""
    cancelled = lifecycle.cancel(lifecycle.hold(WAITING), NOW, 5)
    assert (cancelled.state, cancelled.reason, cancelled.start, cancelled.end) == ("CANCELLED", "JobHeldUser", NOW, NOW)
    with pytest.raises(ChangeError, match="already completing or completed"):
        lifecycle.cancel(ended(), NOW, 5)


@pytest.mark.parametrize(("requeue", "state", "told"), [(True, "PENDING", "NODE_FAIL"), (False, "NODE_FAIL", None)])
def test_a_job_whose_stepd_died(*, requeue: bool, state: str, told: str | None) -> None:
    """Slurm queues it again if it may."""
    job = replace(RUNNING, request=replace(RUNNING.request, requeue=requeue))
    after, record = lifecycle.node_failed(job, NOW, DELAY)
    assert (after.state, record.state if record else None) == (state, told)


def test_a_job_that_was_being_cancelled_when_its_stepd_died() -> None:
    """It is cancelled, not failed."""
    after, record = lifecycle.node_failed(lifecycle.stop(RUNNING, 980, "CANCELLED"), NOW, DELAY)
    assert (after.state, record) == ("CANCELLED", None)


def test_a_job_that_cannot_be_started_waits_for_a_release() -> None:
    """Slurm's word for that is its reason."""
    after, record = lifecycle.launch_failed(RUNNING, NOW, DELAY)
    assert (after.held, after.reason, record.state) == ("user", "launch failed requeued held", "REQUEUED")


def test_the_tasks_of_an_array_get_ids_of_their_own_but_the_last() -> None:
    """The last one keeps the array's id."""
    first, rest = lifecycle.split(ROW, 2, 13)
    assert rest is not None
    assert (first.job_id, first.array and first.array.task) == (13, 2)
    assert rest.array is not None
    assert (rest.job_id, rest.array.pending) == (12, (1, 3))
    _, rest = lifecycle.split(rest, 1, 14)
    assert rest is not None
    last, rest = lifecycle.split(rest, 3, 15)
    assert (last.job_id, last.array and last.array.task, rest) == (12, 3, None)
    with pytest.raises(ValueError, match="no task 9"):
        lifecycle.split(ROW, 9, 16)


def test_tasks_that_are_cancelled_one_by_one_leave_the_row() -> None:
    """The last of them end it."""
    some = lifecycle.cancel_tasks(ROW, {2}, NOW, 5)
    assert (some.state, some.array and some.array.pending) == ("PENDING", (1, 3))
    none = lifecycle.cancel_tasks(some, {1, 3}, NOW, 5)
    assert none.array is not None
    assert (none.state, none.array.pending, none.array.cancelled) == ("CANCELLED", (), (1, 3))
    assert lifecycle.cancel_tasks(ROW, (), NOW, 5) == ROW
    assert lifecycle.cancel_tasks(WAITING, {1}, NOW, 5) == WAITING


def test_giving_nodes_back() -> None:
    """The first one stays, and a period ends."""
    smaller, record = lifecycle.resize(RUNNING, ["n1"], NOW)
    assert (smaller.shares, smaller.resized, record.state, record.shares) == (SHARES[:1], NOW, "RESIZING", SHARES)
    for nodes in (["n2"], ["n1", "n3"]):
        with pytest.raises(ChangeError, match="Invalid node name specified"):
            lifecycle.resize(RUNNING, nodes, NOW)
    with pytest.raises(ChangeError, match="Job is not running"):
        lifecycle.resize(WAITING, ["n1"], NOW)
