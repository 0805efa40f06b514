"""One job, one poll, one new value. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from trainsub.errors import OutputError
from trainsub.record.exits import ExitRecord
from trainsub.record.names import parse_comment
from trainsub.slurm import states, tres
from trainsub.slurm.sacct import AccountRow
from trainsub.slurm.squeue import QueueRow
from trainsub.slurm.values import ExitCode
from trainsub.tracker.values import Allocation, Job

END_SLACK = timedelta(minutes=1)
"""How far two of Slurm's own times of the same end may differ."""
RECORD_PATIENCE = timedelta(minutes=10)
"""How long a run's own exit record waits for Slurm's accounts to speak first."""
ABSURD = timedelta(days=366)
"""An expected start further off is none: behind jobs without a time limit Slurm plans for the year 8831."""


@dataclass(frozen=True, slots=True)
class Poll:
    """What a cluster answered.

    Attributes:
        queue: Rows of squeue by job id; None when squeue could not be asked.
        silence: Why squeue, or else sacct, could not be asked, in its own words.
        accounts: Records of sacct by job id; None when sacct could not be asked or was not.
        accounting: Whether the cluster keeps accounts at all; None when not known.
        gpus_tracked: Whether the cluster records GPUs, so that a record without them means that none were held.
        records: The runs' own exit records by job id, newest last.
        clock: The cluster's own clock when it answered; None where it was not asked.
    """

    queue: Mapping[int, QueueRow] | None
    accounts: Mapping[int, Sequence[AccountRow]] | None = None
    accounting: bool | None = None
    gpus_tracked: bool = False
    silence: str = ""
    records: Mapping[int, Sequence[ExitRecord]] = field(default_factory=dict)
    clock: datetime | None = None


def finished(job: Job) -> bool:
    """Whether Slurm, or the run's own record, said that the job has ended."""
    return states.phase(job.state) == "finished"


def accounted(job: Job) -> bool:
    """Whether Slurm's records of the job are complete: it ended, and its newest record is of that end."""
    return finished(job) and bool(job.allocations) and _is_the_end(job, job.allocations[-1])


def observe(job: Job, poll: Poll, now: datetime) -> Job:
    """The job as it is known after a poll.

    Args:
        job: As it was known.
        poll: What the cluster answered.
        now: When it answered, UTC.

    Returns:
        A new value; the same one where the poll says nothing of this job.
    """
    rows = own_records(job, (poll.accounts or {}).get(job.job_id, ()))
    if rows:
        job = replace(job, allocations=tuple(_allocation(row, poll) for row in rows))
    queued = poll.queue.get(job.job_id) if poll.queue is not None else None
    if queued is not None and is_ours(queued, job):
        return _from_queue(job, queued, now, poll.clock)
    if poll.queue is None:
        return job
    if rows and states.phase(rows[-1].state) == "finished" and not _outlived(job, rows[-1]):
        return _from_accounts(job, rows[-1], now)
    record = _deciding_record(job, poll, now)
    if record is not None:
        return _from_record(job, record, now)
    if finished(job):
        return job
    return replace(job, missing_since=job.missing_since or now)


def is_ours(row: QueueRow, job: Job) -> bool:
    """Whether a row of squeue is this job's, and not of another one that was given the same id later.

    A site's plugin may rename jobs or rewrite comments; one of the two is enough.
    """
    mark = parse_comment(row.comment)
    return row.name == job.run or (mark is not None and mark.run == job.run)


def own_records(job: Job, rows: Sequence[AccountRow]) -> list[AccountRow]:
    """The records that are this job's, oldest first: same id, same name. No other job is named after this run."""
    return sorted((row for row in rows if row.name == job.run), key=_age)


def _age(row: AccountRow) -> tuple[float, float]:
    """Sort key: by submission, then by start; what has not started comes last."""
    submit = row.submit.timestamp() if row.submit else 0.0
    return submit, row.start.timestamp() if row.start else float("inf")


def _allocation(row: AccountRow, poll: Poll) -> Allocation:
    """One record of sacct as an allocation."""
    return Allocation(
        state=states.base_word(row.state),
        submit=row.submit,
        start=row.start,
        end=row.end,
        elapsed=row.elapsed,
        nodes=row.nodes,
        gpus=_gpus(row.alloc_tres, tracked=poll.gpus_tracked),
        nodelist=row.nodelist,
        partition=row.partition,
        exit_code=row.exit_code if row.end else None,
    )


def _outlived(job: Job, row: AccountRow) -> bool:
    """Whether squeue showed the job alive after this record's end: then it is not the newest one."""
    if finished(job) or row.end is None or job.start_time is None:
        return False
    return job.start_time > row.end


def _is_the_end(job: Job, last: Allocation) -> bool:
    """Whether a record is of the end that the job came to, and not of an allocation before a requeue."""
    if last.end is None or last.state != job.state:
        return False
    return job.end_time is None or last.end >= job.end_time - END_SLACK


def _from_queue(job: Job, row: QueueRow, now: datetime, clock: datetime | None) -> Job:
    """squeue speaks: its word stands, forwards or backwards."""
    done = states.phase(row.state) == "finished"
    running = states.phase(row.state) == "running"
    known = [_gpus(row.tres), *(one.gpus for one in reversed(job.allocations)), job.gpus]
    seen = replace(
        job,
        submitted=min(job.submitted, row.submit_time or job.submitted),
        state=states.base_word(row.state),
        reason=row.reason,
        source="squeue",
        observed_at=now,
        # squeue prints an expected start for a waiting job: that is a forecast, not a fact.
        start_time=row.start_time if running or done else None,
        expected_start=None if running or done else _expected(row.start_time, clock or now),
        seen_there=job.seen_there if done or clock is None else clock,
        end_time=row.end_time if done else None,
        nodes=row.nodes,
        gpus=next((count for count in known if count is not None), None),
        missing_since=None,
    )
    last = seen.allocations[-1] if seen.allocations else None
    return replace(seen, exit_code=last.exit_code if done and last and _is_the_end(seen, last) else None)


def _expected(start: datetime | None, now: datetime) -> datetime | None:
    """A start that Slurm expects, unless it is absurd."""
    return start if start is not None and start - now < ABSURD else None


def _from_accounts(job: Job, row: AccountRow, now: datetime) -> Job:
    """The job left the queue and sacct knows how."""
    gpus = job.allocations[-1].gpus
    return replace(
        job,
        state=states.base_word(row.state),
        reason=job.reason if finished(job) else None,
        source="sacct",
        observed_at=now,
        start_time=row.start,
        end_time=row.end,
        nodes=row.nodes or job.nodes,
        gpus=gpus if gpus is not None else job.gpus,
        exit_code=row.exit_code,
        missing_since=None,
        expected_start=None,
    )


def _deciding_record(job: Job, poll: Poll, now: datetime) -> ExitRecord | None:
    """The run's own record, where it may decide: without accounting, or when the accounts stay silent for long."""
    records = poll.records.get(job.job_id, ())
    if not records or finished(job):
        return None
    if poll.accounting is False:
        return records[-1]
    waited = now - job.missing_since if job.missing_since else timedelta(0)
    return records[-1] if waited >= RECORD_PATIENCE else None


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
    )


def _gpus(text: str, *, tracked: bool = False) -> int | None:
    """GPUs in a list of resources; what cannot be read is unknown, and must not hide the rest of the poll."""
    try:
        return tres.gpus(text, tracked=tracked)
    except OutputError:
        return None


def _moment(epoch: int) -> datetime | None:
    """A time that a job wrote; a node's clock may say anything."""
    try:
        return datetime.fromtimestamp(epoch, UTC)
    except (OverflowError, ValueError, OSError):
        return None
