"""A task of an array that was cancelled before it began: Slurm keeps nothing of it. Pure.

Measured on 22.05, 24.11 and 26.05: ``scancel 7_2`` while task 2 waits takes the index out of the array's shared row,
and neither squeue nor sacct ever mentions it again. A task that begins, in contrast, has a row of its own in both.
"""

from datetime import datetime, timedelta

from trainsub.slurm import states
from trainsub.tracker.poll import Said
from trainsub.tracker.values import Job

LATE_RECORDS = timedelta(days=1)
"""For so long a conclusion from silence is open to what the accounts may still tell: slurmdbd may be far behind."""
RETENTION = timedelta(days=7)
"""No site purges sooner: what waited longer ago may have begun, ended, and been purged since."""
REASON = "left out of the array while it waited: squeue and sacct know the other tasks, and nothing of this one"
"""The reason that is told; Slurm tells none."""


def dropped(job: Job, said: Said, now: datetime) -> bool:
    """Whether nothing is said of a task that lately waited."""
    waited = job.array_task is not None and states.phase(job.state or "PENDING") == "pending"
    never = job.start_time is None and not any(one.start for one in job.allocations)
    lately = now - (job.observed_at or job.submitted) < RETENTION
    return waited and never and lately and said.queued is None and not said.rows and not said.records
