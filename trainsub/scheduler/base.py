"""What is asked of Slurm, whichever way it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from trainsub.check.facts import ClusterFacts
from trainsub.tracker.track import Poll
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


class Scheduler(Protocol):
    """One cluster's Slurm."""

    def poll(self, jobs: Sequence[Job], *, root: str, everything: bool = False) -> Poll:
        """One question for all jobs, one for those that left the queue.

        Args:
            jobs: The jobs of interest, finished ones only if their accounts are wanted.
            root: The cluster's remote root, for the runs' own records.
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

    def facts(self, root: str) -> ClusterFacts:
        """What can be learned without submitting."""
        ...
