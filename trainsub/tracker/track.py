"""One job, one poll, one new value. Pure."""

from datetime import datetime

from trainsub.slurm import states
from trainsub.tracker import allocations, arrays, dropped, single
from trainsub.tracker.poll import Poll, of_job
from trainsub.tracker.values import Job


def finished(job: Job) -> bool:
    """Whether Slurm, or the run's own record, said that the job has ended; of an array, that every task has."""
    return states.phase(job.state) == "finished"


def accounted(job: Job, now: datetime) -> bool:
    """Whether Slurm's records of the job are complete: it ended, and its newest record is of that end, and whole.

    Of a task that never began there is none; whether it did not is asked for a day yet. So is the partition, which a
    record may lack for a moment (22.05), and by which prices differ.
    """
    if job.tasks:
        return all(accounted(task, now) for task in job.tasks)
    if job.reason == dropped.REASON:
        told = job.observed_at
        return finished(job) and (told is None or now - told >= dropped.LATE_RECORDS)
    last = job.allocations[-1] if job.allocations else None
    if last is None or not finished(job) or not allocations.is_the_end(job, last):
        return False
    return bool(last.partition) or last.end is None or now - last.end >= dropped.LATE_RECORDS


def observe(job: Job, poll: Poll, now: datetime) -> Job:
    """The job as it is known after a poll.

    Args:
        job: As it was known.
        poll: What the cluster answered.
        now: When it answered, UTC.

    Returns:
        A new value; the same one where the poll says nothing of this job.
    """
    known = arrays.learned(job, poll)
    if known.array is not None:
        return arrays.observe(known, poll, now)
    return single.observe(job, of_job(job, poll), poll, now)
