"""One question to a cluster's Slurm: about which jobs, and what it told kept."""

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trainsub.errors import OutputError, SlurmSilentError
from trainsub.forgetting import forget_secrets
from trainsub.remote import EndedError
from trainsub.scheduler import Before, Reply, Scheduler
from trainsub.session import Session
from trainsub.settling import cancel_late
from trainsub.tracker.schedule import Answer, Schedule, answered, given_up
from trainsub.tracker.track import accounted, finished, observe
from trainsub.tracker.values import Job, seen_again

ACCOUNTS_LAG = timedelta(hours=1)
"""How long a finished job's accounts are asked for on the way, if Slurm's database is late."""
FACTS_LAST = timedelta(days=1)
"""For how long it is believed that a cluster records GPUs, or does not."""
RETRY = "Try again later."
SLOW_SECONDS = 10.0
"""After which a person is told what is waited for."""


@dataclass(frozen=True, slots=True)
class Line:
    """A conversation that is open already, and the cluster's remote root."""

    scheduler: Scheduler
    root: str


@contextmanager
def told_if_slow(session: Session, cluster: str, what: str) -> Iterator[None]:
    """Say what is waited for where a command of Slurm takes long: it may hang for minutes before it is given up."""
    timer = threading.Timer(SLOW_SECONDS, session.tell_once, [f"cluster {cluster}: waiting for {what}"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def is_open(job: Job, now: datetime) -> bool:
    """Whether a question may tell something new: it has not ended, or has lately and its accounts are not complete."""
    if not finished(job):
        return True
    # By the clock that `now` is from: the cluster's own, of end_time, may be hours apart.
    seen = job.observed_at or job.end_time
    return not accounted(job, now) and seen is not None and now - seen < ACCOUNTS_LAG


def open_clusters(session: Session) -> set[str]:
    """Clusters of which a question may tell something new, or where secrets are left to be removed."""
    known = session.store.lists.clusters()
    forget = session.store.secrets.ended
    return {name for name, unsettled in known.items() if unsettled or has_jobs(session, name) or forget(name)}


def has_jobs(session: Session, cluster: str, *, everything: bool = False) -> bool:
    """Whether there is a job that is worth a question."""
    return session.store.lists.has_unfinished(cluster) or bool(jobs_of(session, cluster, everything=everything))


def jobs_of(session: Session, cluster: str, also: Sequence[Job] = (), *, everything: bool = False) -> list[Job]:
    """The jobs that are worth a question: not ended, or ended and not yet in Slurm's accounts; and those named."""
    now = session.clock.now()
    named = {(job.run, job.link) for job in also}
    found = session.store.lists.open_jobs(cluster, None if everything or named else now - ACCOUNTS_LAG)
    return [
        job
        for job in found
        if is_open(job, now) or (everything and not accounted(job, now)) or (job.run, job.link) in named
    ]


def ask(session: Session, cluster: str, line: Line, *, everything: bool, jobs: Sequence[Job] = ()) -> None:
    """One poll, and what it told kept."""
    wanted = jobs_of(session, cluster, jobs, everything=everything)
    began = session.clock.monotonic()
    try:
        with told_if_slow(session, cluster, "squeue"):
            reply = line.scheduler.poll(wanted, _before(session, cluster), root=line.root, everything=everything)
    except EndedError:
        raise
    except OutputError as error:
        conclude(session, cluster, Answer(1, session.clock.monotonic() - began, trouble=error.message))
        raise
    silence = reply.poll.silence if reply.poll.queue is None else None
    answer = Answer(
        questions=reply.questions,
        seconds=session.clock.monotonic() - began,
        accounts=reply.accounts,
        trouble=silence,
        held=reply.held,
    )
    if reply.held:
        session.tell_once(f"Slurm on cluster {cluster} says that it is asked too often; it is asked less often now")
    if silence is not None:
        conclude(session, cluster, answer)
        raise SlurmSilentError(f"squeue on cluster {cluster} failed: {silence}", hint=RETRY)
    _keep(session, cluster, wanted, reply, answer)
    cancel_late(session, cluster, reply.poll.queue or {})
    forget_secrets(session, cluster)
    if reply.poll.silence and not everything:
        session.tell_once(f"sacct on cluster {cluster} failed: {reply.poll.silence}")
    if everything and reply.poll.silence:
        raise SlurmSilentError(f"sacct on cluster {cluster} failed: {reply.poll.silence}", hint=RETRY)


def _keep(session: Session, cluster: str, wanted: Sequence[Job], reply: Reply, answer: Answer) -> None:
    """Write what a poll told, and when the next one is due."""
    now = session.clock.now()
    pairs = [(job, _observed(job, reply, now)) for job in wanted]
    session.store.observe(
        cluster,
        [(before, after) for before, after in pairs if before is not after],
        now,
        accounting=reply.poll.accounting,
        gpus_tracked=reply.gpus_tracked,
        schedule=lambda one: _after(session, cluster, one, answer),
    )


def _observed(job: Job, reply: Reply, now: datetime) -> Job:
    """A job as it is known after a poll; the same value where it tells nothing of the job."""
    if job.seen_row is not None and job.job_id in reply.known:
        return seen_again(job, now, reply.poll.clock or job.seen_there)
    after = observe(job, reply.poll, now)
    told = after.source == "squeue" and after.observed_at == now and after.missing_since is None
    mark = reply.marks.get(job.job_id) if told and after.array is None and not finished(after) else None
    return after if mark == after.seen_row else replace(after, seen_row=mark)


def conclude(session: Session, cluster: str, answer: Answer) -> None:
    """Write when the next question is due, where the last one told nothing."""
    session.store.schedules.change(cluster, lambda one: _after(session, cluster, one, answer))


def _after(session: Session, cluster: str, one: Schedule, answer: Answer) -> Schedule:
    jitter = random.uniform(1.0, 1.1)  # noqa: S311 -- jitter, not a secret
    steady = session.cluster(cluster).poll_seconds
    return answered(one, session.clock.now(), answer, steady=steady, jitter=jitter)


def release(session: Session, cluster: str) -> None:
    """Let others ask after a question that failed on its way; where Slurm was asked, that is written already."""
    steady = session.cluster(cluster).poll_seconds
    now = session.clock.now()
    session.store.schedules.change(
        cluster, lambda one: given_up(one, now, steady=steady) if one.asking_since is not None else None
    )


def _before(session: Session, cluster: str) -> Before:
    """What is known of the cluster before it is asked."""
    now = session.clock.now()
    facts = session.store.facts(cluster)
    learned = facts.gpus_tracked_at
    lasts = learned is not None and timedelta(0) <= now - learned < FACTS_LAST
    return Before(
        now=now,
        accounts_at=session.store.schedules.get(cluster).accounts_at,
        accounting=facts.accounting,
        gpus_tracked=facts.gpus_tracked if lasts else None,
    )
