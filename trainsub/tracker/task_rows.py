"""Which rows speak of which task of an array. Pure.

Tasks that have not started share a row in squeue and one in sacct, which lists their indices; a row of a task's own
says more. Once all that waited were cancelled together, the shared row may name no index any more (squeue of every
release, sacct of 22.05). The task that starts last takes the shared row over, with the array's own id.
"""

from trainsub.slurm import arrays
from trainsub.slurm.sacct import AccountRow
from trainsub.slurm.squeue import QueueRow
from trainsub.tracker.poll import Poll, Said, is_ours, own_records
from trainsub.tracker.values import Job


def of_tasks(job: Job, poll: Poll) -> dict[int, Said]:
    """What was said of each task of an array, by index."""
    tasks = {task.array_task: task for task in job.tasks if task.array_task is not None}
    waiting = frozenset(index for index, task in tasks.items() if not begun(task, job.job_id))
    records = _records(job, poll)
    rows: dict[int, list[AccountRow]] = {index: [] for index in tasks}
    for record in records:
        for index in _covered(record, frozenset(tasks), waiting):
            rows[index].append(record)
    queued = _queued(job, poll, frozenset(tasks))
    nameless = _nameless(job, poll)
    said = {}
    for index in tasks:
        own = [row for row in rows[index] if row.array_task is not None]
        wrote = poll.recorded_tasks.get((job.job_id, index), ())
        row = queued.get(index)
        if row is None and index in waiting and not own and not wrote:
            row = nameless
        said[index] = Said(row, own or rows[index], wrote, array_told=bool(records))
    return said


def begun(task: Job, array_id: int) -> bool:
    """Whether a task was ever seen with an id of its own; the one that starts last is given the array's."""
    return task.job_id != array_id or task.start_time is not None or any(one.start for one in task.allocations)


def _records(job: Job, poll: Poll) -> list[AccountRow]:
    """The array's records in sacct, the shared one too where it names no index."""
    shared = [row for row in (poll.accounts or {}).get(job.job_id, ()) if row.array_job_id is None]
    return own_records(job, [*poll.accounted_tasks.get(job.job_id, ()), *shared])


def _queued(job: Job, poll: Poll, indices: frozenset[int]) -> dict[int, QueueRow]:
    """The row of squeue of each task that is named by one."""
    found: dict[int, QueueRow] = {}
    for row in poll.queued_tasks.get(job.job_id, ()):
        if is_ours(row, job):
            for index in _covered(row, indices, frozenset()):
                if row.array_task is not None or index not in found:
                    found[index] = row
    return found


def _nameless(job: Job, poll: Poll) -> QueueRow | None:
    """The shared row that names no index: it is of those that never began, so it counts once these are known."""
    row = (poll.queue or {}).get(job.job_id)
    others_known = poll.accounts is not None or (poll.accounting is False and poll.records is not None)
    return row if row is not None and row.array_job_id is None and is_ours(row, job) and others_known else None


def _covered(row: QueueRow | AccountRow, indices: frozenset[int], waiting: frozenset[int]) -> frozenset[int]:
    """The indices that a row speaks of."""
    if row.array_task is not None:
        return indices & {row.array_task}
    if row.array_pending is None:
        return waiting
    try:
        return indices.intersection(arrays.parse(row.array_pending).indices)
    except ValueError:
        return frozenset()  # cut off, or something new: nothing is said of anybody
