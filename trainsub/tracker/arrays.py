"""A job that is an array: each task is looked at for itself, and the array's own state follows from theirs. Pure.

The rule, in this order:

1. if squeue shows that a task holds nodes, the array is as that task is: RUNNING before other words;
2. else, if a task waits, the array waits, for the reason of the first such task;
3. else, if neither an end of a task is known nor that it is alive, the array is as that task is;
4. else all tasks have ended, each of them, and the array ended as the worst of them did, in the order of exit codes:
   10 before 12 before 11 before 0.

So an array is finished only if the end of every index that was asked for is known.

The tasks of a chain are one training, which is as its last link left it. Where that link would have been followed by
another one, and that was cancelled, so was the chain.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from trainsub.slurm import arrays, states
from trainsub.slurm.sacct import AccountRow
from trainsub.slurm.squeue import QueueRow
from trainsub.tracker import single
from trainsub.tracker.poll import Poll, rows_of_tasks
from trainsub.tracker.task_rows import begun, of_tasks
from trainsub.tracker.values import Job

_ORDER = ("running", "pending", "unknown", "finished")


def begin(job: Job) -> Job:
    """An array with all its tasks, of none of which anything is known yet; any other job as it is.

    Raises:
        ValueError: The indices are none.
    """
    if job.array is None or job.tasks:
        return job
    indices = arrays.parse(job.array).indices
    return replace(job, tasks=tuple(replace(job, array=None, chain=False, array_task=index) for index in indices))


def learned(job: Job, poll: Poll) -> Job:
    """The array that Slurm tells a job to be, which was taken for none; the same job where it is not told, or not all.

    squeue lists the tasks that live, and only sacct those that have ended before.
    """
    rows = [] if job.array is not None else rows_of_tasks(job, poll)
    if not rows or poll.queue is None or poll.accounts is None:
        return job
    try:
        told = {index for row in rows for index in _indices(row)}
    except ValueError:
        return job  # a list that was cut off
    # What was taken for the job's own state was that of one task.
    return begin(Job(job.run, job.link, job.job_id, job.submitted, array=arrays.text(told)))


def _indices(row: QueueRow | AccountRow) -> tuple[int, ...]:
    return (row.array_task,) if row.array_task is not None else arrays.parse(row.array_pending or "").indices


def observe(job: Job, poll: Poll, now: datetime) -> Job:
    """The array as it is known after a poll."""
    whole = begin(job)
    said = of_tasks(whole, poll)
    tasks = tuple(single.observe(task, said[index], poll, now) for index, task in indexed(whole))
    if poll.queue is None:
        return replace(whole, tasks=tasks)  # sacct may have added to the bill; nothing else is concluded
    return job if tasks == job.tasks else summed(whole, tasks)


def indexed(job: Job) -> list[tuple[int, Job]]:
    """The tasks of an array with their indices."""
    return [(task.array_task, task) for task in job.tasks if task.array_task is not None]


def writers(job: Job) -> tuple[Job, ...]:
    """Whoever has a log: the job, or the tasks of an array that have begun, by index."""
    return tuple(task for task in job.tasks if begun(task, job.job_id)) or (job,)


def summed(job: Job, tasks: Sequence[Job]) -> Job:
    """The array whose tasks are these; its own values follow from theirs."""
    groups: dict[str, list[Job]] = {standing: [] for standing in _ORDER}
    for task in tasks:
        groups[_standing(task)].append(task)
    standing = next(name for name in _ORDER if groups[name])
    told = groups[standing]
    speaker = _last_word(job, told) if standing == "finished" else min(told, key=_not_running)
    holding = groups["running"]
    return replace(
        job,
        submitted=min(task.submitted for task in tasks),
        state=speaker.state,
        reason=speaker.reason,
        source=speaker.source,
        observed_at=max(_known(task.observed_at for task in told), default=None),
        start_time=min(_known(_first_start(task) for task in tasks), default=None),
        end_time=max(_known(task.end_time for task in tasks), default=None) if standing == "finished" else None,
        nodes=_held([task.nodes for task in holding], [task.nodes for task in tasks]),
        gpus=_held([task.gpus for task in holding], [task.gpus for task in tasks]),
        exit_code=speaker.exit_code if standing == "finished" else None,
        missing_since=min(_known(task.missing_since for task in told), default=None),
        expected_start=min(_known(task.expected_start for task in told), default=None),
        seen_there=max(_known(task.seen_there for task in tasks), default=None),
        runaway=any(task.runaway for task in tasks),
        tasks=tuple(tasks),
    )


def _standing(task: Job) -> str:
    """How far a task is: a word of its own where nobody shows it any more."""
    phase = "pending" if task.state is None else states.phase(task.state)
    return "unknown" if phase != "finished" and task.missing_since is not None else phase


def _last_word(job: Job, ended: Sequence[Job]) -> Job:
    """The task whose end is that of the array: the worst one, or the last link of a chain."""
    begun_links = [task for task in ended if begun(task, job.job_id)]
    if not job.chain or not begun_links:
        return min(ended, key=_badness)
    last = max(begun_links, key=lambda task: (_first_start(task) or task.submitted, task.array_task or 0))
    dropped = [task for task in ended if task not in begun_links]
    would_go_on = states.WORST_FIRST[_badness(last)] == states.EXIT_INFRASTRUCTURE
    return dropped[0] if would_go_on and dropped else last


def _badness(task: Job) -> int:
    """Sort key of tasks that have ended: the worst first."""
    code = states.exit_code(task.state or "", task.exit_code.code if task.exit_code else 0, task.reason or "")
    return states.WORST_FIRST.index(states.EXIT_OK if code is None else code)


def _not_running(task: Job) -> bool:
    """Sort key of tasks that have not ended: a plain word first."""
    return task.state != "RUNNING"


def _first_start(task: Job) -> datetime | None:
    """When a task held nodes for the first time."""
    return min(_known([task.start_time, *(one.start for one in task.allocations)]), default=None)


def _held(holding: Sequence[int | None], anyone: Sequence[int | None]) -> int | None:
    """What the tasks that hold something hold together; while none does, what one of them asks for."""
    if not holding:
        return max((count for count in anyone if count is not None), default=None)
    counts = [count for count in holding if count is not None]
    return sum(counts) if len(counts) == len(holding) else None


def _known(times: Iterable[datetime | None]) -> list[datetime]:
    """Those that are known."""
    return [time for time in times if time is not None]
