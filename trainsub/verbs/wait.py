"""Wait for runs to end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Timer

from trainsub import poller
from trainsub.errors import AuthError, ClusterError, DeadlineError, HostKeyError, TransportError
from trainsub.session import Session
from trainsub.tracker.track import accounted, finished
from trainsub.tracker.values import ACCEPTED, OPEN, UNKNOWN, Run

ACCOUNTS_SECONDS = 10.0
"""How long the exit code of a job that failed is waited for, where Slurm's accounts come late."""


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
    """Waits for some runs."""

    def __init__(self, session: Session, names: Sequence[str], timeout: float | None) -> None:
        self._session = session
        self._names = names
        self._timeout = timeout
        self._deadline = None if timeout is None else session.clock.monotonic() + timeout
        self._reached: set[str] = set()
        self._missed: set[str] = set()

    def until_all_ended(self) -> list[Run]:
        """Ask at growing intervals."""
        pauses = poller.intervals()
        while True:
            runs = self._ask()
            waiting = [run for run in runs if not ended(run)]
            if not waiting:
                return self._with_exit_codes(runs)
            self._tell_missing(waiting)
            self._sleep(next(pauses), waiting)

    def _sleep(self, pause: float, waiting: Sequence[Run]) -> None:
        """Wait until the next question, but not past the deadline."""
        left = self._left()
        if left is not None:
            if left == 0:
                names = ", ".join(run.run for run in waiting)
                raise DeadlineError(
                    f"{self._timeout:g} s have passed and {names} has not ended; it goes on",
                    hint=f"`trainsub wait {waiting[0].run}` waits on, `trainsub cancel {waiting[0].run}` stops it.",
                )
            pause = min(pause, left)
        self._session.clock.sleep(pause)

    def _ask(self) -> list[Run]:
        """Ask the clusters of those that have not ended."""
        for cluster in sorted({run.cluster for run in self._session.find(self._names) if not ended(run)}):
            try:
                with self._cut(cluster):
                    poller.refresh(self._session, cluster)
                self._reached.add(cluster)
            except (TransportError, ClusterError) as error:
                self._session.drop(cluster)
                if self._left() == 0:
                    break
                if cluster not in self._reached or isinstance(error, (AuthError, HostKeyError)):
                    raise
                self._session.tell(f"cluster {cluster} could not be asked, trying again: {error.message}")
        return self._session.find(self._names)

    def _left(self) -> float | None:
        """Seconds until the deadline; None without one."""
        return None if self._deadline is None else max(0.0, self._deadline - self._session.clock.monotonic())

    @contextmanager
    def _cut(self, cluster: str) -> Iterator[None]:
        """Close the connection when the deadline passes, whatever it is waiting for."""
        left = self._left()
        if left is None:
            yield
            return
        timer = Timer(left, self._session.transport(cluster).close)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _tell_missing(self, waiting: Sequence[Run]) -> None:
        """Say once of each run that Slurm does not show it any more: what follows may take long."""
        for run in waiting:
            if run.run not in self._missed and any(job.missing_since for job in run.jobs):
                self._missed.add(run.run)
                self._session.tell(f"neither squeue nor sacct shows run {run.run} now; its end is not known yet")

    def _with_exit_codes(self, runs: list[Run]) -> list[Run]:
        """Give Slurm's accounts a moment where they decide what a failure was."""
        end = self._session.clock.monotonic() + ACCOUNTS_SECONDS
        pauses = poller.intervals()
        while any(_lacks_code(run) for run in runs) and self._session.clock.monotonic() < end:
            self._session.clock.sleep(next(pauses) / 2)
            for cluster in sorted({run.cluster for run in runs if _lacks_code(run)}):
                try:
                    poller.refresh(self._session, cluster)
                except (TransportError, ClusterError):
                    return runs
            runs = self._session.find(self._names)
        return runs


def _lacks_code(run: Run) -> bool:
    """Whether a job failed and its exit code is not known yet."""
    return any(job.state == "FAILED" and job.exit_code is None and not accounted(job) for job in run.jobs)
