"""What is known of runs, asked anew where it is old."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainsub import poller
from trainsub.errors import ClusterError, TrainsubError, TransportError, UnknownClusterError
from trainsub.session import Session
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
    unasked: dict[str, TrainsubError]


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
    unasked: dict[str, TrainsubError] = {}
    concerned = set() if cached else {run.cluster for run in runs if _open(session, run)}
    for cluster in sorted(concerned):
        try:
            _refresh(session, cluster, runs)
        except (TransportError, ClusterError, UnknownClusterError) as error:
            session.drop(cluster)
            unasked[cluster] = error
    if concerned:
        runs = _known(session, texts)
    return Status(tuple(runs), unasked)


def _known(session: Session, texts: Sequence[str]) -> list[Run]:
    """The runs meant, as the store has them."""
    return session.find(texts) if texts else session.runs()


def _open(session: Session, run: Run) -> bool:
    """Whether a question may tell something new."""
    now = session.clock.now()
    return run.outcome in {OPEN, UNKNOWN} or any(poller.is_open(job, now) for job in run.jobs)


def _refresh(session: Session, cluster: str, runs: Sequence[Run]) -> None:
    """Ask, unless that was done a moment ago."""
    if session.store.unsettled(cluster) or not poller.is_fresh(session, cluster, runs):
        poller.refresh(session, cluster)
