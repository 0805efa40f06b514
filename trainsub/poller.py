"""One cluster asked on behalf of all its runs, and of all trainsub processes of this machine.

Who is to ask is decided in the store: a schedule per cluster says when, and what it may cost (tracker/schedule.py); a
file lock makes one process ask at a time. It asks for all jobs, and writes the answer where all others read it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from trainsub.asking import RETRY, Line, ask, conclude, has_jobs, is_open, open_clusters, release
from trainsub.errors import SlurmSilentError
from trainsub.remote import Ask
from trainsub.scheduler import Scheduler, SlurmCli
from trainsub.session import Session
from trainsub.settling import settle_open
from trainsub.tracker.schedule import (
    BUSY_SECONDS,
    LEASE_SECONDS,
    Answer,
    Schedule,
    asking,
    fresh_seconds,
    seconds_until,
)
from trainsub.tracker.values import Job

__all__ = [
    "LOOK_SECONDS",
    "Line",
    "Want",
    "catch_up",
    "conversation",
    "is_fresh",
    "is_open",
    "may_ask",
    "open_clusters",
    "refresh",
    "tick",
    "update",
]

LOOK_SECONDS = 5.0
"""How often a process that waits looks at what another one may have learned; this asks nothing of the cluster."""


@dataclass(frozen=True, slots=True)
class Want:
    """What a question is for.

    Attributes:
        due: To watch: it is asked only when it is due. Else a person wants to know now.
        news: There is something that was never asked for. A job that was never looked for always is.
        everything: Slurm's accounts of every job whose records are not complete are wanted, running ones too.
        settle: Submissions without an outcome are to be settled first.
    """

    due: bool = True
    news: bool = False
    everything: bool = False
    settle: bool = True


@contextmanager
def conversation(session: Session, cluster: str, what: str) -> Iterator[tuple[Ask, Scheduler]]:
    """One exec on the cluster, with Slurm's commands on it."""
    with Ask(session.transport(cluster), slurm_bin=session.cluster(cluster).slurm_bin, what=what) as ask:
        yield ask, SlurmCli(ask)


def is_fresh(session: Session, cluster: str) -> bool:
    """Whether the cluster was asked so lately that it need not be asked again."""
    last = session.store.last_poll(cluster)
    fresh = timedelta(seconds=fresh_seconds(session.cluster(cluster).poll_seconds))
    # A time to come is the mark of a clock that was wrong; then nothing is known of its age.
    if last is None or not timedelta(0) <= session.clock.now() - last < fresh:
        return False
    return not session.store.lists.unseen(cluster)


def may_ask(session: Session, cluster: str) -> bool:
    """Whether ``catch_up`` would ask the cluster now: then it is worth to connect already."""
    if is_fresh(session, cluster) or not has_jobs(session, cluster):
        return False
    one, steady = session.store.schedules.get(cluster), session.cluster(cluster).poll_seconds
    news = session.store.lists.unseen(cluster)
    return seconds_until(one, session.clock.now(), steady=steady, news=news, due=False, alone=False) == 0


def catch_up(session: Session, cluster: str, *, everything: bool = False, news: bool = False) -> None:
    """Ask a cluster for a person who wants to know now: unless that was done a moment ago, or too often.

    Submissions without an outcome are settled in any case. Where the cluster may not be asked now, what is known
    stands, with its age.

    Args:
        session: What to work with.
        cluster: The cluster's name.
        everything: Slurm's accounts of every job whose records are not complete are wanted, running ones too.
        news: There is something that was never asked for.

    Raises:
        TransportError: The cluster, or Slurm on it, could not be talked to; nothing that was known is changed.
        ClusterError: It said something that cannot be read; likewise.
    """
    settle_open(session, cluster)
    waited = 0.0
    want = Want(due=False, news=news, everything=everything, settle=False)
    while has_jobs(session, cluster, everything=everything) and (everything or not is_fresh(session, cluster)):
        left = tick(session, cluster, want)
        if not left:
            return
        if left != BUSY_SECONDS or waited >= LEASE_SECONDS:
            _tell_why_not(session, cluster)
            return
        waited += left
        session.clock.sleep(left)


def tick(session: Session, cluster: str, want: Want = Want(), *, line: Line | None = None) -> float:
    """Ask a cluster about all its open jobs, if it may be asked now and no other process does.

    Args:
        session: What to work with.
        cluster: The cluster's name.
        want: What the question is for.
        line: A conversation to ask over; one of its own if None. Nothing is settled over it.

    Returns:
        Seconds until it is worth to look again; 0 if the cluster has been asked now.

    Raises:
        TransportError: As for ``catch_up``.
        ClusterError: As for ``catch_up``.
    """
    steady = session.cluster(cluster).poll_seconds
    news = want.news or session.store.lists.unseen(cluster)
    settle = want.settle and line is None and bool(session.store.unsettled(cluster))
    if not settle and not has_jobs(session, cluster, everything=want.everything):
        return LOOK_SECONDS
    left = 0.0

    def begin(one: Schedule) -> Schedule | None:
        nonlocal left
        now = session.clock.now()
        left = seconds_until(one, now, steady=steady, news=news, due=want.due, alone=alone)
        return None if left else asking(one, now, steady=steady, news=news)

    with session.store.schedules.hold(cluster) as alone:
        if session.store.schedules.change(cluster, begin) is None:
            return left
        try:
            _question(session, cluster, line, everything=want.everything, settle=settle)
        except BaseException:
            release(session, cluster)
            raise
    return 0.0


def _question(session: Session, cluster: str, line: Line | None, *, everything: bool, settle: bool) -> None:
    """Settle and ask, now that this process is the one to do it."""
    if settle:
        settle_open(session, cluster)
    if not has_jobs(session, cluster, everything=everything):
        conclude(session, cluster, Answer(questions=1, seconds=0.0))
    elif line is not None:
        ask(session, cluster, line, everything=everything)
    else:
        with conversation(session, cluster, "status") as (_, scheduler):
            own = Line(scheduler, session.cluster(cluster).remote_root)
            ask(session, cluster, own, everything=everything)


def refresh(session: Session, cluster: str, *, everything: bool = False) -> None:
    """Ask a cluster about all its open jobs now, whatever the schedule says; it is charged.

    Raises:
        TransportError: As for ``catch_up``.
        ClusterError: As for ``catch_up``.
    """
    settle_open(session, cluster)
    if has_jobs(session, cluster, everything=everything):
        with conversation(session, cluster, "status") as (_, scheduler):
            update(session, cluster, scheduler, root=session.cluster(cluster).remote_root, everything=everything)


def update(
    session: Session,
    cluster: str,
    scheduler: Scheduler,
    *,
    root: str,
    everything: bool = False,
    jobs: Sequence[Job] = (),
) -> None:
    """One poll now over a conversation that is open already, whatever the schedule says; it is charged, as news.

    Args:
        session: What to work with.
        cluster: The cluster's name.
        scheduler: Slurm, over that conversation.
        root: The cluster's remote root.
        everything: As for ``catch_up``.
        jobs: Jobs to ask for besides the open ones.

    Raises:
        SlurmSilentError: squeue could not be asked, and nothing that was known is changed; or sacct could not be, of
            which everything was wanted.
        OutputError: It said something that cannot be read; likewise.
    """
    steady = session.cluster(cluster).poll_seconds
    now = session.clock.now()
    session.store.schedules.change(
        cluster, lambda one: replace(asking(one, now, steady=steady, news=True), asking_since=one.asking_since)
    )
    ask(session, cluster, Line(scheduler, root), everything=everything, jobs=jobs)


def _tell_why_not(session: Session, cluster: str) -> None:
    """Where a cluster may not be asked because of what it last said, say so; else the age of what is shown tells.

    Raises:
        SlurmSilentError: Slurm did not answer when it was last asked.
    """
    one = session.store.schedules.get(cluster)
    if one.held_until is not None:
        session.tell_once(f"Slurm on cluster {cluster} said that it is asked too often; what is known is shown")
    elif one.trouble is not None:
        raise SlurmSilentError(f"squeue on cluster {cluster} failed just now: {one.trouble}", hint=RETRY)
