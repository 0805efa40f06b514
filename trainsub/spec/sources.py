"""Where each option of an sbatch comes from, so that a refusal can name the key to change. Pure."""

from collections.abc import Mapping
from typing import Any

from trainsub.spec.launch import options
from trainsub.spec.model import JobSpec


def sources(spec: JobSpec, defaults: Mapping[str, Any], cluster: str) -> dict[str, str]:
    """Return the key path of each option that sbatch is given, by its long name with underscores.

    The one task per node of an agent is left out: it is never too many.

    Args:
        spec: The spec.
        defaults: The cluster's defaults.
        cluster: The cluster's name in the configuration.

    Raises:
        SpecError: The spec contradicts the defaults.
    """
    chosen = options(spec, defaults)
    tasks = 1 if spec.own_script else chosen.pop("ntasks_per_node")
    found = {name: _source(spec, defaults, cluster, "requeue" if name == "no_requeue" else name) for name in chosen}
    if tasks != 1:
        found["ntasks_per_node"] = _tasks_source(spec, found)
    return found


def _source(spec: JobSpec, defaults: Mapping[str, Any], cluster: str, name: str) -> str:
    own = spec.slurm.given()
    if name == "array" and spec.slurm.array is None:
        return "sweep" if spec.chain is None else "chain"
    if spec.chain is not None and name == "requeue" and name not in {*own, *defaults}:
        return "chain"
    if name in own.get("extra", {}):
        return f"slurm.extra.{name}"
    if name in own:
        return f"slurm.{name}"
    table = "defaults.extra" if name in defaults.get("extra", {}) else "defaults"
    return f"clusters.{cluster}.{table}.{name}"


def _tasks_source(spec: JobSpec, found: Mapping[str, str]) -> str:
    """The ranks per node are those of the launch, or one for each GPU."""
    if spec.launch.kind == "command":
        return "slurm.ntasks_per_node"
    if spec.launch.nproc_per_node is not None:
        return "launch.nproc_per_node"
    return found.get("gpus_per_node", found.get("gres", "slurm.ntasks_per_node"))
