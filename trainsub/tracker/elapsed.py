"""How long a job has held its nodes, whatever the clocks of laptop and cluster say of each other. Pure."""

from datetime import datetime, timedelta

from trainsub.slurm import states
from trainsub.tracker.values import Job


def elapsed(job: Job, now: datetime) -> timedelta | None:
    """Time since the start, or from start to end.

    Times of one clock only are compared: the cluster's own when squeue showed the job, and this machine's since then.

    Args:
        job: As it is known.
        now: By the clock that ``observed_at`` is from.

    Returns:
        None if it has not started. Of a job that nobody shows any more, the time until it was seen last.
    """
    if job.start_time is None:
        return None
    if job.end_time is not None:
        return _forward(job.end_time - job.start_time)
    until = job.seen_there or job.observed_at or now
    since = now - job.observed_at if job.observed_at else timedelta(0)
    alive = states.phase(job.state) == "running" and job.missing_since is None
    return _forward(until - job.start_time) + (_forward(since) if alive else timedelta(0))


def _forward(time: timedelta) -> timedelta:
    """No time runs backwards; only clocks do."""
    return max(time, timedelta(0))
