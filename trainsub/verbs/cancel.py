"""Cancel runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainsub import poller
from trainsub.errors import RefusedError, UnsettledError
from trainsub.session import Session
from trainsub.store import Event, find_runs
from trainsub.tracker.track import finished
from trainsub.tracker.values import ACCEPTED, OPEN, UNKNOWN, Job, Run


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
        UnsettledError: It is not known whether a run has a job.
        TransportError: A cluster could not be talked to.
    """
    runs = find_runs(session.store, texts)
    told: dict[str, list[int]] = {run.run: [] for run in runs}
    refused: list[str] = []
    for cluster in sorted({run.cluster for run in runs}):
        poller.settle_open(session, cluster)
        here = find_runs(session.store, [run.run for run in runs if run.cluster == cluster])
        for run in here:
            if run.outcome in {OPEN, UNKNOWN}:
                raise UnsettledError(
                    f"it is not known yet whether run {run.run} has a job; it was not cancelled",
                    hint=f"`trainsub status {run.run}` settles it; then cancel again.",
                )
        jobs = [job for run in here if run.outcome == ACCEPTED for job in run.jobs if not finished(job)]
        if jobs:
            refused += _cancel_jobs(session, cluster, jobs, told)
    if refused:
        raise RefusedError("; ".join(refused), hint="`trainsub status` shows what Slurm knows of them.")
    after = find_runs(session.store, [run.run for run in runs])
    return [Cancelled(run, tuple(told[run.run])) for run in after]


def _cancel_jobs(session: Session, cluster: str, jobs: Sequence[Job], told: dict[str, list[int]]) -> list[str]:
    """Look, cancel what still lives, look again; what Slurm refused, in its words."""
    root = session.cluster(cluster).remote_root
    refused = []
    with poller.conversation(session, cluster, "cancel") as (ask, scheduler):
        resolved = ask.root(root)
        alive = [job for job in poller.update(session, cluster, scheduler, jobs, root=resolved) if not finished(job)]
        of_id = {job.job_id: job for job in alive}
        for answer in scheduler.cancel(alive):
            job = of_id[answer.job_id]
            if answer.error is not None:
                refused.append(f"job {answer.job_id} of run {job.run} was not cancelled: {answer.error}")
                continue
            told[job.run].append(job.job_id)
            session.store.note(Event(job.run, job.link, session.clock.now(), "cancel ordered", "trainsub"))
        poller.update(session, cluster, scheduler, alive, root=resolved)
    return refused
