"""Which cluster is meant. Pure."""

import difflib

from trainsub.config.model import EMBEDDED, Cluster
from trainsub.config.resolve import Settings
from trainsub.errors import UnknownClusterError

SANDBOX = "sandbox"
"""What `trainsub sandbox up` calls its cluster."""
_HOW = "Add [clusters.NAME] with its host to the configuration; `trainsub config path` shows where."


def select_cluster(settings: Settings, name: str | None) -> tuple[str, Cluster]:
    """Return the cluster of a name; without one the default cluster, or the only one.

    The sandbox comes and goes, and the embedded cluster is always there: neither makes unclear what would be clear
    without it. The embedded one is meant only where there is no other, and no real Slurm on this machine.

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
        wanted = _unnamed(settings)
    if wanted in clusters:
        return wanted, clusters[wanted]
    source = "" if name else f", the default_cluster of {settings.origin.get('default_cluster', 'the configuration')}"
    meant = difflib.get_close_matches(wanted.lower(), clusters, n=1)
    suggestion = f"; did you mean {meant[0]}?" if meant else ""
    raise UnknownClusterError(
        f"there is no cluster {wanted}{source}{suggestion}",
        hint=f"There are: {', '.join(sorted(clusters))}. {_HOW}",
    )


def _unnamed(settings: Settings) -> str:
    """The cluster that is meant where nobody names one."""
    clusters = settings.config.clusters
    own = [name for name in clusters if name not in {SANDBOX, EMBEDDED}]
    if len(own) > 1:
        raise UnknownClusterError(
            f"which cluster? There are: {', '.join(sorted(clusters))}",
            hint="Name one by --cluster, or set default_cluster in the configuration.",
        )
    if own or SANDBOX in clusters:
        return own[0] if own else SANDBOX
    if settings.sbatch is not None:
        raise UnknownClusterError(
            f"no cluster is configured, and this machine has a Slurm of its own ({settings.sbatch})",
            hint='To submit to it, add [clusters.NAME] with transport = "local" to the configuration; `trainsub config '
            f"path` shows where. --cluster {EMBEDDED} would run the training on this very machine instead.",
        )
    return EMBEDDED
