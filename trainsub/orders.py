"""Orders to runs that a person named: what every verb that gives some does alike.

What cannot be done for one run must not hinder the others: cancelling the rest saves money. So errors are kept, and
raised when all has been tried.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from trainsub import poller
from trainsub.errors import (
    ClusterError,
    LookupFailedError,
    RefusedError,
    SlurmSilentError,
    TrainsubError,
    TransportError,
    UnsettledError,
)
from trainsub.scheduler import Scheduler
from trainsub.session import Session
from trainsub.settling import settle_named
from trainsub.tracker.values import ACCEPTED, Job, Run

LOOKS = 3
"""How often Slurm is asked whether an order has been taken."""


def give(
    session: Session,
    texts: Sequence[str],
    order: Callable[[str, list[Run]], list[str]],
    settle: Callable[[Session, Run], Run] = settle_named,
) -> list[Run]:
    """Give an order to runs, cluster by cluster.

    Args:
        session: What to work with.
        texts: RUNs.
        order: Gives it to a cluster's runs, and returns what Slurm refused, in its words.
        settle: Finds out what became of a submission first.

    Returns:
        The runs as they are known afterwards.

    Raises:
        RefusedError: Slurm refused one; the others were told.
        UnsettledError: It is not known whether a run has a job; the others were told.
        TransportError: A cluster could not be talked to; those on others were told.
    """
    missed: list[_Missed] = []
    runs = _settled(session, session.find(texts), missed, settle)
    refused: list[str] = []
    for cluster in sorted({run.cluster for run in runs}):
        theirs = [run for run in runs if run.cluster == cluster]
        with _kept(session, theirs, missed):
            refused += order(cluster, theirs)
    # One error ends the command; nobody may take those that it says nothing of for done.
    for one in missed if refused else missed[1:]:
        session.tell(f"{one.named} may not have been told: {one.error.message}")
    if refused:
        raise RefusedError("; ".join(refused), hint="`trainsub status` shows what Slurm knows of them.")
    if missed:
        raise missed[0].error
    return session.find([run.run for run in runs])


@dataclass(frozen=True, slots=True)
class _Missed:
    """Runs of a cluster to which an order could not be given, and why."""

    runs: Sequence[Run]
    error: TrainsubError

    @property
    def named(self) -> str:
        """The runs, for a person."""
        first = self.runs[0]
        what = f"run {first.run}" if len(self.runs) == 1 else f"{len(self.runs)} runs"
        return f"{what} on cluster {first.cluster}"


@contextmanager
def _kept(session: Session, runs: Sequence[Run], missed: list[_Missed]) -> Iterator[None]:
    """Keep an error for later, since it must not hinder an order to others."""
    try:
        yield
    except (TransportError, ClusterError, LookupFailedError) as error:
        session.drop(runs[0].cluster)
        missed.append(_Missed(runs, error))
    except UnsettledError as error:
        missed.append(_Missed(runs, error))


def _settled(
    session: Session, runs: Sequence[Run], missed: list[_Missed], settle: Callable[[Session, Run], Run]
) -> list[Run]:
    """Those of the runs that have an outcome."""
    found = []
    for run in runs:
        with _kept(session, [run], missed):
            found.append(settle(session, run))
    return found


def looked(session: Session, cluster: str, scheduler: Scheduler, root: str) -> bool:
    """Ask Slurm about the jobs; False where it does not answer."""
    try:
        poller.update(session, cluster, scheduler, root=root)
    except (SlurmSilentError, ClusterError):
        return False
    return True


def known(session: Session, jobs: Sequence[Job]) -> list[Job]:
    """The jobs as the store has them now."""
    runs = {run.run: run for run in session.find(sorted({job.run for job in jobs})) if run.outcome == ACCEPTED}
    return [found for job in jobs for found in runs[job.run].jobs if found.link == job.link]


def shown(job: Job, since: datetime) -> bool:
    """Whether squeue has shown the job, or a task of it, as ours since a time: only then its bare id is safe to name.

    A job that squeue does not show may have lost its id to another one, even while nobody calls it missing.
    """
    parts = job.tasks or (job,)
    return any(one.source == "squeue" and one.observed_at is not None and one.observed_at >= since for one in parts)
