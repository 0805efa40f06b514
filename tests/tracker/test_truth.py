"""What breaks around Slurm, one by one: silence, runaway records, requeues, purges, clocks."""

from dataclasses import replace
from datetime import timedelta

from tracker.test_track import JOB, T0, at, queue, queued, record

from trainsub.record.exits import ExitRecord
from trainsub.slurm.values import ExitCode
from trainsub.tracker.allocations import billed
from trainsub.tracker.elapsed import elapsed
from trainsub.tracker.poll import Poll
from trainsub.tracker.single import RUNAWAY, RUNAWAY_PATIENCE
from trainsub.tracker.track import accounted, finished, observe

RUNNING = observe(JOB, Poll(queue(queued("RUNNING")), clock=at(10)), at(10))
OPEN = {7: [record("RUNNING", end=None, elapsed=86_400)]}
ENDED = ExitRecord(3, int(at(5).timestamp()), int(at(25).timestamp()), "n1")


def test_missing_means_that_both_were_asked() -> None:
    """A silent sacct, or accounts that do not exist and records that nobody read, are no news."""
    assert observe(RUNNING, Poll({}), at(20)) == RUNNING
    assert observe(RUNNING, Poll({}, accounting=False), at(20)) == RUNNING
    assert observe(RUNNING, Poll({}, {}, accounting=True), at(20)).missing_since == at(20)
    assert observe(RUNNING, Poll({}, accounting=False, records={}), at(20)).missing_since == at(20)


def test_a_runaway_record_is_told_and_counts_until_the_last_sign_of_life() -> None:
    """Fifteen minutes of both saying so; what sacct tells later wins."""
    lost = observe(RUNNING, Poll({}, OPEN, accounting=True), at(20))
    assert (lost.runaway, lost.missing_since) == (False, at(20))
    told = observe(lost, Poll({}, OPEN, accounting=True), at(20) + RUNAWAY_PATIENCE)
    assert (told.runaway, told.reason, told.state) == (True, RUNAWAY, "RUNNING")
    assert not finished(told)
    (counted,) = billed(told)
    assert (counted.end, counted.elapsed) == (at(10), 5)
    won = observe(told, Poll({}, {7: [record("FAILED")]}, accounting=True), at(9000))
    assert (won.state, won.runaway, won.reason, billed(won)) == ("FAILED", False, None, won.allocations)
    back = observe(told, Poll(queue(queued("RUNNING"))), at(9000))
    assert (back.runaway, back.missing_since) == (False, None)


def test_the_runs_own_record_decides_a_runaway() -> None:
    """It ended when it said; the bill ends there, and says why."""
    poll = Poll({}, OPEN, accounting=True, records={7: [ENDED]}, clock=at(40))
    waiting = observe(RUNNING, poll, at(40))
    assert not finished(waiting)
    done = observe(waiting, replace(poll, clock=at(25) + timedelta(minutes=10)), at(50))
    assert (done.state, done.source, done.runaway, accounted(done, at(70))) == ("FAILED", "record", True, False)
    (counted,) = billed(done)
    assert (counted.end, counted.elapsed) == (at(25), 20)


def test_a_silent_sacct_lets_the_record_decide_in_the_end() -> None:
    """slurmdbd is down for long, and the cluster's clock says that the script ended long ago."""
    poll = Poll({}, records={7: [ENDED]}, clock=at(25) + timedelta(minutes=10))
    assert observe(RUNNING, poll, at(20)).state == "FAILED"
    assert observe(RUNNING, replace(poll, records={7: [ENDED._replace(end=10**17)]}), at(20)) == RUNNING


def test_a_record_from_before_a_requeue_decides_nothing() -> None:
    """Neither the run's own nor sacct's: squeue showed the job waiting again."""
    again = observe(RUNNING, Poll(queue(queued("PENDING", restarts=1, submit_time=at(66)))), at(70))
    assert again.resubmitted == at(66)
    own = Poll({}, accounting=False, records={7: [ENDED]})
    assert not finished(observe(again, own, at(900)))
    old = {7: [record("NODE_FAIL", end=at(65))]}
    gone = observe(again, Poll({}, old, accounting=True), at(900))
    assert (gone.state, gone.missing_since) == ("PENDING", at(900))
    ended = observe(again, Poll(queue(queued("FAILED", restarts=1, submit_time=at(66), end_time=at(80)))), at(82))
    assert observe(ended, Poll({}, old, accounting=True), at(900)).state == "FAILED"
    new = record("CANCELLED by 1000", submit=at(66), start=None, end=at(80), elapsed=0)
    assert observe(gone, Poll({}, {7: [*old[7], new]}, accounting=True), at(910)).state == "CANCELLED"


def test_what_a_site_purges_stays_on_the_bill() -> None:
    """Periods that ended are kept; a start that was corrected is no second period."""
    first = record("NODE_FAIL")
    second = record("RUNNING", submit=at(66), start=at(70), end=None, elapsed=10)
    known = observe(RUNNING, Poll(queue(queued("RUNNING")), {7: [first, second]}, accounting=True), at(80))
    later = replace(second, start=at(72), end=at(100), elapsed=28, state="COMPLETED")
    purged = observe(known, Poll({}, {7: [later]}, accounting=True), at(110))
    assert [(one.state, one.elapsed) for one in purged.allocations] == [("NODE_FAIL", 60), ("COMPLETED", 28)]
    assert observe(purged, Poll({}, {}, accounting=True), at(10**6)) == purged


def test_an_id_that_was_given_out_again_is_not_ours() -> None:
    """Same name, another root: by the time of the submission."""
    done = observe(RUNNING, Poll({}, {7: [record("COMPLETED")]}, accounting=True), at(70))
    month = timedelta(days=30)
    late = record("RUNNING", submit=at(0) + month, start=at(9) + month, end=None)
    assert len(observe(done, Poll({}, {7: [record("COMPLETED"), late]}, accounting=True), at(80)).allocations) == 1
    assert observe(done, Poll(queue(queued("RUNNING", submit_time=T0 + month))), at(80)) == done
    assert observe(JOB, Poll(queue(queued("RUNNING", submit_time=T0 - month))), at(80)) == JOB
    early = record("FAILED", submit=T0 - month, end=T0 - month)
    assert observe(JOB, Poll({}, {7: [early]}, accounting=True), at(80)).state is None


def test_the_exit_code_comes_from_the_record_where_nobody_keeps_accounts() -> None:
    """While squeue still shows the end and after it; only where the record fits Slurm's word."""
    row = queue(queued("FAILED", end_time=at(25)))
    poll = Poll(row, accounting=False, records={7: [ENDED]})
    assert observe(RUNNING, poll, at(30)).exit_code == ExitCode(3, 0)
    assert observe(RUNNING, replace(poll, accounting=None), at(30)).exit_code is None
    assert observe(RUNNING, replace(poll, queue=queue(queued("TIMEOUT"))), at(30)).exit_code is None
    unread = observe(RUNNING, Poll(row), at(30))
    assert observe(unread, replace(poll, queue={}), at(900)).exit_code == ExitCode(3, 0)


def test_an_absurd_expectation_is_none() -> None:
    """Behind a job without a time limit Slurm plans for next year, or for 8831."""
    for days, told in ((2, True), (365, False)):
        start = at(0) + timedelta(days=days)
        seen = observe(JOB, Poll(queue(queued("PENDING", start_time=start)), clock=at(5)), at(10))
        assert (seen.expected_start == start) is told
    assert observe(JOB, Poll(queue(queued("PENDING", start_time=None))), at(10)).expected_start is None


def test_how_long_a_job_runs_does_not_depend_on_the_laptops_clock() -> None:
    """Each clock is compared with itself only."""
    laptop = timedelta(hours=-8)
    seen = observe(JOB, Poll(queue(queued("RUNNING")), clock=at(65)), at(65) + laptop)
    assert elapsed(seen, at(75) + laptop) == timedelta(seconds=70)
    assert elapsed(seen, at(0) + laptop) == timedelta(seconds=60)
    assert elapsed(replace(seen, missing_since=at(70)), at(999)) == timedelta(seconds=60)
    assert elapsed(replace(seen, end_time=at(35)), at(999)) == timedelta(seconds=30)
    assert elapsed(replace(seen, observed_at=None, seen_there=None), at(15)) == timedelta(seconds=10)
    assert elapsed(JOB, at(10)) is None
