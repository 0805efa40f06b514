"""What is known of runs, asked anew where it is old."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainsub import poller
from trainsub.errors import TransportError, UnknownClusterError
from trainsub.session import Session
from trainsub.store import Event, find_runs
from trainsub.tracker.track import finished
from trainsub.tracker.values import OPEN, UNKNOWN, Run


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of runs.

    Attributes:
        runs: The runs, as they are known.
        unasked: Clusters that should have been asked and could not be, with the reason; what is known of their
            runs is older than it should be.
    """

    runs: tuple[Run, ...]
    unasked: dict[str, TransportError | UnknownClusterError]

    def on(self, cluster: str) -> "Status":
        """Only what concerns one cluster."""
        unasked = {name: error for name, error in self.unasked.items() if name == cluster}
        return Status(tuple(run for run in self.runs if run.cluster == cluster), unasked)


def status(session: Session, texts: Sequence[str], *, cached: bool = False) -> Status:
    """Runs as they are known.

    Args:
        session: What to work with.
        texts: RUNs; none means all.
        cached: Ask no cluster.

    Raises:
        UnknownRunError: A RUN is not known.
        AmbiguousRunError: A RUN means several.
    """
    runs = _known(session, texts)
    unasked: dict[str, TransportError | UnknownClusterError] = {}
    concerned = set() if cached else {run.cluster for run in runs if _open(run)}
    for cluster in sorted(concerned):
        try:
            _refresh(session, cluster)
        except (TransportError, UnknownClusterError) as error:
            session.drop(cluster)
            unasked[cluster] = error
    if concerned:
        runs = _known(session, texts)
    return Status(tuple(runs), unasked)


def history(session: Session, run: Run) -> list[Event]:
    """What happened to a run, oldest first."""
    return session.store.events(run.run)


def _known(session: Session, texts: Sequence[str]) -> list[Run]:
    """The runs meant, as the store has them."""
    return find_runs(session.store, texts) if texts else session.store.runs()


def _open(run: Run) -> bool:
    """Whether a question may tell something new."""
    return run.outcome in {OPEN, UNKNOWN} or any(not finished(job) for job in run.jobs)


def _refresh(session: Session, cluster: str) -> None:
    """Ask, unless that was done a moment ago."""
    if session.store.unsettled(cluster) or not poller.is_fresh(session, cluster):
        poller.refresh(session, cluster)
