"""What is known of runs, asked anew where it is old."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainsub import poller
from trainsub.background import together
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
    concerned = _concerned(session, texts) if not cached else set()
    unasked: dict[str, TrainsubError] = {}

    def ask(cluster: str) -> None:
        try:
            poller.catch_up(session, cluster)
        except (TransportError, ClusterError, UnknownClusterError) as error:
            session.drop(cluster)
            unasked[cluster] = error

    if not texts:
        _read_while_connecting(session, concerned)
    together(concerned, ask)
    return Status(tuple(session.find(texts) if texts else session.runs()), dict(sorted(unasked.items())))


def _read_while_connecting(session: Session, clusters: set[str]) -> None:
    """Read the store while the connections are being made; what fails then is told by who uses them."""
    for cluster in clusters & set(session.settings.config.clusters):
        if poller.may_ask(session, cluster):
            session.prepare(cluster)
    session.runs()


def _concerned(session: Session, texts: Sequence[str]) -> set[str]:
    """Clusters of which a question may tell something new about the runs."""
    if not texts:
        return {name for name in poller.open_clusters(session) if session.only in {None, name}}
    now = session.clock.now()
    return {
        run.cluster
        for run in session.find(texts)
        if run.outcome in {OPEN, UNKNOWN} or any(poller.is_open(job, now) for job in run.jobs)
    }
