"""What users name to squeue, sacct and scontrol: jobs, states, users, nodes. Pure, but for the names of users."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from trainsub.minislurm.conf import Conf
from trainsub.minislurm.values import Job
from trainsub.minislurm.view import SHORT
from trainsub.slurm.hostlist import expand

_JOB = re.compile(r"([0-9]{1,10})(?:_([0-9]{1,9}))?(?:\.(.*))?")


class SelectionError(ValueError):
    """It names nothing that can be; the message is the word at fault."""


@dataclass(frozen=True, slots=True)
class JobName:
    """``12``, ``12_3`` or ``12.batch``.

    Attributes:
        job_id: The number before the rest.
        task: Index of an array's task.
        step: Name of a step; empty for the whole job.
    """

    job_id: int
    task: int | None = None
    step: str = ""

    def means(self, job_id: int, array_id: int, task: int | None) -> bool:
        """Whether a job is meant, or a part of it.

        Args:
            job_id: The job's own id.
            array_id: That of its array.
            task: Index of the task; None where there is none, or several in one row.
        """
        if self.task is None:
            return self.job_id in {job_id, array_id}
        return self.job_id == array_id and self.task == task


def job_name(text: str) -> JobName:
    """Return what is meant.

    Raises:
        SelectionError: It is no job.
    """
    match = _JOB.fullmatch(text.strip())
    if match is None or int(match.group(1)) == 0:
        raise SelectionError(text)
    task = match.group(2)
    return JobName(int(match.group(1)), None if task is None else int(task), match.group(3) or "")


def tasks_meant(job: Job, names: Iterable[JobName]) -> tuple[int, ...]:
    """Return which tasks of an array's row are meant."""
    if job.array is None:
        return ()
    names = [name for name in names if name.job_id in {job.job_id, job.array.job_id}]
    if any(name.task is None for name in names):
        return job.array.pending
    return tuple(task for task in job.array.pending if any(name.task == task for name in names))


def means(job: Job, names: Iterable[JobName]) -> bool:
    """Whether a job is meant by one of the names, or some of its tasks are."""
    array, names = job.array, tuple(names)
    if array is not None and array.task is None and array.pending:
        return bool(tasks_meant(job, names))
    return any(name.means(job.job_id, job.array_job_id, None if array is None else array.task) for name in names)


def parts(text: str) -> list[str]:
    """Return what commas separate."""
    return [one for one in map(str.strip, text.split(",")) if one]


def state(text: str) -> str:
    """Return the word of a state that is given by it or by its letters.

    Raises:
        SelectionError: There is no such state.
    """
    word = text.upper()
    if word in SHORT:
        return word
    for long, short in SHORT.items():
        if word == short:
            return long
    raise SelectionError(text)


def user(text: str) -> int:
    """Return the number of a user.

    Raises:
        SelectionError: There is no such user.
    """
    import pwd  # noqa: PLC0415 - only where a user is named

    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return pwd.getpwnam(text).pw_uid
    except KeyError:
        raise SelectionError(text) from None


def nodes(text: str, conf: Conf) -> list[str]:
    """Return the nodes of a hostlist.

    Raises:
        SelectionError: It is no hostlist, or the cluster has no such node.
    """
    try:
        names = expand(text)
    except ValueError:
        raise SelectionError(text) from None
    known = {node.name for node in conf.nodes}
    for name in names:
        if name not in known:
            raise SelectionError(name)
    return names
