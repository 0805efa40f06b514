"""Cancel runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainsub import orders, poller
from trainsub.asking import told_if_slow
from trainsub.errors import StoreError, UnknownRunError, UnsettledError
from trainsub.scheduler import Scheduler
from trainsub.session import Session
from trainsub.settling import settle_run, settle_soon
from trainsub.slurm import states
from trainsub.store import Event
from trainsub.tracker.track import finished
from trainsub.tracker.values import OPEN, UNKNOWN, Job, Run

SUBMISSION_SECONDS = 60.0
"""How long a submission that is on its way from this machine is waited for; sbatch itself is given as long."""
_PAUSE = 0.5


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
    try:
        return _cancel(session, texts, told)
    except StoreError as error:
        # A job must not go on, and cost, because a disk is full here.
        session.stop_recording()
        session.tell(f"what is done now cannot be recorded on this machine: {error.message}")
        return _cancel(session, texts, told)
    except Exception:
        raise
    except BaseException:  # Ctrl-C, SIGTERM
        session.tell(_interrupted(told))
        raise


def _interrupted(told: dict[str, list[int]]) -> str:
    """Whether the order had been given when the command was stopped."""
    ids = [str(job_id) for jobs in told.values() for job_id in jobs]
    unknown = [run for run, jobs in told.items() if not jobs]
    parts = [f"job {', '.join(ids)} had been told to stop"] if ids else []
    if unknown:
        parts.append(f"whether run {', '.join(unknown)} was told to stop is not known; cancelling again does no harm")
    return "; ".join(parts) or "no job had been told to stop yet"


def _cancel(session: Session, texts: Sequence[str], told: dict[str, list[int]]) -> list[Cancelled]:
    """Cancel; ``told`` is by run id which jobs were told to stop, none while that is being tried."""

    def order(cluster: str, runs: list[Run]) -> list[str]:
        jobs = [job for run in runs for job in run.jobs if not finished(job)]
        return _cancel_jobs(session, cluster, jobs, told) if jobs else []

    runs = orders.give(session, texts, order, _settled)
    return [Cancelled(run, tuple(dict.fromkeys(told.get(run.run, ())))) for run in runs]


def _settled(session: Session, run: Run) -> Run:
    """The run with its outcome: one that is being submitted right now is waited for.

    Raises:
        UnsettledError: It is still not known whether it has a job.
        UnknownRunError: Its submission could not be begun, and was taken back.
        TransportError: The cluster could not be talked to.
    """
    if run.outcome not in {OPEN, UNKNOWN}:
        return run
    end = session.clock.monotonic() + SUBMISSION_SECONDS
    while True:
        with session.store.claims.hold(run.run, wait=False) as held:
            if held:
                return _outcome(session, run)
        if session.clock.monotonic() >= end:
            raise UnsettledError(
                f"run {run.run} is being submitted right now, for a minute already", hint="Try again in a moment."
            )
        session.tell_once(f"run {run.run} is being submitted right now; waiting for its outcome")
        session.clock.sleep(_PAUSE)


def _outcome(session: Session, run: Run) -> Run:
    """What became of a submission that nobody is at any more, at least on this machine."""
    now = session.store.run(run.run)
    if now is None:
        raise UnknownRunError(f"run {run.run} was taken back: nothing of it was sent")
    for settle in (settle_run, settle_soon):
        if now.outcome in {OPEN, UNKNOWN}:
            now = settle(session, now)
    if now.outcome in {OPEN, UNKNOWN}:
        why = f": {now.detail}" if now.detail else ""
        raise UnsettledError(
            f"it is not known yet whether run {run.run} has a job, so nothing was cancelled{why}",
            hint=f"`trainsub cancel {run.run}` tries again.",
        )
    return now


def _cancel_jobs(session: Session, cluster: str, jobs: Sequence[Job], told: dict[str, list[int]]) -> list[str]:
    """Look, cancel what still lives, look again; what Slurm refused, in its words."""
    refused = []
    asked = session.clock.now()
    with poller.conversation(session, cluster, "cancel") as (ask, scheduler):
        root = ask.root(session.cluster(cluster).remote_root)
        orders.looked(session, cluster, scheduler, root)
        alive = [job for job in orders.known(session, jobs) if not finished(job)]
        of_id = {job.job_id: job for job in alive}
        shown = [job for job in alive if orders.shown(job, asked)]
        hidden = [job for job in alive if job not in shown]
        for job in alive:
            told.setdefault(job.run, [])  # from here on it may be told
        with told_if_slow(session, cluster, "scancel"):
            answers = (*scheduler.cancel(shown, seen=True), *scheduler.cancel(hidden, seen=False))
        for answer in answers:
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
