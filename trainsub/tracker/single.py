"""One job, or one task of an array: what was said of it in one poll, and what is known of it then. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from trainsub.record.exits import ExitRecord
from trainsub.slurm import states
from trainsub.slurm.sacct import AccountRow
from trainsub.slurm.squeue import QueueRow
from trainsub.slurm.values import ExitCode
from trainsub.tracker import allocations
from trainsub.tracker.dropped import REASON, dropped
from trainsub.tracker.poll import Poll, Said
from trainsub.tracker.values import Job

RECORD_PATIENCE = timedelta(minutes=10)
"""How long a run's own exit record waits for Slurm's accounts to speak first: they know a time limit from a failure."""
RUNAWAY_PATIENCE = timedelta(minutes=15)
"""How long squeue must not show what sacct calls running, or a task that sacct does not mention: slurmdbd may be behind
by what slurmctld queued for it."""
RUNAWAY = (
    "runaway record: squeue does not show the job and sacct still calls it running; "
    "`sacctmgr show runawayjobs` lets the operator end the record"
)
"""The reason that is told then; Slurm itself tells none."""
ABSURD = timedelta(days=300)
"""An expected start further off is none: behind jobs without a time limit Slurm plans for next year, or for 8831."""


def observe(job: Job, said: Said, poll: Poll, now: datetime) -> Job:
    """The job as it is known after a poll; the same value where the poll says nothing of it."""
    rows = said.rows
    if rows:
        job = replace(job, allocations=allocations.merged(job.allocations, rows, tracked=poll.gpus_tracked))
    if said.queued is not None:
        return _from_queue(job, said, said.queued, poll, now)
    if poll.queue is None:
        return job
    if rows and states.phase(rows[-1].state) == "finished" and not _outlived(job, rows[-1]):
        return _from_accounts(job, rows[-1], now)
    record = _deciding_record(job, said, poll, now)
    if record is not None:
        return _from_record(job, record, now)
    if states.phase(job.state) == "finished":
        return job if job.exit_code else replace(job, exit_code=_recorded_code(job, said, poll))
    return _missing(job, said, poll, now)


def fresh(job: Job, records: Sequence[ExitRecord]) -> ExitRecord | None:
    """The newest exit record; None if there is none, or if the job was requeued after that start of it."""
    if not records:
        return None
    again = job.resubmitted
    return records[-1] if again is None or records[-1].start >= again.timestamp() else None


def _from_queue(job: Job, said: Said, row: QueueRow, poll: Poll, now: datetime) -> Job:
    """squeue speaks: its word stands, forwards or backwards."""
    done = states.phase(row.state) == "finished"
    running = states.phase(row.state) == "running"
    waiting = states.phase(row.state) == "pending"
    tracked = [allocations.gpus(row.tres), *(one.gpus for one in reversed(job.allocations)), job.gpus]
    shared = job.array_task is not None and row.array_task is None  # so it never began
    # Nor did what ended without nodes: cancelled in the queue, and squeue then gives its end for a start, too.
    began = running or (done and bool(row.nodelist))
    seen = replace(
        job,
        job_id=job.job_id if shared else row.job_id,
        submitted=min(job.submitted, row.submit_time or job.submitted),
        state=states.base_word(row.state),
        reason=row.reason,
        source="squeue",
        observed_at=now,
        # squeue prints an expected start for a waiting job: that is a forecast, not a fact.
        start_time=row.start_time if began and not shared else None,
        expected_start=_expected(row.start_time, poll.clock or now) if waiting else None,
        end_time=row.end_time if done else None,
        nodes=row.nodes,
        gpus=next((count for count in tracked if count is not None), None),
        missing_since=None,
        seen_there=job.seen_there if done or poll.clock is None else poll.clock,
        # A row that several tasks share tells of none of them how often it was requeued.
        resubmitted=row.submit_time if row.restarts and not shared else job.resubmitted,
        runaway=False,
        exit_code=None,
    )
    if not done:
        return seen
    last = seen.allocations[-1] if seen.allocations else None
    if last and allocations.is_the_end(seen, last):
        return replace(seen, exit_code=last.exit_code)
    return replace(seen, exit_code=_recorded_code(seen, said, poll))


def _expected(start: datetime | None, now: datetime) -> datetime | None:
    """A start that Slurm expects, unless it is absurd."""
    return start if start is not None and start - now < ABSURD else None


def _from_accounts(job: Job, row: AccountRow, now: datetime) -> Job:
    """The job left the queue and sacct knows how."""
    gpus = job.allocations[-1].gpus
    slurms = states.phase(job.state) == "finished" and not job.runaway and job.reason != REASON
    known = job.reason if slurms else None
    return replace(
        job,
        job_id=row.job_id if row.array_task is not None else job.job_id,
        state=states.base_word(row.state),
        # Only sacct knows who cancelled it: "CANCELLED by 1000". squeue tells why it had to be, or just why it waited.
        reason=known if known == states.NEVER_SATISFIED or row.state == states.base_word(row.state) else row.state,
        source="sacct",
        observed_at=now,
        start_time=allocations.start(row),
        end_time=row.end,
        nodes=row.nodes or job.nodes,
        gpus=gpus if gpus is not None else job.gpus,
        exit_code=row.exit_code,
        missing_since=None,
        expected_start=None,
        runaway=False,
    )


def _from_record(job: Job, record: ExitRecord, now: datetime) -> Job:
    """The script's last words: how it ended, by its own exit code."""
    return replace(
        job,
        state="COMPLETED" if record.code == 0 else "FAILED",
        reason=None,
        source="record",
        observed_at=now,
        start_time=_moment(record.start),
        end_time=_moment(record.end),
        exit_code=ExitCode(record.code, 0),
        missing_since=None,
        expected_start=None,
        # The accounts still call it running, long after its end.
        runaway=allocations.is_open(job.allocations),
    )


def _missing(job: Job, said: Said, poll: Poll, now: datetime) -> Job:
    """squeue does not show the job, and nobody tells an end: that is told as such once both could be asked.

    The other one is sacct, or the run's own record where Slurm keeps no accounts.
    """
    if poll.accounts is None and (poll.accounting is not False or poll.records is None):
        return job
    since = job.missing_since or now
    lost = replace(job, missing_since=since, expected_start=None)
    if allocations.is_open(job.allocations) and now - since >= RUNAWAY_PATIENCE:
        return replace(lost, runaway=True, reason=RUNAWAY)
    if dropped(job, said, now) and said.array_told and poll.records is not None and now - since >= RUNAWAY_PATIENCE:
        # Nobody said so: it is concluded here.
        return replace(lost, state="CANCELLED", reason=REASON, source="store", observed_at=now, missing_since=None)
    return lost


def _outlived(job: Job, row: AccountRow) -> bool:
    """Whether squeue showed the job alive after this record's end: then it is not the newest one."""
    if row.end is None:
        return False
    if job.resubmitted is not None and row.submit is not None and row.submit < job.resubmitted:
        return True
    return states.phase(job.state) != "finished" and job.start_time is not None and job.start_time > row.end


def _deciding_record(job: Job, said: Said, poll: Poll, now: datetime) -> ExitRecord | None:
    """The run's own record, where it may decide: without accounting, or when the accounts tell no end for long."""
    record = fresh(job, said.records)
    if record is None or states.phase(job.state) == "finished":
        return None
    if poll.accounting is False:
        return record
    waited = [now - job.missing_since] if job.missing_since else []
    ended = _moment(record.end)
    if poll.clock is not None and ended is not None:
        waited.append(poll.clock - ended)
    return record if max(waited, default=timedelta(0)) >= RECORD_PATIENCE else None


def _recorded_code(job: Job, said: Said, poll: Poll) -> ExitCode | None:
    """The exit code of a job that Slurm calls ended, from its own record; None where that does not fit Slurm's word."""
    record = fresh(job, said.records) if poll.accounting is False else None
    fits = record is not None and job.state == ("COMPLETED" if record.code == 0 else "FAILED")
    return ExitCode(record.code, 0) if record is not None and fits else None


def _moment(epoch: int) -> datetime | None:
    """A time that a job wrote; a node's clock may say anything."""
    try:
        return datetime.fromtimestamp(epoch, UTC)
    except (OverflowError, ValueError, OSError):
        return None
