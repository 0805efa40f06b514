"""What a poll changed, as lines of a run's history. Pure."""

from dataclasses import dataclass

from trainsub.slurm import states
from trainsub.tracker.values import Job


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened, as it was learned.

    Attributes:
        what: Slurm's word for the new state; of a task with its index before it.
        source: Who said so.
        detail: Slurm's reason, or ours.
    """

    what: str
    source: str | None
    detail: str | None


def changes(before: Job, after: Job) -> list[Change]:
    """What is new: states, who cancelled, runaway records. Reasons come and go by the minute while a job waits."""
    found = [_change(task, f"task {task.array_task} ") for was, task in _pairs(before, after) if _told(was, task)]
    if _told(before, after):
        found.append(_change(after, ""))
    return found


def _pairs(before: Job, after: Job) -> list[tuple[Job | None, Job]]:
    """The tasks as they were and as they are."""
    known = {task.array_task: task for task in before.tasks}
    return [(known.get(task.array_task), task) for task in after.tasks]


def _told(before: Job | None, after: Job) -> bool:
    """Whether it is news; that the tasks of a new array wait is not, since the array's own line says it."""
    was = before.state if before is not None else None
    if was != after.state:
        return after.array_task is None or was is not None or states.phase(after.state) != "pending"
    if before is None:
        return False
    if after.runaway and not before.runaway:
        return True
    return states.phase(after.state) == "finished" and bool(after.reason) and before.reason != after.reason


def _change(job: Job, who: str) -> Change:
    return Change(who + (job.state or "unknown"), job.source, job.reason)
