"""Cancel runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainsub import orders, poller
from trainsub.scheduler import Scheduler
from trainsub.session import Session
from trainsub.slurm import states
from trainsub.store import Event
from trainsub.tracker.track import finished
from trainsub.tracker.values import Job, Run


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
    told: dict[str, list[int]] = {}

    def order(cluster: str, runs: list[Run]) -> list[str]:
        jobs = [job for run in runs for job in run.jobs if not finished(job)]
        return _cancel_jobs(session, cluster, jobs, told) if jobs else []

    return [Cancelled(run, tuple(told.get(run.run, ()))) for run in orders.give(session, texts, order)]


def _cancel_jobs(session: Session, cluster: str, jobs: Sequence[Job], told: dict[str, list[int]]) -> list[str]:
    """Look, cancel what still lives, look again; what Slurm refused, in its words."""
    refused = []
    with poller.conversation(session, cluster, "cancel") as (ask, scheduler):
        root = ask.root(session.cluster(cluster).remote_root)
        seen = orders.looked(session, cluster, scheduler, root)
        alive = [job for job in orders.known(session, jobs) if not finished(job)]
        of_id = {job.job_id: job for job in alive}
        shown = [job for job in alive if seen and job.missing_since is None]
        hidden = [job for job in alive if job not in shown]
        for answer in (*scheduler.cancel(shown, seen=True), *scheduler.cancel(hidden, seen=False)):
            job = of_id[answer.job_id]
            if answer.error is not None:
                refused.append(f"job {answer.job_id} of run {job.run} was not cancelled: {answer.error}")
                continue
            told.setdefault(job.run, []).append(job.job_id)
            session.store.note(Event(job.run, job.link, session.clock.now(), "cancel ordered", "trainsub"))
        _watch(session, cluster, scheduler, root, [job for job in alive if job.job_id in told.get(job.run, ())])
    return refused


def _watch(session: Session, cluster: str, scheduler: Scheduler, root: str, jobs: Sequence[Job]) -> None:
    """See that the order was taken; say so where Slurm still shows a job as if nothing had happened."""
    going_on, answered = list(jobs), True
    for look in range(orders.LOOKS if jobs else 0):
        if look:
            session.clock.sleep(look)
        answered = orders.looked(session, cluster, scheduler, root)
        if not answered:
            break
        going_on = [job for job in orders.known(session, going_on) if not _ending(job)]
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
