"""What is asked of Slurm, whichever way it is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from trainsub.check.facts import ClusterFacts
from trainsub.slurm import scontrol
from trainsub.tracker.poll import Poll
from trainsub.tracker.values import Job


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """What scancel said of one job.

    Attributes:
        job_id: The job.
        error: None if it took the order; else its words.
    """

    job_id: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of a cluster before it is asked.

    Attributes:
        now: This machine's time.
        accounts_at: When sacct was last asked; None if never.
        accounting: Whether the cluster keeps accounts; None if that is not known.
        gpus_tracked: Whether they record GPUs; None if that is not known.
    """

    now: datetime
    accounts_at: datetime | None = None
    accounting: bool | None = None
    gpus_tracked: bool | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a cluster answered, and what that took.

    Attributes:
        poll: What it said of the jobs.
        questions: How many of Slurm's commands were asked.
        accounts: Whether sacct was among them.
        gpus_tracked: Whether the accounts record GPUs; None if that was not learned now.
        held: Slurm said that it is asked too often.
        known: Ids of jobs whose rows in squeue are as they were; they are not in ``poll``.
        marks: Marks of the other rows, by job id, for the next time.
    """

    poll: Poll
    questions: int
    accounts: bool = False
    gpus_tracked: bool | None = None
    held: bool = False
    known: frozenset[int] = frozenset()
    marks: Mapping[int, int] = field(default_factory=dict)


class Scheduler(Protocol):
    """One cluster's Slurm."""

    def poll(self, jobs: Sequence[Job], before: Before, *, root: str, everything: bool = False) -> Reply:
        """One question for all jobs, one for those that left the queue.

        Args:
            jobs: The jobs of interest, finished ones only if their accounts are wanted.
            before: What is known of the cluster.
            root: The cluster's remote root as configured, for the runs' own records.
            everything: Ask the accounts of all the jobs, not only of those that left the queue.
        """
        ...

    def cancel(self, jobs: Sequence[Job], *, seen: bool) -> list[CancelAnswer]:
        """Cancel jobs.

        Args:
            jobs: The jobs.
            seen: Slurm has just shown that these ids are ours; else only a job that bears its run's name is told.
        """
        ...

    def order(self, order: scontrol.Order, jobs: Sequence[Job]) -> list[scontrol.Ordered]:
        """Hold, release or requeue jobs.

        Args:
            order: Which of them.
            jobs: Jobs that Slurm has just shown to be ours: scontrol knows no guard against reused ids.

        Returns:
            What became of each, in their order.
        """
        ...

    def facts(self, root: str) -> ClusterFacts:
        """What can be learned without submitting."""
        ...
