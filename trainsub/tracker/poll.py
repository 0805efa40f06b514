"""What a cluster answered, and which part of it was said of one job. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from trainsub.record.exits import ExitRecord
from trainsub.record.names import parse_comment
from trainsub.slurm.sacct import AccountRow
from trainsub.slurm.squeue import QueueRow
from trainsub.slurm.states import phase
from trainsub.tracker.values import Job

CLOCKS_APART = timedelta(days=1)
"""How far a laptop's clock may be off: what was submitted longer before a job is another one that had the same id."""
REQUEUED_WITHIN = timedelta(days=7)
"""How long after its end a job may be requeued, as long as slurmctld keeps it (``MinJobAge``, usually five minutes).
What was submitted later than that under the same id is another job."""

REQUEUED_AT_ONCE = timedelta(seconds=5)
"""How long after the end of a record the next one begins of a job that Slurm requeued; no id is reused so soon."""


@dataclass(frozen=True)
class Poll:
    """What a cluster answered.

    Attributes:
        queue: Rows of squeue by job id; None when squeue could not be asked.
        silence: Why squeue, or else sacct, could not be asked, in its own words.
        accounts: Records of sacct by job id; None when sacct could not be asked or was not.
        accounting: Whether the cluster keeps accounts at all; None when not known.
        gpus_tracked: Whether the cluster records GPUs, so that a record without them means that none were held.
        records: The runs' own exit records by job id (a task's own), newest last; None when they were not read.
        clock: The cluster's own clock when it answered; None where it was not asked.
    """

    queue: Mapping[int, QueueRow] | None
    accounts: Mapping[int, Sequence[AccountRow]] | None = None
    accounting: bool | None = None
    gpus_tracked: bool = False
    silence: str = ""
    records: Mapping[int, Sequence[ExitRecord]] | None = None
    clock: datetime | None = None

    @cached_property
    def queued_tasks(self) -> Mapping[int, Sequence[QueueRow]]:
        """Rows of squeue that belong to arrays, by the array's id."""
        found: dict[int, list[QueueRow]] = {}
        for row in (self.queue or {}).values():
            if row.array_job_id is not None:
                found.setdefault(row.array_job_id, []).append(row)
        return found

    @cached_property
    def accounted_tasks(self) -> Mapping[int, Sequence[AccountRow]]:
        """Records of sacct that belong to arrays, by the array's id."""
        found: dict[int, list[AccountRow]] = {}
        for row in (row for rows in (self.accounts or {}).values() for row in rows):
            if row.array_job_id is not None:
                found.setdefault(row.array_job_id, []).append(row)
        return found

    @cached_property
    def recorded_tasks(self) -> Mapping[tuple[int, int], Sequence[ExitRecord]]:
        """Exit records of tasks, by the array's id and the index."""
        found: dict[tuple[int, int], list[ExitRecord]] = {}
        for one in (one for records in (self.records or {}).values() for one in records):
            if one.array is not None and one.task is not None:
                found.setdefault((one.array, one.task), []).append(one)
        return found


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of one job, or of one task of an array.

    Attributes:
        queued: Its row of squeue; None if there is none.
        rows: Its records of sacct, oldest first.
        records: Its own exit records, newest last.
        array_told: sacct told of other tasks of its array, at least.
    """

    queued: QueueRow | None
    rows: Sequence[AccountRow]
    records: Sequence[ExitRecord]
    array_told: bool = False


def of_job(job: Job, poll: Poll) -> Said:
    """What was said of a job that is no array; nothing, where Slurm tells of tasks of an array that has its id.

    The task that begins last has the array's own id: how that one ended, the others need not have.
    """
    if rows_of_tasks(job, poll):
        return Said(None, (), ())
    queued = (poll.queue or {}).get(job.job_id)
    return Said(
        queued=queued if queued is not None and is_ours(queued, job) else None,
        rows=own_records(job, (poll.accounts or {}).get(job.job_id, ())),
        records=[one for one in (poll.records or {}).get(job.job_id, ()) if one.array is None],
    )


def rows_of_tasks(job: Job, poll: Poll) -> Sequence[QueueRow | AccountRow]:
    """The rows that speak of tasks of an array with a job's id; none if it is no array."""
    queued = [row for row in poll.queued_tasks.get(job.job_id, ()) if is_ours(row, job)]
    return [*queued, *own_records(job, poll.accounted_tasks.get(job.job_id, ()))]


def is_ours(row: QueueRow, job: Job) -> bool:
    """Whether a row of squeue is this job's, and not of another one that was given the same id.

    A site's plugin may rename jobs or rewrite comments; one of the two is enough. Another root, or another machine's
    clock of long ago, may have had a run of the same id; then the time of the submission tells.
    """
    mark = parse_comment(row.comment)
    if row.name != job.run and (mark is None or mark.run != job.run):
        return False
    submit = row.submit_time
    if submit is None:
        return True
    ended = job.end_time if phase(job.state) == "finished" else None
    return submit >= job.submitted - CLOCKS_APART and (ended is None or submit <= ended + REQUEUED_WITHIN)


def own_records(job: Job, rows: Iterable[AccountRow]) -> list[AccountRow]:
    """The records that are this job's, oldest first: same id, same name, and no life of the id long before or after.

    A record of another name is of a job that was renamed if the id was still ours when that record began.
    """
    own: list[AccountRow] = []
    ended: datetime | None = None
    for row in sorted(rows, key=_age):
        if row.name != job.run and not _was_renamed(job, row, own):
            continue
        if row.submit is not None and row.submit < job.submitted - CLOCKS_APART:
            continue
        if row.submit is not None and ended is not None and row.submit > ended + REQUEUED_WITHIN:
            break
        own.append(row)
        ended = max(filter(None, (ended, row.end)), default=None)
    return own


def _was_renamed(job: Job, row: AccountRow, own: Sequence[AccountRow]) -> bool:
    """Whether a record of another name is this job's: no stranger is given an id that is in use.

    squeue showed the id as ours after the record was submitted; or the record goes on where the last one of ours ended.
    """
    if row.submit is None:
        return False
    if job.seen_there is not None and job.submitted <= row.submit <= job.seen_there:
        return True
    ended = own[-1].end if own else None
    return ended is not None and ended <= row.submit <= ended + REQUEUED_AT_ONCE


def _age(row: AccountRow) -> tuple[float, float]:
    """Sort key: by submission, then by start; what has not started comes last."""
    submit = row.submit.timestamp() if row.submit else 0.0
    return submit, row.start.timestamp() if row.start else float("inf")
