"""Submissions whose outcome is not known, settled: by each command that meets them, one process at a time."""

from collections.abc import Mapping
from dataclasses import replace

from trainsub.errors import (
    AuthError,
    ClusterError,
    HostKeyError,
    StoreError,
    TransportError,
    UnknownRunError,
    UnsettledError,
)
from trainsub.forgetting import forget_secrets
from trainsub.remote import recall, settle
from trainsub.restoring import corrected
from trainsub.session import Session
from trainsub.slurm import states
from trainsub.slurm.squeue import QueueRow
from trainsub.tracker.begin import first_job
from trainsub.tracker.values import ACCEPTED, LINK, OPEN, UNKNOWN, Run

PATIENCE = 60.0
"""Seconds for which a command that lost an answer tries to find it out itself; a look that has begun is finished."""
_LONGEST_PAUSE = 8.0


def settle_open(session: Session, cluster: str) -> None:
    """Settle every submission to a cluster whose outcome is not known, but none that is still on its way.

    One that cannot be settled is told, and hinders nothing. Secrets that earlier commands could not remove go, too.

    Raises:
        TransportError: The cluster could not be talked to.
    """
    for listed in session.store.unsettled(cluster):
        with session.store.claims.hold(listed.run, wait=False) as held:
            run = session.store.run(listed.run) if held else None
            if run is None or run.outcome not in {OPEN, UNKNOWN}:
                continue  # it is another process's, which may just have been quicker
            try:
                settle_run(session, run)
            except ClusterError as error:
                session.tell_once(f"run {run.run} cannot be settled: {error.message}")
    forget_secrets(session, cluster)


def settle_run(session: Session, run: Run) -> Run:
    """Find out what became of a submission; it stays unknown where the cluster does not tell.

    Only to be called while the claim on it is held: a submission on its way would be decided against.

    Raises:
        TransportError: The cluster could not be talked to.
    """
    cluster = session.cluster(run.cluster)
    transport = session.transport(run.cluster)
    reply = settle(transport, cluster.remote_root, run.run, LINK, slurm_bin=cluster.slurm_bin, since=run.created_at)
    now = session.clock.now()
    job = None
    if reply.outcome == ACCEPTED and reply.job_id is not None:
        job = first_job(run, reply.job_id, reply.begun or run.created_at)
    session.store.settle(run.run, reply.outcome, reply.detail or None, now, job)
    after = session.store.run(run.run)
    if after is None:
        raise StoreError(f"run {run.run} vanished from the store while it was being settled")
    return after if job is None else corrected(session, after)


def settle_soon(session: Session, run: Run) -> Run:
    """Find out what became of a submission whose answer has just been lost, over new connections where needed.

    Only to be called while the claim on it is held.

    Returns:
        The run with its outcome; after a minute it may still be unknown, and ``detail`` says why.
    """
    end = session.clock.monotonic() + PATIENCE
    pause = 1.0
    while True:
        try:
            after = settle_run(session, run)
            why = after.detail
        except (TransportError, ClusterError) as error:
            session.drop(run.cluster)
            after, why = run, error.message
            if isinstance(error, AuthError | HostKeyError):
                return replace(run, outcome=UNKNOWN, detail=why)  # asking again and again may lock the account
        if after.outcome not in {OPEN, UNKNOWN}:
            return after
        if session.clock.monotonic() + pause >= end:
            return replace(run, outcome=UNKNOWN, detail=why)
        session.tell_once(f"run {run.run} cannot be settled yet: {why}; trying again")
        session.clock.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def cancel_late(session: Session, cluster: str, queue: Mapping[int, QueueRow]) -> None:
    """Cancel jobs that Slurm accepted after their run had been given up: they wait for nodes only to end at the fence.

    Args:
        session: What to work with.
        cluster: The cluster's name.
        queue: What squeue has just shown of it.
    """
    void = session.store.void(cluster) if queue else set()
    if not void:
        return
    alive = {row.name for row in queue.values() if row.name in void and states.phase(row.state) != "finished"}
    settings = session.cluster(cluster)
    for run in sorted(alive):
        try:
            jobs = recall(session.transport(cluster), settings.remote_root, run, LINK, slurm_bin=settings.slurm_bin)
        except (TransportError, ClusterError) as error:  # it ends at the fence; this only spares the queue
            session.tell_once(f"run {run} was given up, and a job of its name is in the queue: {error.message}")
            continue
        for job in jobs:
            session.tell_once(
                f"job {job} came after run {run} was given up; it would not have trained, and is cancelled"
            )


def settle_named(session: Session, run: Run) -> Run:
    """Settle one run that a person named.

    Raises:
        UnsettledError: It is not known whether it has a job, or it is just being submitted.
        UnknownRunError: Its submission could not be begun, and another process has just taken it back.
    """
    if run.outcome not in {OPEN, UNKNOWN}:
        return run
    with session.store.claims.hold(run.run, wait=False) as held:
        if not held:
            raise UnsettledError(f"run {run.run} is being submitted right now", hint="Try again in a moment.")
        now = session.store.run(run.run)
        if now is None:
            raise UnknownRunError(f"run {run.run} was taken back: nothing of it was sent")
        after = settle_run(session, now) if now.outcome in {OPEN, UNKNOWN} else now
    if after.outcome in {OPEN, UNKNOWN}:
        raise UnsettledError(
            f"it is not known yet whether run {run.run} has a job", hint=f"`trainsub status {run.run}` settles it."
        )
    return after
