"""Which jobs squeue tells of, in which rows and order. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from trainsub.minislurm import selection, squeue_fields
from trainsub.minislurm.selection import JobName
from trainsub.minislurm.values import Job
from trainsub.minislurm.view import View


@dataclass(frozen=True, slots=True)
class Query:
    """Which jobs are asked for; None: any.

    Attributes:
        jobs: By id.
        names: By name.
        states: In these states; None for those that have not ended, empty for any.
        users: Numbers of users.
        partitions: Names.
        accounts: Names.
        qos: Names.
        nodes: Those that hold one of these.
        none: Nothing is asked for: what the cluster does not have.
    """

    jobs: tuple[JobName, ...] | None = None
    names: frozenset[str] | None = None
    states: frozenset[str] | None = None
    users: frozenset[int] | None = None
    partitions: frozenset[str] | None = None
    accounts: frozenset[str] | None = None
    qos: frozenset[str] | None = None
    nodes: frozenset[str] | None = None
    none: bool = False

    def wants(self, job: Job) -> bool:
        """Whether a job is asked for, or some of its tasks."""
        ask = job.request
        named = (
            (self.names, ask.name),
            (self.partitions, ask.partition),
            (self.accounts, ask.account),
            (self.qos, ask.qos),
        )
        return (
            not self.none
            and all(wanted is None or value in wanted for wanted, value in named)
            and (not job.ended if self.states is None else not self.states or job.state in self.states)
            and (self.users is None or job.uid in self.users)
            and (self.nodes is None or any(share.node in self.nodes for share in job.shares if not job.ended))
            and self._means(job)
        )

    def _means(self, job: Job) -> bool:
        return self.jobs is None or selection.means(job, self.jobs)


def spread(views: Iterable[View]) -> list[View]:
    """Return one row for each task of an array."""
    return [
        one
        for row in views
        for one in ([replace(row, tasks=(task,), throttle=0) for task in row.tasks] if row.tasks else [row])
    ]


def combined(views: Sequence[View]) -> list[View]:
    """Return one row for all tasks of an array that wait, as long as the array has a row of its own."""
    rows = {one.job.array_job_id: one for one in views if one.tasks and one.pending}
    kept: list[View] = []
    for one in views:
        array = one.job.array
        row = rows.get(one.job.array_job_id)
        if row is None or array is None or array.task is None or not one.pending:
            kept.append(one)
            continue
        reasons = row.reason.split(",")
        reason = row.reason if one.reason in reasons else f"{row.reason},{one.reason}"
        rows[array.job_id] = replace(row, tasks=(*row.tasks, array.task), throttle=0, reason=reason)
    return [rows.get(one.job.array_job_id, one) if one.tasks else one for one in kept]


def ordered(views: Iterable[View], letters: str) -> list[View]:
    """Return the rows in order.

    Raises:
        ValueError: A letter is not known; the message is that letter.
    """
    rows = sorted(views, key=_usual)
    for part in reversed(letters.split(",")):
        letter = part.strip().lstrip("+-#")[:1]
        key = squeue_fields.order(letter) if letter else None
        if key is None:
            raise ValueError(letter)
        rows.sort(key=key, reverse=part.strip().startswith("-"))
    return rows


def _usual(one: View) -> tuple[int, int, int]:
    """Sort the latest start first, and what has none last, newest first."""
    start = one.start or 0
    task = one.job.array.task if one.job.array is not None and one.job.array.task is not None else 0
    return -start, one.job.array_job_id if start else -one.job.array_job_id, -task
