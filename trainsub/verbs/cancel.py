"""Cancel runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

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
from trainsub.slurm import states
from trainsub.store import Event
from trainsub.tracker.track import finished
from trainsub.tracker.values import ACCEPTED, Job, Run

LOOKS = 3
"""How often Slurm is asked whether an order has been taken."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What became of an order to cancel.

    Attributes:
        run: The run as it is known afterwards.
        jobs: Ids of the jobs that were told to stop; empty if there was nothing to stop.
    """

    run: Run
    jobs: tuple[int, ...]


def cancel(session: Session, texts: Sequence[str]) -> list[Cancelled]:
    """Cancel the jobs of runs. A run that has ended already is left as it is.

    Raises:
        RefusedError: Slurm refused one; the others were told.
        UnsettledError: It is not known whether a run has a job; the others were told.
        TransportError: A cluster could not be talked to; those on others were told.
    """
    errors: list[TrainsubError] = []
    runs = _settled(session, session.find(texts), errors)
    told: dict[str, list[int]] = {run.run: [] for run in runs}
    refused: list[str] = []
    for cluster in sorted({run.cluster for run in runs}):
        jobs = [job for run in runs if run.cluster == cluster for job in run.jobs if not finished(job)]
        if jobs:
            with _kept(session, cluster, errors):
                refused += _cancel_jobs(session, cluster, jobs, told)
    if refused:
        raise RefusedError("; ".join(refused), hint="`trainsub status` shows what Slurm knows of them.")
    if errors:
        raise errors[0]
    after = session.find([run.run for run in runs])
    return [Cancelled(run, tuple(told[run.run])) for run in after]


@contextmanager
def _kept(session: Session, cluster: str, errors: list[TrainsubError]) -> Iterator[None]:
    """Keep an error for later, since it must not keep other jobs running."""
    try:
        yield
    except (TransportError, ClusterError, LookupFailedError) as error:
        session.drop(cluster)
        errors.append(error)
    except UnsettledError as error:
        errors.append(error)


def _settled(session: Session, runs: Sequence[Run], errors: list[TrainsubError]) -> list[Run]:
    """Those of the runs that have an outcome."""
    settled = []
    for run in runs:
        with _kept(session, run.cluster, errors):
            settled.append(settle_named(session, run))
    return settled


def _cancel_jobs(session: Session, cluster: str, jobs: Sequence[Job], told: dict[str, list[int]]) -> list[str]:
    """Look, cancel what still lives, look again; what Slurm refused, in its words."""
    refused = []
    with poller.conversation(session, cluster, "cancel") as (ask, scheduler):
        root = ask.root(session.cluster(cluster).remote_root)
        seen = _looked(session, cluster, scheduler, root)
        alive = [job for job in _known(session, jobs) if not finished(job)]
        of_id = {job.job_id: job for job in alive}
        shown = [job for job in alive if seen and job.missing_since is None]
        hidden = [job for job in alive if job not in shown]
        for answer in (*scheduler.cancel(shown, seen=True), *scheduler.cancel(hidden, seen=False)):
            job = of_id[answer.job_id]
            if answer.error is not None:
                refused.append(f"job {answer.job_id} of run {job.run} was not cancelled: {answer.error}")
                continue
            told[job.run].append(job.job_id)
            session.store.note(Event(job.run, job.link, session.clock.now(), "cancel ordered", "trainsub"))
        _watch(session, cluster, scheduler, root, [job for job in alive if job.job_id in told[job.run]])
    return refused


def _looked(session: Session, cluster: str, scheduler: Scheduler, root: str) -> bool:
    """Ask Slurm about the jobs; False where it does not answer, which must not keep a job running."""
    try:
        poller.update(session, cluster, scheduler, root=root)
    except (SlurmSilentError, ClusterError):
        return False
    return True


def _watch(session: Session, cluster: str, scheduler: Scheduler, root: str, jobs: Sequence[Job]) -> None:
    """See that the order was taken; say so where Slurm still shows a job as if nothing had happened."""
    going_on, answered = list(jobs), True
    for look in range(LOOKS if jobs else 0):
        if look:
            session.clock.sleep(look)
        answered = _looked(session, cluster, scheduler, root)
        if not answered:
            break
        going_on = [job for job in _known(session, going_on) if not _ending(job)]
        if not going_on:
            return
    for job in going_on:
        session.tell(f"job {job.job_id} of run {job.run} was told to stop, and {_doubt(job, answered=answered)}")


def _doubt(job: Job, *, answered: bool) -> str:
    """Why it is not known that a job has stopped."""
    if not answered:
        return "Slurm does not say whether it has"
    if job.missing_since is not None:
        return "neither squeue nor sacct shows it"
    return f"Slurm still shows it as {job.state}"


def _ending(job: Job) -> bool:
    return finished(job) or states.base_word(job.state or "") == "COMPLETING"


def _known(session: Session, jobs: Sequence[Job]) -> list[Job]:
    """The jobs as the store has them now."""
    runs = {run.run: run for run in session.find(sorted({job.run for job in jobs})) if run.outcome == ACCEPTED}
    return [known for job in jobs for known in runs[job.run].jobs if known.link == job.link]
