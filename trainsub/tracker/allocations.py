"""A job's periods on nodes, from sacct's records. What was known of them is never lost. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from trainsub.errors import OutputError
from trainsub.slurm import states, tres
from trainsub.slurm.sacct import AccountRow
from trainsub.tracker.values import Allocation, Job

END_SLACK = timedelta(minutes=1)
"""How far two of Slurm's own times of the same end may differ."""


def merged(known: Sequence[Allocation], rows: Sequence[AccountRow], *, tracked: bool) -> tuple[Allocation, ...]:
    """The allocations of a job after sacct has told its records, oldest first.

    A site purges and archives old records, perhaps while the job still runs. A period that had ended, and that sacct
    does not tell any more, stays as it was. One that had not ended is replaced: its start may be corrected later.

    PENDING is the word of a record without nodes, and so of no period, even where it bears a start: on 22.05 the shared
    record of the tasks that wait does for a moment, when one of them has just taken the record over to begin.

    Args:
        known: As they were known.
        rows: The job's records, oldest first; at least one.
        tracked: The cluster records GPUs, so that a record without them means that none were held.
    """
    told = [_allocation(row, tracked=tracked) for row in rows if states.base_word(row.state) != "PENDING"]
    still = {(one.submit, one.start) for one in told}
    gone = [one for one in known if one.start and one.end and (one.submit, one.start) not in still]
    return tuple(sorted([*gone, *told], key=_age))


def start(row: AccountRow) -> datetime | None:
    """When a record's nodes were given to it.

    None without nodes and without time, even where it bears a start: what was cancelled while it waited may have its
    end there (22.05). What lasted held nodes, even where 22.05 does not name them: a task's record before a requeue.
    """
    return None if not row.nodelist and row.start == row.end else row.start


def is_the_end(job: Job, last: Allocation) -> bool:
    """Whether a record is of the end that the job came to, and not of an allocation before a requeue."""
    if last.end is None or last.state != job.state:
        return False
    return job.end_time is None or last.end >= job.end_time - END_SLACK


def is_open(allocations: Sequence[Allocation]) -> bool:
    """Whether Slurm's accounts call a job running: the newest record has begun and has no end."""
    return bool(allocations) and allocations[-1].start is not None and allocations[-1].end is None


def billed(job: Job) -> tuple[Allocation, ...]:
    """The allocations as they are paid for: a runaway record grows for ever, but its job lived no longer than was seen.

    It counts until squeue showed the job last, or until the end that the job itself wrote down, whichever is later.
    """
    last = job.allocations[-1] if job.allocations else None
    if last is None or last.start is None or last.end is not None or not job.runaway:
        return job.allocations
    until = max(time for time in (last.start, job.seen_there, job.end_time) if time is not None)
    lived = (until - last.start) // timedelta(seconds=1)
    return (*job.allocations[:-1], replace(last, end=until, elapsed=min(last.elapsed, lived)))


def gpus(text: str, *, tracked: bool = False) -> int | None:
    """GPUs in a list of resources; what cannot be read is unknown, and must not hide the rest of the poll."""
    try:
        return tres.gpus(text, tracked=tracked)
    except OutputError:
        return None


def _allocation(row: AccountRow, *, tracked: bool) -> Allocation:
    """One record of sacct as an allocation."""
    return Allocation(
        state=states.base_word(row.state),
        submit=row.submit,
        start=start(row),
        end=row.end,
        elapsed=row.elapsed,
        nodes=row.nodes,
        gpus=gpus(row.alloc_tres, tracked=tracked),
        nodelist=row.nodelist,
        partition=row.partition,
        exit_code=row.exit_code if row.end else None,
    )


def _age(one: Allocation) -> tuple[bool, datetime | bool, bool, datetime | bool]:
    """Sort key: by submission, then by start; what has not started comes last."""
    return one.submit is not None, one.submit or False, one.start is None, one.start or False
