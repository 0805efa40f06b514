"""What is still worth asking once squeue has answered: sacct, and the runs' own exit records. Pure."""

from datetime import datetime, timedelta

from trainsub.slurm import states
from trainsub.tracker import arrays
from trainsub.tracker.dropped import dropped
from trainsub.tracker.poll import Poll, Said, of_job
from trainsub.tracker.task_rows import of_tasks
from trainsub.tracker.track import accounted, finished
from trainsub.tracker.values import Job

RECORDS_AFTER = timedelta(minutes=5)
"""Where there are accounts, a run's own record is read only if they have been silent for so long."""


def asks_accounts(job: Job, poll: Poll, now: datetime) -> bool:
    """Whether sacct should be asked: squeue does not show the job or one of its tasks, or shows an end.

    Args:
        job: As it was known.
        poll: With squeue's answer.
        now: This machine's time.
    """
    return any(_left(one, said, now) for one, said in _parts(job, poll))


def asks_records(job: Job, poll: Poll, now: datetime) -> bool:
    """Whether the exit records of the job, or of its tasks, should be read.

    Where there are accounts, only if they have told no end for long: the record counts later still.

    Args:
        job: As it was known.
        poll: With squeue's answer, and whether there are accounts.
        now: This machine's time.
    """
    return any(_untold(one, said, poll, now) for one, said in _parts(job, poll))


def _parts(job: Job, poll: Poll) -> list[tuple[Job, Said]]:
    """The job, or the tasks of an array, each with what was said of it."""
    if job.array is None:
        return [(job, of_job(job, poll))]
    whole = arrays.begin(job)
    said = of_tasks(whole, poll)
    return [(task, said[index]) for index, task in arrays.indexed(whole)]


def _left(job: Job, said: Said, now: datetime) -> bool:
    """squeue does not show it, or shows it as ended, and sacct's records of it are not complete yet."""
    shown = said.queued is not None and not _ended(said.queued.state)
    return not shown and not accounted(job, now)


def _untold(job: Job, said: Said, poll: Poll, now: datetime) -> bool:
    """Slurm tells no end or, without accounts, no exit code, and perhaps never will."""
    shown = said.queued is not None and not _ended(said.queued.state)
    if shown or (finished(job) and job.exit_code is not None):
        return False
    if poll.accounting is not True:
        return True
    if dropped(job, said, now):
        return True
    ended = finished(job) or said.queued is not None
    return not ended and now - (job.missing_since or job.observed_at or job.submitted) >= RECORDS_AFTER


def _ended(word: str) -> bool:
    return states.phase(word) == "finished"
