"""What runs used, from Slurm's records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trainsub import poller
from trainsub.background import together
from trainsub.documents.models import TotalDocument, UsageDocument
from trainsub.documents.usage import Rates, usage_document
from trainsub.errors import ClusterError, TrainsubError, TransportError, UnknownClusterError
from trainsub.session import Session
from trainsub.tracker.track import accounted, finished
from trainsub.tracker.values import Job, Run


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Runs with their allocations, and what their clusters charge.

    Attributes:
        runs: As they are known.
        rates: By cluster.
        now: Until when running jobs count.
        unasked: Clusters that should have been asked and could not be, with the reason.
    """

    runs: tuple[Run, ...]
    rates: dict[str, Rates]
    now: datetime
    unasked: dict[str, TrainsubError]

    @property
    def document(self) -> UsageDocument:
        """GPU-seconds and cost of each run and job, as ``usage --json`` tells them."""
        return usage_document(self.runs, self.rates, now=self.now)

    @property
    def total(self) -> TotalDocument:
        """The sums: ``total.gpu_seconds``, and ``total.cost`` for each currency."""
        return self.document.total


def usage(
    session: Session, texts: Sequence[str], *, since: datetime | None = None, cached: bool = False
) -> UsageReport:
    """What runs used.

    Args:
        session: What to work with.
        texts: RUNs; none means all.
        since: Only runs submitted since.
        cached: Ask no cluster.
    """
    runs = _chosen(session, texts, since)
    unasked: dict[str, TrainsubError] = {}
    clusters = {run.cluster for run in runs}
    now = session.clock.now()
    open_ones = {run.cluster for run in runs if any(not accounted(job, now) for job in run.jobs)}

    def ask(cluster: str) -> None:
        news = any(_unbilled(job, now) for run in runs if run.cluster == cluster for job in run.jobs)
        try:
            poller.catch_up(session, cluster, everything=True, news=news)
        except (TransportError, ClusterError, UnknownClusterError) as error:
            session.drop(cluster)
            unasked[cluster] = error

    together(set() if cached else open_ones, ask)
    return UsageReport(
        runs=tuple(_chosen(session, texts, since)),
        rates={cluster: _rates(session, cluster) for cluster in clusters},
        now=session.clock.now(),
        unasked=dict(sorted(unasked.items())),
    )


def _unbilled(job: Job, now: datetime) -> bool:
    """Whether Slurm's records of a job were never seen, or not those of its end."""
    return not job.allocations or (finished(job) and not accounted(job, now))


def _chosen(session: Session, texts: Sequence[str], since: datetime | None) -> list[Run]:
    runs = session.find(texts) if texts else session.runs()
    return [run for run in runs if run.jobs and (since is None or run.created_at >= since)]


def _rates(session: Session, name: str) -> Rates:
    """A cluster's prices; none if it is no longer configured."""
    cluster = session.settings.config.clusters.get(name)
    if cluster is None:
        return Rates(price=None, gpus_per_node=None)
    return Rates(price=cluster.price, gpus_per_node=cluster.gpus_per_node)
