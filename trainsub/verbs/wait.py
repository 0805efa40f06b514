"""Wait for runs to end."""

from collections.abc import Sequence
from datetime import datetime

from trainsub import poller
from trainsub.background import Call
from trainsub.errors import AuthError, ClusterError, DeadlineError, HostKeyError, TransportError
from trainsub.session import Session
from trainsub.tracker.track import accounted, finished
from trainsub.tracker.values import ACCEPTED, OPEN, UNKNOWN, Run

ACCOUNTS_PAUSES = (1.0, 2.0, 3.0, 4.0)
"""Seconds for which the exit code of a job that failed is waited for, where Slurm's accounts come late."""
RETRY_SECONDS = 60.0
"""The longest pause before a cluster is tried again that could not be reached."""
SHORTEST_SECONDS = 0.1
"""The shortest pause between two looks."""
GRACE_SECONDS = 0.2
"""How long a question in flight is waited for once its connection has been closed."""


def wait(session: Session, texts: Sequence[str], *, timeout: float | None = None) -> list[Run]:
    """Wait until every run has ended, or was never accepted.

    A cluster that cannot be reached for a while is asked again: the runs go on without us.

    Args:
        session: What to work with.
        texts: RUNs.
        timeout: Seconds to wait at the most.

    Raises:
        DeadlineError: The time has passed; the runs go on.
        TransportError: A cluster could never be reached, or does not let us in.
    """
    names = [run.run for run in session.find(texts)]
    return _Waiter(session, names, timeout).until_all_ended()


def ended(run: Run) -> bool:
    """Whether nothing more is to come of a run."""
    if run.outcome == ACCEPTED:
        return all(finished(job) for job in run.jobs)
    return run.outcome not in {OPEN, UNKNOWN}


class _Waiter:
    """Waits for some runs: each cluster is asked in the background, so that one which is away holds up no other."""

    def __init__(self, session: Session, names: Sequence[str], timeout: float | None) -> None:
        self._session = session
        self._names = names
        self._timeout = timeout
        self._deadline = None if timeout is None else session.clock.monotonic() + timeout
        self._calls: dict[str, Call[float]] = {}
        self._again: dict[str, float] = {}
        self._pauses: dict[str, float] = {}
        self._reached: set[str] = set()
        self._missed: set[str] = set()

    def until_all_ended(self) -> list[Run]:
        """Look at what is known, ask where that is due, and look again."""
        while True:
            runs = self._session.find(self._names)
            waiting = [run for run in runs if not ended(run)]
            if not waiting:
                return self._with_exit_codes(runs)
            self._tell_missing(waiting)
            if self._ask({run.cluster for run in waiting}):
                continue
            self._sleep(waiting)

    def _ask(self, clusters: set[str]) -> bool:
        """Ask those clusters that it is time to ask; whether one of them has been."""
        for cluster in sorted(clusters - set(self._calls)):
            if self._session.clock.monotonic() >= self._again.get(cluster, 0.0):
                self._calls[cluster] = Call(lambda cluster=cluster: self._question(cluster))  # type: ignore[misc]
        for call in list(self._calls.values()):
            left = self._left()
            call.wait(poller.LOOK_SECONDS if left is None else min(left, poller.LOOK_SECONDS))
        asked = [self._conclude(cluster) for cluster, call in list(self._calls.items()) if call.wait(0)]
        return any(asked)

    def _question(self, cluster: str) -> float:
        """Ask one cluster: the first time as a person would, then when it is due."""
        if cluster in self._reached:
            return poller.tick(self._session, cluster)
        poller.catch_up(self._session, cluster)
        return 0.0

    def _conclude(self, cluster: str) -> bool:
        """See what came of a question; whether something may be known now that was not."""
        try:
            left = self._calls.pop(cluster).result()
        except (TransportError, ClusterError) as error:
            self._session.drop(cluster)
            if cluster not in self._reached or isinstance(error, (AuthError, HostKeyError)):
                raise
            if cluster not in self._pauses:
                self._session.tell(f"cluster {cluster} could not be asked, trying again: {error.message}")
            pause = min(2 * self._pauses.get(cluster, 1.0), RETRY_SECONDS)
            self._pauses[cluster] = pause
            self._again[cluster] = self._session.clock.monotonic() + pause
            return False
        self._reached.add(cluster)
        if left == 0 and self._pauses.pop(cluster, None) is not None:
            self._session.tell(f"cluster {cluster} answers again")
        self._again[cluster] = self._session.clock.monotonic() + left
        return left == 0

    def _sleep(self, waiting: Sequence[Run]) -> None:
        """Wait until the next question or look, but not past the deadline."""
        left = self._left()
        if left == 0:
            self._leave()
            names = ", ".join(run.run for run in waiting)
            raise DeadlineError(
                f"{self._timeout:g} s have passed and {names} has not ended; it goes on",
                hint=f"`trainsub wait {waiting[0].run}` waits on, `trainsub cancel {waiting[0].run}` stops it.",
            )
        now = self._session.clock.monotonic()
        next_ones = [self._again[run.cluster] - now for run in waiting if run.cluster in self._again]
        pause = max(SHORTEST_SECONDS, min([poller.LOOK_SECONDS, *next_ones]))
        self._session.clock.sleep(pause if left is None else min(pause, left))

    def _leave(self) -> None:
        """Close the connections of the questions in flight, whatever they wait for."""
        for cluster, call in self._calls.items():
            self._session.drop(cluster)
            call.wait(GRACE_SECONDS)

    def _left(self) -> float | None:
        """Seconds until the deadline; None without one."""
        return None if self._deadline is None else max(0.0, self._deadline - self._session.clock.monotonic())

    def _tell_missing(self, waiting: Sequence[Run]) -> None:
        """Say once of each run that Slurm does not show it any more: what follows may take long."""
        for run in waiting:
            if run.run not in self._missed and any(job.missing_since for job in run.jobs):
                self._missed.add(run.run)
                self._session.tell(f"neither squeue nor sacct shows run {run.run} now; its end is not known yet")

    def _with_exit_codes(self, runs: list[Run]) -> list[Run]:
        """Give Slurm's accounts a moment where they decide what a failure was."""
        for pause in ACCOUNTS_PAUSES:
            now = self._session.clock.now()
            lacking = {run.cluster for run in runs if _lacks_code(run, now)}
            if not lacking:
                break
            self._session.clock.sleep(pause)
            for cluster in sorted(lacking):
                try:
                    poller.tick(self._session, cluster, poller.Want(news=True))
                except (TransportError, ClusterError):
                    return runs
            runs = self._session.find(self._names)
        return runs


def _lacks_code(run: Run, now: datetime) -> bool:
    """Whether a job failed and its exit code is not known yet."""
    return any(job.state == "FAILED" and job.exit_code is None and not accounted(job, now) for job in run.jobs)
