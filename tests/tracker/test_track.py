"""The tracker's rules, one by one, and all of them under any interleaving."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.record.exits import ExitRecord
from trainsub.slurm import states
from trainsub.slurm.sacct import AccountRow
from trainsub.slurm.squeue import QueueRow
from trainsub.slurm.values import ExitCode
from trainsub.tracker.outcome import exit_code
from trainsub.tracker.poll import REQUEUED_AT_ONCE, Poll, own_records
from trainsub.tracker.single import RECORD_PATIENCE
from trainsub.tracker.track import accounted, finished, observe
from trainsub.tracker.values import ACCEPTED, OPEN, REFUSED, Job, Run

T0 = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
RUN = "demo-00c0ffee"
JOB = Job(run=RUN, link=1, job_id=7, submitted=T0)


def at(seconds: float) -> datetime:
    """A time after the submission."""
    return T0 + timedelta(seconds=seconds)


def queued(state: str, **more: object) -> QueueRow:
    """A row of squeue for the job."""
    row = QueueRow(
        job_id=7, array_job_id=None, array_task=None, array_pending=None, state=state, reason="None", name=RUN,
        comment=f"trainsub:{RUN}:1", partition="gpu", submit_time=T0, start_time=at(5), end_time=at(500), nodes=2,
        nodelist="n[1-2]", restarts=0, tres="",
    )  # fmt: skip
    return replace(row, **more)  # type: ignore[arg-type]


def record(state: str, **more: object) -> AccountRow:
    """A record of sacct for the job."""
    row = AccountRow(
        job_id=7, array_job_id=None, array_task=None, array_pending=None, state=state, submit=T0, eligible=T0, start=at(5), end=at(65),
        elapsed=60, suspended=0, alloc_tres="cpu=4,gres/gpu=16,node=2", nodes=2, nodelist="n[1-2]", partition="gpu",
        account="research", exit_code=ExitCode(0, 0), name=RUN,
    )  # fmt: skip
    return replace(row, **more)  # type: ignore[arg-type]


def queue(*rows: QueueRow) -> dict[int, QueueRow]:
    """squeue's answer."""
    return {row.job_id: row for row in rows}


def test_gpus_are_told_while_the_job_runs() -> None:
    """squeue's resources tell them before sacct does; what cannot be read there is unknown."""
    assert observe(JOB, Poll(queue(queued("RUNNING", tres="cpu=4,gres/gpu=16"))), at(10)).gpus == 16
    assert observe(JOB, Poll(queue(queued("RUNNING", tres="gres/gpu=lots"))), at(10)).gpus is None


def test_a_failed_poll_changes_nothing() -> None:
    """Where squeue could not be asked, all that was known stands, with its age."""
    seen = observe(JOB, Poll(queue(queued("RUNNING"))), at(10))
    assert observe(seen, Poll(None), at(20)) == seen


def test_a_running_job_is_told_by_squeue() -> None:
    """State, source, time and start are squeue's; the limit that it prints as an end is none."""
    seen = observe(JOB, Poll(queue(queued("RUNNING"))), at(10))
    assert (seen.state, seen.source, seen.observed_at, seen.start_time, seen.end_time) == (
        "RUNNING",
        "squeue",
        at(10),
        at(5),
        None,
    )


def test_a_forecast_of_a_waiting_job_is_no_start() -> None:
    """squeue prints when a waiting job may start; that is kept out of start_time."""
    assert observe(JOB, Poll(queue(queued("PENDING", reason="Resources"))), at(10)).start_time is None


def test_a_state_goes_backwards_on_requeue() -> None:
    """A requeued job waits again, and its former allocation stays on the bill."""
    seen = observe(JOB, Poll(queue(queued("RUNNING"))), at(10))
    accounts = {
        7: [record("NODE_FAIL"), record("PENDING", submit=at(66), start=None, end=None, elapsed=0, alloc_tres="")]
    }
    again = observe(seen, Poll(queue(queued("PENDING", reason="BeginTime")), accounts), at(70))
    assert again.state == "PENDING"
    assert not finished(again)
    assert [(one.state, one.gpus) for one in again.allocations] == [("NODE_FAIL", 16)]


def test_absence_from_squeue_is_no_end() -> None:
    """A job that neither squeue nor sacct knows keeps its last state and is called missing."""
    seen = observe(JOB, Poll(queue(queued("RUNNING"))), at(10))
    gone = observe(seen, Poll({}, {}, accounting=True), at(20))
    assert (gone.state, gone.missing_since) == ("RUNNING", at(20))
    assert observe(gone, Poll({}, {}, accounting=True), at(30)).missing_since == at(20)
    assert observe(gone, Poll(queue(queued("RUNNING"))), at(30)).missing_since is None


def test_sacct_tells_the_end() -> None:
    """Once the job left the queue, its newest record is its end."""
    done = observe(JOB, Poll({}, {7: [record("FAILED", exit_code=ExitCode(3, 0))]}, accounting=True), at(99))
    assert (done.state, done.source, done.exit_code, done.end_time, done.gpus) == (
        "FAILED",
        "sacct",
        ExitCode(3, 0),
        at(65),
        16,
    )
    assert finished(done)
    assert accounted(done, at(70))


def test_a_record_without_its_partition_is_not_the_last_word() -> None:
    """22.05 leaves it out for a moment, and prices differ by it; after a day nobody will tell."""
    poll = Poll({}, {7: [record("CANCELLED", partition="")]}, accounting=True)
    done = observe(JOB, poll, at(70))
    assert finished(done)
    assert [accounted(done, at(70)), accounted(done, at(65 + 86400))] == [False, True]


def test_an_active_row_overrules_a_final_record() -> None:
    """sacct may say NODE_FAIL of a job that squeue shows waiting again."""
    seen = observe(JOB, Poll(queue(queued("PENDING")), {7: [record("NODE_FAIL")]}), at(70))
    assert seen.state == "PENDING"


def test_squeue_may_tell_the_end_first() -> None:
    """squeue lists ended jobs for some minutes; the exit code comes with the record."""
    done = observe(JOB, Poll(queue(queued("COMPLETED", end_time=at(65)))), at(70))
    assert (done.state, done.end_time, done.exit_code) == ("COMPLETED", at(65), None)
    assert finished(done)
    assert not accounted(done, at(70))
    told = observe(done, Poll(queue(queued("COMPLETED", end_time=at(65))), {7: [record("COMPLETED")]}), at(80))
    assert (told.exit_code, told.gpus) == (ExitCode(0, 0), 16)
    assert accounted(told, at(70))


def test_a_finished_job_that_squeue_forgets_stays_finished() -> None:
    """Silence afterwards is no news."""
    done = observe(JOB, Poll(queue(queued("COMPLETED", end_time=at(65)))), at(70))
    assert observe(done, Poll({}, None), at(900)) == done


def test_an_open_record_outside_the_queue_is_no_end() -> None:
    """sacct that says RUNNING of a job that squeue lost: late, or a runaway; in either case not an end."""
    seen = observe(JOB, Poll({}, {7: [record("RUNNING", end=None)]}, accounting=True), at(70))
    assert not finished(seen)
    assert seen.missing_since == at(70)
    assert seen.allocations[0].exit_code is None


def test_a_reused_id_is_another_job() -> None:
    """Rows of another name are not ours; no other job bears the name of this run, whenever it was submitted."""
    strangers = {7: [record("FAILED", name="other")]}
    poll = Poll(queue(queued("RUNNING", name="other", comment="")), strangers, accounting=True)
    assert observe(JOB, poll, at(10)).state is None
    assert own_records(JOB, strangers[7]) == []
    assert len(own_records(JOB, [record("RUNNING", submit=T0 - timedelta(hours=20))])) == 1


def test_records_of_a_renamed_job_are_ours_and_a_strangers_are_not() -> None:
    """No stranger is given an id that is in use; before and after that, anybody may be."""
    seen = observe(JOB, Poll(queue(queued("RUNNING", name="nicer")), clock=at(10)), at(10))
    first = record("REQUEUED", name="nicer")
    again = record("COMPLETED", name="nicer", submit=at(66), start=at(70), end=at(80))
    before = record("FAILED", name="nicer", submit=T0 - timedelta(hours=1), start=None)
    later = record("FAILED", name="nicer", submit=at(300), start=at(300), end=at(400))
    unknown = record("FAILED", name="nicer", submit=None)
    rows = {7: [unknown, before, first, again, later]}
    done = observe(seen, Poll({}, rows, accounting=True), at(500))
    assert (done.state, done.end_time, len(done.allocations)) == ("COMPLETED", at(80), 2)
    lost = observe(seen, Poll({}, {7: [later]}, accounting=True), at(500))
    assert (lost.state, lost.missing_since, lost.allocations) == ("RUNNING", at(500), ())
    never = observe(JOB, Poll({}, {7: [first]}, accounting=True), at(500))
    assert (never.state, never.allocations) == (None, ())


def test_a_renamed_job_is_still_ours_by_its_comment() -> None:
    """A site's plugin, or scontrol, may have changed its name."""
    assert observe(JOB, Poll(queue(queued("RUNNING", name="renamed"))), at(10)).state == "RUNNING"


def test_the_submission_is_told_by_slurm() -> None:
    """A run that was found by its key was submitted when Slurm says, not when it was found."""
    early = T0 - timedelta(hours=5)
    assert observe(JOB, Poll(queue(queued("RUNNING", submit_time=early))), at(10)).submitted == early
    assert observe(JOB, Poll(queue(queued("RUNNING", submit_time=None))), at(10)).submitted == T0


def test_a_record_from_before_a_requeue_is_not_the_end() -> None:
    """squeue saw the job start again after that record had closed; the newest record is not there yet."""
    again = observe(JOB, Poll(queue(queued("RUNNING", start_time=at(200)))), at(210))
    old = [record("PREEMPTED", end=at(65))]
    gone = observe(again, Poll({}, {7: old}, accounting=True), at(900))
    assert not finished(gone)
    assert gone.missing_since == at(900)
    done = observe(again, Poll(queue(queued("COMPLETED", start_time=at(200), end_time=at(300))), {7: old}), at(301))
    assert (done.state, done.exit_code) == ("COMPLETED", None)
    assert not accounted(done, at(70))
    rows = [*old, record("COMPLETED", submit=at(66), start=at(200), end=at(300), elapsed=100)]
    told = observe(done, Poll({}, {7: rows}, accounting=True), at(400))
    assert accounted(told, at(70))
    assert [one.elapsed for one in told.allocations] == [60, 100]


def test_the_reason_of_an_end_is_kept() -> None:
    """squeue knows why a job was cancelled; sacct, which speaks later, does not."""
    row = queued("CANCELLED", reason="DependencyNeverSatisfied", end_time=None)
    cancelled = observe(JOB, Poll(queue(row)), at(10))
    told = observe(cancelled, Poll({}, {7: [record("CANCELLED by 0", start=None, elapsed=0)]}, accounting=True), at(20))
    assert (told.reason, told.source) == ("DependencyNeverSatisfied", "sacct")


def test_without_accounting_the_runs_record_decides() -> None:
    """Where sacct is disabled, the script's own exit record is the end."""
    ended = ExitRecord(code=3, start=int(at(5).timestamp()), end=int(at(65).timestamp()), node="n1")
    done = observe(JOB, Poll({}, None, accounting=False, records={7: [ended]}), at(70))
    assert (done.state, done.source, done.exit_code, done.end_time) == ("FAILED", "record", ExitCode(3, 0), at(65))
    well = observe(JOB, Poll({}, None, accounting=False, records={7: [ended._replace(code=0, end=10**17)]}), at(70))
    assert (well.state, well.end_time) == ("COMPLETED", None)


def test_with_accounting_the_record_waits_for_slurm() -> None:
    """The record decides only after Slurm's accounts were silent for long."""
    records = {7: [ExitRecord(code=0, start=0, end=1, node="n1")]}
    first = observe(JOB, Poll({}, {}, accounting=True, records=records), at(70))
    assert not finished(first)
    later = observe(first, Poll({}, {}, accounting=True, records=records), at(70) + RECORD_PATIENCE)
    assert (later.state, later.source) == ("COMPLETED", "record")


def test_a_job_on_cpus_held_no_gpus_where_gpus_are_tracked() -> None:
    """A record without gres/gpu means none on a cluster that records them, and unknown elsewhere."""
    row = record("COMPLETED", alloc_tres="cpu=4,node=2")
    assert observe(JOB, Poll({}, {7: [row]}, gpus_tracked=True), at(70)).gpus == 0
    assert observe(JOB, Poll({}, {7: [row]}), at(70)).gpus is None


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [
        ("COMPLETED", 0, 0),
        ("FAILED", 1, 10),
        ("FAILED", 76, 12),
        ("CANCELLED", 0, 11),
        ("TIMEOUT", 0, 12),
        ("RUNNING", 0, 7),
    ],
)
def test_exit_codes(state: str, code: int, expected: int) -> None:
    """Each end has its exit code."""
    job = replace(JOB, state=state, exit_code=ExitCode(code, 0))
    assert exit_code([run_of(job)]) == expected


def test_the_worst_of_several_counts() -> None:
    """10 before 12 before 11; what has no end, or was refused, comes before."""
    failed, timeout, cancelled = (run_of(replace(JOB, state=word)) for word in ("FAILED", "TIMEOUT", "CANCELLED"))
    assert exit_code([cancelled, timeout]) == 12
    assert exit_code([cancelled, timeout, failed]) == 10
    assert exit_code([failed, replace(failed, outcome=REFUSED)]) == 5
    assert exit_code([failed, replace(failed, outcome=OPEN)]) == 7
    assert exit_code([]) == 0


def run_of(*jobs: Job) -> Run:
    """A run with these jobs."""
    return Run(
        run=RUN,
        name="demo",
        key="k",
        cluster="c",
        created_at=T0,
        plan_hash="h",
        outcome=ACCEPTED,
        script="",
        spec="",
        jobs=jobs,
    )


WORDS = [*sorted(states.TERMINAL), "PENDING", "RUNNING", "COMPLETING", "REQUEUED", "SUSPENDED", "NEVER_HEARD_OF"]


@st.composite
def polls(draw: st.DrawFn) -> Poll:
    """Anything that a cluster may answer about job 7."""
    name = draw(st.sampled_from([RUN, "other"]))
    row = queued(draw(st.sampled_from(WORDS)), name=name, comment="")
    rows = draw(st.sampled_from([None, {}, queue(row)]))
    accounts = draw(
        st.none()
        | st.lists(
            st.builds(
                record,
                st.sampled_from(WORDS),
                name=st.sampled_from([RUN, "other"]),
                submit=st.sampled_from([None, T0, T0 - timedelta(days=9), at(70)]),
                start=st.sampled_from([None, at(5), at(75)]),
                end=st.sampled_from([None, at(65)]),
            ),
            max_size=3,
        ).map(lambda found: {7: found})
    )
    records = {7: [ExitRecord(draw(st.integers(0, 255)), 0, 1, "n1")]} if draw(st.booleans()) else {}
    return Poll(rows, accounts, accounting=draw(st.sampled_from([None, True, False])), records=records)


@given(st.lists(polls(), max_size=8))
def test_a_run_is_finished_only_if_slurm_or_its_record_said_so(answers: list[Poll]) -> None:
    """Under any interleaving, an end was said by someone who may say it."""
    job = JOB
    for number, poll in enumerate(answers):
        before, job = job, observe(job, poll, at(60 * number))
        if finished(job) and not finished(before):
            assert said_by_someone(poll)
        if poll.queue is None:
            assert replace(job, allocations=()) == replace(before, allocations=())


def said_by_someone(poll: Poll) -> bool:
    """Whether squeue, sacct or the run's record spoke of an end."""
    in_queue = any(row.name == RUN and row.state in states.TERMINAL for row in (poll.queue or {}).values())
    rows = (poll.accounts or {}).get(7, ())
    in_accounts = any((row.name == RUN or goes_on(row, rows)) and row.state in states.TERMINAL for row in rows)
    return in_queue or in_accounts or bool(poll.records)


def goes_on(row: AccountRow, rows: Sequence[AccountRow]) -> bool:
    """Whether a record of another name begins at once where one ends: then the job was renamed, and requeued."""
    begun = row.submit
    if begun is None:
        return False
    return any(one.end is not None and timedelta(0) <= begun - one.end <= REQUEUED_AT_ONCE for one in rows)
