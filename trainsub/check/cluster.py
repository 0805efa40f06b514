"""Is a cluster fit for trainsub? Pure."""

from dataclasses import dataclass
from typing import Literal

from trainsub.check.facts import ClusterFacts
from trainsub.config import Cluster

OLDEST = (22, 5)
"""The oldest Slurm that trainsub is tested with."""
ROOM_BYTES = 1 << 30
"""Free space under which a warning is due: one snapshot of the greatest size, unpacked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked.

    Attributes:
        level: "ok", "warning" or "error".
        field: What was checked: a key of the configuration, or a part of the cluster.
        message: What was found.
        remedy: What to do; None if all is well.
    """

    level: Literal["ok", "warning", "error"]
    field: str
    message: str
    remedy: str | None = None


def examine(cluster: Cluster, facts: ClusterFacts) -> list[Finding]:
    """Findings in the order in which a person would look.

    Args:
        cluster: As configured.
        facts: As the cluster answered.
    """
    findings = [_programs(facts), _version(facts)]
    if facts.version is not None:
        findings += [_controller(facts), _accounting(facts)]
    if facts.version is not None and facts.controller is None:
        # Only the controller can tell.
        findings += [_partition(cluster, facts), _gpus(cluster, facts), *_array(cluster, facts)]
    return [*findings, _root(facts), _price(cluster)]


def _programs(facts: ClusterFacts) -> Finding:
    if facts.missing:
        names = ", ".join(facts.missing)
        return Finding("error", "programs", f"not found on the login node: {names}", "Ask the site to install them.")
    return Finding("ok", "programs", "all that trainsub needs is on the login node")


def _version(facts: ClusterFacts) -> Finding:
    if facts.version is None:
        return Finding(
            "error",
            "slurm_bin",
            "Slurm's commands were not found on the login node's PATH",
            "Set slurm_bin to the folder that holds sbatch there.",
        )
    numbers = tuple(int(part) for part in facts.version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST:
        return Finding(
            "warning", "slurm", f"Slurm {facts.version} is older than 22.05", "trainsub is not tested there."
        )
    return Finding("ok", "slurm", f"Slurm {facts.version}")


def _controller(facts: ClusterFacts) -> Finding:
    if facts.controller is not None:
        return Finding("error", "slurmctld", facts.controller, "Slurm's controller is down; try again later.")
    return Finding("ok", "slurmctld", "the controller answers")


def _accounting(facts: ClusterFacts) -> Finding:
    if facts.accounting is not None:
        return Finding(
            "warning",
            "accounting",
            f"sacct does not answer: {facts.accounting}",
            "Ends are read from the runs' own records; usage has no figures without accounts.",
        )
    return Finding("ok", "accounting", "sacct answers")


def _partition(cluster: Cluster, facts: ClusterFacts) -> Finding:
    wanted = cluster.defaults.get("partition")
    names = [one.name for one in facts.partitions]
    for name in str(wanted).split(",") if wanted else []:
        if name not in names:
            return Finding(
                "error",
                "defaults.partition",
                f"there is no partition {name!r} that you may see",
                f"Choose one of: {', '.join(names)}.",
            )
    return Finding("ok", "partition", f"partitions: {', '.join(names) or 'none'}")


def _gpus(cluster: Cluster, facts: ClusterFacts) -> Finding:
    if "gres/gpu" in facts.settings.get("AccountingStorageTRES", ""):
        return Finding("ok", "gres/gpu", "Slurm records GPUs, so usage is exact")
    if cluster.gpus_per_node is None:
        return Finding(
            "warning",
            "gpus_per_node",
            "Slurm does not record GPUs here (AccountingStorageTRES lacks gres/gpu)",
            "Set gpus_per_node for this cluster, so that usage can be estimated.",
        )
    return Finding("ok", "gpus_per_node", "Slurm does not record GPUs here; usage is estimated from gpus_per_node")


def _array(cluster: Cluster, facts: ClusterFacts) -> list[Finding]:
    """Only what is wrong: elsewhere nobody needs to know."""
    there, here = facts.settings.get("MaxArraySize", ""), cluster.max_array_size
    if not there.isdecimal() or int(there) >= here:
        return []
    if int(there) == 0:
        return [Finding("warning", "max_array_size", "Slurm's MaxArraySize is 0: no job arrays", "Sweep elsewhere.")]
    found = f"it is {here}, and Slurm's MaxArraySize is {there}: sweeps of more points are refused"
    return [Finding("warning", "max_array_size", found, f"Set it to {there}, and they become several runs.")]


def _root(facts: ClusterFacts) -> Finding:
    if facts.root_error is not None:
        return Finding(
            "error",
            "remote_root",
            f"{facts.root} cannot be used: {facts.root_error}",
            "Set remote_root to a folder on the shared file system that you may write to, and see that there is room.",
        )
    if facts.free_bytes is not None and facts.free_bytes < ROOM_BYTES:
        free = facts.free_bytes // (1 << 20)
        return Finding("warning", "remote_root", f"only {free} MiB are free under {facts.root}", "Make room there.")
    return Finding("ok", "remote_root", f"{facts.root} can be written to")


def _price(cluster: Cluster) -> Finding:
    if cluster.price is None:
        return Finding(
            "warning", "price", "no price is configured, so costs are unknown", "Add a [clusters.NAME.price] table."
        )
    return Finding("ok", "price", f"{cluster.price.gpu_hour} {cluster.price.currency} per GPU-hour")
