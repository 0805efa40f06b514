"""Which cluster is meant. Pure."""

import difflib

from trainsub.config.model import Cluster
from trainsub.config.resolve import Settings
from trainsub.errors import UnknownClusterError

SANDBOX = "sandbox"
"""What `trainsub sandbox up` calls its cluster."""
_HOW = "Add [clusters.NAME] with its host to the configuration; `trainsub config path` shows where."


def select_cluster(settings: Settings, name: str | None) -> tuple[str, Cluster]:
    """Return the cluster of a name; without one the default cluster, or the only one.

    Args:
        settings: The configuration.
        name: What the user asked for.

    Raises:
        UnknownClusterError: There is no such cluster, or it is not clear which one is meant.
    """
    clusters = settings.config.clusters
    if not clusters:
        raise UnknownClusterError("no cluster is configured", hint=_HOW)
    wanted = name or settings.config.default_cluster
    if wanted is None:
        # A sandbox comes and goes; it must not make unclear what was clear before.
        own = {name: cluster for name, cluster in clusters.items() if name != SANDBOX} or clusters
        if len(own) > 1:
            raise UnknownClusterError(
                f"which cluster? There are: {', '.join(sorted(clusters))}",
                hint="Name one by --cluster, or set default_cluster in the configuration.",
            )
        return next(iter(own.items()))
    if wanted in clusters:
        return wanted, clusters[wanted]
    source = "" if name else f", the default_cluster of {settings.origin.get('default_cluster', 'the configuration')}"
    meant = difflib.get_close_matches(wanted.lower(), clusters, n=1)
    suggestion = f"; did you mean {meant[0]}?" if meant else ""
    raise UnknownClusterError(
        f"there is no cluster {wanted}{source}{suggestion}",
        hint=f"There are: {', '.join(sorted(clusters))}. {_HOW}",
    )
