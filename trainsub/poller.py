"""One cluster asked on behalf of all its runs: when to ask, what to ask, and keeping what it said."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from trainsub.errors import SlurmSilentError
from trainsub.remote import Ask
from trainsub.scheduler import Scheduler, SlurmCli
from trainsub.session import Session
from trainsub.settling import settle_open
from trainsub.tracker.track import accounted, finished, observe
from trainsub.tracker.values import Job, Run

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


def is_fresh(session: Session, cluster: str, runs: Sequence[Run] = ()) -> bool:
    """Whether the cluster was asked so lately that it need not be asked again.

    Args:
        session: What to work with.
        cluster: The cluster's name.
        runs: What is to be told of; one that was submitted since the cluster was asked has not been looked for yet.
    """
    last = session.store.last_poll(cluster)
    # A time to come is the mark of a clock that was wrong; then nothing is known of its age.
    if last is None or not timedelta(0) <= session.clock.now() - last < FRESH:
        return False
    jobs = [job for run in runs if run.cluster == cluster for job in run.jobs]
    return all(job.observed_at or job.missing_since for job in jobs)


def refresh(session: Session, cluster: str, *, everything: bool = False) -> None:
    """Ask a cluster about all its open runs, and keep the answer.

    Args:
        session: What to work with.
        cluster: The cluster's name.
        everything: Ask Slurm's accounts of every job whose records are not complete, running ones too.

    Raises:
        TransportError: The cluster, or Slurm on it, could not be talked to; nothing that was known is changed.
        ClusterError: It said something that cannot be read; likewise.
    """
    settle_open(session, cluster)
    if open_jobs(session, cluster, everything=everything):
        with conversation(session, cluster, "status") as (ask, scheduler):
            root = ask.root(session.cluster(cluster).remote_root)
            update(session, cluster, scheduler, root=root, everything=everything)


def update(session: Session, cluster: str, scheduler: Scheduler, *, root: str, everything: bool = False) -> None:
    """One poll for all the cluster's open jobs, over a conversation that is open already.

    Raises:
        SlurmSilentError: squeue could not be asked, and nothing that was known is changed; or sacct could not be, of
            which everything was wanted.
        OutputError: It said something that cannot be read; likewise.
    """
    jobs = open_jobs(session, cluster, everything=everything)
    poll = scheduler.poll(jobs, root=root, everything=everything)
    if poll.queue is None:
        raise SlurmSilentError(f"Slurm on cluster {cluster} does not answer: {poll.silence}", hint="Try again later.")
    now = session.clock.now()
    pairs = [(job, observe(job, poll, now)) for job in jobs]
    changed = [(before, after) for before, after in pairs if before != after]
    session.store.observe(cluster, changed, now, accounting=poll.accounting)
    if everything and poll.silence:
        raise SlurmSilentError(f"sacct on cluster {cluster} does not answer: {poll.silence}", hint="Try again later.")


def open_jobs(session: Session, cluster: str, *, everything: bool = False) -> list[Job]:
    """The jobs that are still worth a question: not ended, or ended and not yet in Slurm's accounts."""
    now = session.clock.now()
    return [
        job
        for run in session.store.accepted(cluster)
        for job in run.jobs
        if is_open(job, now) or (everything and not accounted(job))
    ]


def is_open(job: Job, now: datetime) -> bool:
    """Whether a question may tell something new: it has not ended, or has lately and its accounts are not complete."""
    if not finished(job):
        return True
    # By the clock that `now` is from: the cluster's own, of end_time, may be hours apart.
    seen = job.observed_at or job.end_time
    return not accounted(job) and seen is not None and now - seen < ACCOUNTS_LAG
