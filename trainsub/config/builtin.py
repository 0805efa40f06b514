"""The lowest layer: the embedded cluster ``minislurm``, which needs no file to be there. Pure."""

from trainsub.config.layers import Layer
from trainsub.config.model import EMBEDDED, Cluster
from trainsub.errors import ConfigError
from trainsub.spec import problems
from trainsub.spec.problems import Location

BUILT_IN = "built in"
_CLUSTER_KEY = 2  # clusters, minislurm, a key
_OPEN = frozenset({"price", "defaults", "max_array_size", "poll_seconds"})
"""What the configuration may say of the embedded cluster; the rest is what it is."""


def built_in_layer(home: str) -> Layer:
    """Return the layer below all files.

    Args:
        home: The embedded cluster's directory on this machine.
    """
    cluster = {"transport": "local", "remote_root": f"{home}/trainsub", "slurm_bin": f"{home}/bin"}
    return Layer(name=BUILT_IN, origin="trainsub", data={"clusters": {EMBEDDED: cluster}}, base="")


def refuse_other_minislurm(location: Location, value: object, layer: Layer, source: str) -> None:
    """Let nobody make another cluster of the embedded one; a typing mistake is left to those who know all keys.

    Raises:
        ConfigError: The value is about how the cluster ``minislurm`` is reached, or replaces it.
    """
    if layer.name == BUILT_IN or location[:_CLUSTER_KEY] != ("clusters", EMBEDDED):
        return
    key = location[_CLUSTER_KEY] if len(location) > _CLUSTER_KEY else None
    if value == {} if key is None else key in _OPEN or key not in Cluster.model_fields:
        return
    raise ConfigError(
        f"{source}: {problems.dotted(location)}: the name {EMBEDDED} is taken by the embedded cluster",
        hint=f"Call your cluster something else. [clusters.{EMBEDDED}] takes a price, defaults, max_array_size "
        f"and poll_seconds, and [{EMBEDDED}] how many nodes, CPUs and GPUs are pretended.",
    )
