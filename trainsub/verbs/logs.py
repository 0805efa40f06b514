"""A run's log: what there is, or what comes, by byte offset, so that no byte crosses the wire twice."""

from collections.abc import Iterator

from trainsub import poller
from trainsub.errors import (
    ConnectionLostError,
    OutputError,
    RefusedError,
    RemoteTimeoutError,
    SlurmSilentError,
    UnreachableError,
)
from trainsub.record.paths import RunPaths
from trainsub.remote import Ask, EndedError, ListDirectory, ReadTail
from trainsub.scheduler import Scheduler
from trainsub.session import Session
from trainsub.settling import settle_named
from trainsub.tracker.arrays import writers
from trainsub.tracker.track import finished
from trainsub.tracker.values import ACCEPTED, Job, Run

CHUNK = 1 << 20
"""Most bytes asked for at a time, so that a long log shows early and Ctrl-C is heard."""
TICK_SECONDS = 1.0
"""How often a running job's log is looked at; this reads a file and asks nothing of Slurm."""
IDLE_SECONDS = 5.0
"""How often a waiting job's log is looked at."""
SHORTEST_SECONDS = 0.1
"""The shortest pause between two looks."""
RETRY_SECONDS = 60.0
"""The longest pause before a lost connection is made again."""


def logs(session: Session, text: str, *, follow: bool = False) -> Iterator[bytes]:
    """The log of a run's jobs, link by link; of an array, the logs of its tasks by index.

    Args:
        session: What to work with.
        text: A RUN.
        follow: Go on until the run has ended, across requeues and lost connections.

    Yields:
        Bytes as the job wrote them.

    Raises:
        RefusedError: The run was never accepted, so there is no log.
        UnsettledError: It is not known whether there is a job.
        TransportError: The cluster cannot be talked to (with ``follow`` only if it never could).
    """
    (named,) = session.find([text])
    run = settle_named(session, named)
    if run.outcome != ACCEPTED:
        raise RefusedError(f"run {run.run} was not accepted, so it has no log", hint=run.detail)
    if not follow:
        yield from _once(session, run)
        return
    yield from _Follower(session, run).chunks()


def _once(session: Session, run: Run) -> Iterator[bytes]:
    """All that there is now."""
    with poller.conversation(session, run.cluster, "logs") as (ask, scheduler):
        root = ask.root(session.cluster(run.cluster).remote_root)
        paths = RunPaths(root, run.run)
        for job in _writers(_tasks_known(session, run, scheduler, root)):
            yield from _whole(session, ask, paths.log(job.job_id), job)


def _writers(run: Run) -> list[Job]:
    """Jobs and tasks that have a log, by link and index."""
    return [one for job in run.jobs for one in writers(job)]


def _tasks_known(session: Session, run: Run, scheduler: Scheduler, root: str) -> Run:
    """The run with what its arrays' tasks are now: only Slurm knows their ids, and these name their logs."""
    if any(job.array is not None and not finished(job) for job in run.jobs):
        try:
            poller.update(session, run.cluster, scheduler, root=root)
        except EndedError:
            raise
        except (SlurmSilentError, OutputError) as error:
            session.tell(f"{error.message}; tasks that began lately may be left out")
    return session.store.run(run.run) or run


def _whole(session: Session, ask: Ask, path: str, job: Job) -> Iterator[bytes]:
    """One log as long as it is now; what is written meanwhile is not chased."""
    tail = ask.tail(path, 0, CHUNK)
    if tail is None:
        session.tell(f"job {job.job_id} has no log yet")
        return
    size = tail.size
    while tail is not None and tail.data:
        yield tail.data
        if tail.end >= size:
            return
        tail = ask.tail(path, tail.end, min(CHUNK, size - tail.end))


class _Follower:
    """Follows one run to its end.

    Two clocks: the log is looked at every second or so, Slurm is asked at growing intervals, and at once when the
    job's own exit record appears.
    """

    def __init__(self, session: Session, run: Run) -> None:
        self._session = session
        self._run = run
        self._offsets: dict[int, int] = {}
        self._read: set[int] = set()
        self._exits = 0
        self._news = False
        self._next_look = 0.0
        self._reached = False
        self._pause = 1.0
        self._silent = False

    def chunks(self) -> Iterator[bytes]:
        """Bytes until the run has ended; a lost connection is made again and nothing is lost or repeated."""
        while True:
            try:
                with poller.conversation(self._session, self._run.cluster, "follow") as (ask, scheduler):
                    yield from self._over(ask, scheduler)
                    return
            except (ConnectionLostError, RemoteTimeoutError, UnreachableError, EndedError) as error:
                if not self._reached:
                    raise
                self._session.drop(self._run.cluster)
                self._session.tell(
                    f"connection to {self._run.cluster} lost ({error.message}); the job goes on; "
                    f"again in {self._pause:.0f} s"
                )
                self._session.clock.sleep(self._pause)
                self._pause = min(self._pause * 2, RETRY_SECONDS)

    def _over(self, ask: Ask, scheduler: Scheduler) -> Iterator[bytes]:
        """Follow over one conversation."""
        root = ask.root(self._session.cluster(self._run.cluster).remote_root)
        self._reached, self._pause = True, 1.0
        paths = RunPaths(root, self._run.run)
        while True:
            # Asked before the log is read: what a job wrote before its end is then certainly in what is read.
            ended = all(finished(job) for job in self._run.jobs)
            idle = True
            for job in _writers(self._run):
                if finished(job) and job.job_id in self._read:
                    continue
                for data in self._new(ask, paths, job):
                    idle = False
                    yield data
                # A job that is requeued after its end writes on.
                self._read = self._read | {job.job_id} if finished(job) else self._read - {job.job_id}
            if ended:
                return
            self._ask_slurm(scheduler, root)
            if idle and not all(finished(job) for job in self._run.jobs):
                self._session.clock.sleep(self._tick())

    def _new(self, ask: Ask, paths: RunPaths, job: Job) -> Iterator[bytes]:
        """All new bytes of one job's log; the same question tells whether a job wrote its exit record."""
        while True:
            offset = self._offsets.get(job.job_id, 0)
            tail, exits = ask.batch(ReadTail(paths.log(job.job_id), offset, CHUNK), ListDirectory(paths.exits))
            if len(exits) > self._exits:
                self._exits = len(exits)
                self._news, self._next_look = True, 0.0
            if tail is None or not tail.data:
                return
            self._offsets[job.job_id] = tail.end
            yield tail.data
            if tail.end >= tail.size:
                return

    def _ask_slurm(self, scheduler: Scheduler, root: str) -> None:
        """Ask Slurm when it is time, or see what another process has learned meanwhile."""
        if self._session.clock.monotonic() < self._next_look:
            return
        left = poller.LOOK_SECONDS
        try:
            line = poller.Line(scheduler, root)
            left = poller.tick(self._session, self._run.cluster, poller.Want(news=self._news), line=line)
            self._news = self._news and left > 0
            self._silent = self._silent and left > 0
        except EndedError:
            raise
        except (SlurmSilentError, OutputError) as error:
            if not self._silent:
                self._session.tell(f"{error.message}; the log is followed on")
            self._silent = True
        self._run = self._session.store.run(self._run.run) or self._run
        self._next_look = self._session.clock.monotonic() + min(left, poller.LOOK_SECONDS)

    def _tick(self) -> float:
        """Seconds until the next look."""
        waiting = all(job.state in {None, "PENDING"} for job in self._run.jobs)
        left = self._next_look - self._session.clock.monotonic()
        return min(IDLE_SECONDS if waiting else TICK_SECONDS, max(left, SHORTEST_SECONDS))
