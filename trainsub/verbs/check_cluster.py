"""Look at a cluster: can it be reached, is Slurm there, can a run lie there."""

from trainsub import poller
from trainsub.check.cluster import Finding, examine
from trainsub.session import Session


def check_cluster(session: Session, name: str) -> list[Finding]:
    """What was found, in the order checked. Submits nothing and writes nothing but an empty remote root.

    Raises:
        TransportError: The cluster could not be talked to.
    """
    cluster = session.cluster(name)
    with poller.conversation(session, name, "check") as (_, scheduler):
        facts = scheduler.facts(cluster.remote_root)
    return examine(cluster, facts)
