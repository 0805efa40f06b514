"""Wait for runs to end."""

from collections.abc import Sequence

from trainsub import poller
from trainsub.errors import DeadlineError, TransportError
from trainsub.session import Session
from trainsub.store import find_runs
from trainsub.tracker.track import finished
from trainsub.tracker.values import ACCEPTED, OPEN, UNKNOWN, Run


def wait(session: Session, texts: Sequence[str], *, timeout: float | None = None) -> list[Run]:
    """Wait until every run has ended, or was never accepted.

    A cluster that cannot be reached is asked again later: the runs go on without us.

    Args:
        session: What to work with.
        texts: RUNs.
        timeout: Seconds to wait at the most.

    Raises:
        DeadlineError: The time has passed; the runs go on.
    """
    names = [run.run for run in find_runs(session.store, texts)]
    deadline = None if timeout is None else session.clock.monotonic() + timeout
    pauses = poller.intervals()
    while True:
        runs = _asked(session, names)
        waiting = [run for run in runs if not ended(run)]
        if not waiting:
            return runs
        pause = next(pauses)
        if deadline is not None:
            left = deadline - session.clock.monotonic()
            if left <= 0:
                raise _passed(waiting, timeout)
            pause = min(pause, left)
        session.clock.sleep(pause)


def ended(run: Run) -> bool:
    """Whether nothing more is to come of a run."""
    if run.outcome == ACCEPTED:
        return all(finished(job) for job in run.jobs)
    return run.outcome not in {OPEN, UNKNOWN}


def _asked(session: Session, names: Sequence[str]) -> list[Run]:
    """Ask the clusters of those that have not ended."""
    runs = find_runs(session.store, names)
    for cluster in sorted({run.cluster for run in runs if not ended(run)}):
        try:
            poller.refresh(session, cluster)
        except TransportError as error:
            session.drop(cluster)
            session.tell(f"cluster {cluster} could not be asked, trying again: {error.message}")
    return find_runs(session.store, names)


def _passed(waiting: Sequence[Run], timeout: float | None) -> DeadlineError:
    names = ", ".join(run.run for run in waiting)
    return DeadlineError(
        f"{timeout:g} s have passed and {names} has not ended; it goes on" if timeout is not None else names,
        hint=f"`trainsub wait {waiting[0].run}` waits on, `trainsub cancel {waiting[0].run}` stops it.",
    )
