"""A spec and a cluster's defaults in, the options of one sbatch out, and the shape of the job. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainsub.errors import SpecError
from trainsub.spec.gpus import asks_for_gpus, gpus_per_node, split_gres
from trainsub.spec.model import JobSpec, asked, contradiction, tasks_per_node
from trainsub.spec.slurm_options import OptionValue

# Whoever asks for memory or CPUs in one way does not want a default that asks in another.
_ALTERNATIVES = (frozenset({"mem", "mem_per_cpu", "mem_per_gpu"}), frozenset({"cpus_per_task", "cpus_per_gpu"}))


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a job is.

    Attributes:
        nodes: Nodes.
        gpus_per_node: GPUs on each; 0 for none.
        ntasks_per_node: What Slurm starts on each: agents or ranks.
        nproc_per_node: Ranks on each.
        world_size: Ranks in all.
    """

    nodes: int
    gpus_per_node: int
    ntasks_per_node: int
    nproc_per_node: int
    world_size: int


def options(spec: JobSpec, defaults: Mapping[str, Any]) -> dict[str, OptionValue]:
    """Return sbatch's options for a job, by long names with underscores.

    The spec wins over the defaults, option by option. Where it asks for GPUs, memory or CPUs per task in one way, a
    default that asks for the same in another way is dropped: ``gpus_per_node`` in the spec takes the GPUs out of the
    default's ``gres`` and keeps the rest of it. True is a flag, a tuple repeats its option, and what is false is left
    out, but for ``requeue = false``, which becomes ``no_requeue``. The launch kind sets ``ntasks_per_node``.

    Args:
        spec: The spec.
        defaults: The cluster's defaults, as ``[clusters.NAME.defaults]`` has them.

    Raises:
        SpecError: A value contradicts the launch kind.
    """
    own = spec.slurm.given()
    extra = {**defaults.get("extra", {}), **own.pop("extra", {})}
    left = in_force({name: value for name, value in defaults.items() if name != "extra"}, own)
    merged: dict[str, OptionValue] = {**left, **own}
    if merged.get("requeue") is False:
        merged["no_requeue"] = True
    if spec.array is not None:
        merged["array"] = spec.array
    if spec.chain is not None and "requeue" not in merged:
        merged["no_requeue"] = True  # the next link goes on at once, where a requeue waits two minutes
    gpus = gpus_per_node(merged)
    if gpus == 0:
        merged.pop("gpus_per_node", None)
    wrong = contradiction(spec, gpus)
    if wrong is not None:
        key, text, hint = wrong
        raise SpecError(f"{key}: {text}", hint=hint)
    if not spec.own_script:  # which says itself how many tasks it starts, and may say it in another way
        merged["ntasks_per_node"] = tasks_per_node(spec, gpus)
    return {name: value for name, value in {**merged, **extra}.items() if value is not False}


def in_force(defaults: dict[str, OptionValue], own: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
    """Return the defaults that the spec's own options leave in force.

    Args:
        defaults: Options that count where nothing else is said.
        own: What is said.
    """
    kept = {name: value for name, value in defaults.items() if name not in own}
    if asks_for_gpus(own):
        kept.pop("gpus_per_node", None)
        others = ",".join(split_gres(str(kept.pop("gres", "")))[1])
        if others:
            kept["gres"] = others
    for alternatives in _ALTERNATIVES:
        if alternatives & own.keys():
            kept = {name: value for name, value in kept.items() if name not in alternatives}
    return kept


def shape(spec: JobSpec, options: Mapping[str, Any]) -> Shape:
    """Return how large a job is.

    Args:
        spec: The spec.
        options: What ``options`` returned for it and the cluster.
    """
    gpus = gpus_per_node(options)
    tasks = tasks_per_node(spec, gpus)
    ranks = asked(spec, gpus).ranks
    nodes = spec.slurm.nodes
    return Shape(nodes=nodes, gpus_per_node=gpus, ntasks_per_node=tasks, nproc_per_node=ranks, world_size=nodes * ranks)
