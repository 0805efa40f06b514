"""One cluster asked on behalf of all its runs: when to ask, what to ask, and keeping what it said."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from trainsub.errors import TransportError
from trainsub.remote import Ask, settle
from trainsub.scheduler import Scheduler, SlurmCli
from trainsub.session import Session
from trainsub.tracker.track import accounted, finished, observe
from trainsub.tracker.values import ACCEPTED, OPEN, UNKNOWN, Job, Run

FRESH = timedelta(seconds=15)
"""Data younger than this is not asked for again."""
STEADY_SECONDS = 30.0
"""The longest interval: two questions a minute."""
ACCOUNTS_LAG = timedelta(hours=1)
"""How long a finished job's accounts are asked for on the way, if Slurm's database is late."""


def intervals() -> Iterator[float]:
    """Seconds between questions: 2, 4, 8, 16, then 30, each a little off so that many clients do not march in step."""
    wait = 2.0
    while True:
        yield min(wait, STEADY_SECONDS) * random.uniform(0.9, 1.1)  # noqa: S311 -- jitter, not a secret
        wait = min(wait * 2, STEADY_SECONDS)


@contextmanager
def conversation(session: Session, cluster: str, what: str) -> Iterator[tuple[Ask, Scheduler]]:
    """One exec on the cluster, with Slurm's commands on it."""
    with Ask(session.transport(cluster), slurm_bin=session.cluster(cluster).slurm_bin, what=what) as ask:
        yield ask, SlurmCli(ask)


def is_fresh(session: Session, cluster: str) -> bool:
    """Whether the cluster was asked so lately that it need not be asked again."""
    last = session.store.last_poll(cluster)
    return last is not None and session.clock.now() - last < FRESH


def refresh(session: Session, cluster: str, *, everything: bool = False) -> None:
    """Ask a cluster about all its open runs, and keep the answer.

    Args:
        session: What to work with.
        cluster: The cluster's name.
        everything: Ask Slurm's accounts of every job whose records are not complete, running ones too.

    Raises:
        TransportError: The cluster could not be talked to; nothing that was known is changed.
    """
    settle_open(session, cluster)
    jobs = open_jobs(session, cluster, everything=everything)
    if jobs:
        with conversation(session, cluster, "status") as (ask, scheduler):
            update(
                session,
                cluster,
                scheduler,
                jobs,
                root=ask.root(session.cluster(cluster).remote_root),
                everything=everything,
            )


def update(
    session: Session, cluster: str, scheduler: Scheduler, jobs: Sequence[Job], *, root: str, everything: bool = False
) -> list[Job]:
    """One poll over a conversation that is open already; the jobs as they are known afterwards."""
    poll = scheduler.poll(jobs, root=root, everything=everything)
    now = session.clock.now()
    after = [observe(job, poll, now) for job in jobs]
    changed = [(old, new) for old, new in zip(jobs, after, strict=True) if old != new]
    if poll.queue is not None:
        session.store.observe(cluster, changed, now, accounting=poll.accounting)
    return after


def open_jobs(session: Session, cluster: str, *, everything: bool = False) -> list[Job]:
    """The jobs that are still worth a question: not ended, or ended and not yet in Slurm's accounts."""
    now = session.clock.now()
    return [
        job
        for run in session.store.accepted(cluster)
        for job in run.jobs
        if not finished(job) or (not accounted(job) and (everything or _lately(job, now)))
    ]


def _lately(job: Job, now: datetime) -> bool:
    ended = job.end_time or job.observed_at
    return ended is not None and now - ended < ACCOUNTS_LAG


def settle_open(session: Session, cluster: str) -> list[Run]:
    """Settle every submission to a cluster whose outcome is not known; the runs that have one now."""
    settled = []
    for run in session.store.unsettled(cluster):
        after = settle_run(session, run)
        if after.outcome not in {OPEN, UNKNOWN}:
            settled.append(after)
    return settled


def settle_run(session: Session, run: Run) -> Run:
    """Find out what became of a submission; it stays unknown where the cluster does not tell.

    Raises:
        TransportError: The cluster could not be talked to.
    """
    cluster = session.cluster(run.cluster)
    transport = session.transport(run.cluster)
    reply = settle(transport, cluster.remote_root, run.run, 1, slurm_bin=cluster.slurm_bin, since=run.created_at)
    now = session.clock.now()
    job = None
    if reply.outcome == ACCEPTED and reply.job_id is not None:
        job = Job(run=run.run, link=1, job_id=reply.job_id, submitted=run.created_at)
    session.store.settle(run.run, reply.outcome, reply.detail or None, now, job)
    after = session.store.run(run.run)
    if after is None:
        raise TransportError(f"run {run.run} vanished from the store while it was being settled")
    return after
