"""What a template can name: plain values, worked out from spec and cluster. Pure."""

import re
from collections.abc import Mapping

from trainsub.config import Cluster
from trainsub.errors import SpecError
from trainsub.render.arrays import TAKEN, of_chain, of_command
from trainsub.render.container import of_container
from trainsub.render.directives import block
from trainsub.render.engine import Shell, home
from trainsub.render.fabric import of_fabric
from trainsub.render.launcher import words
from trainsub.render.megatron import check_sizes
from trainsub.spec import JobSpec, OwnScript, Shape, options, shape

NAMES = frozenset(
    {
        "chain",
        "command",
        "container",
        "count_cpus",
        "cpus_per_gpu",
        "cpus_per_task",
        "directives",
        "distribution",
        "dumps_traces",
        "env",
        "fabric",
        "gpus_per_node",
        "interpreter",
        "modules",
        "name",
        "nodes",
        "nproc_per_node",
        "ntasks",
        "ntasks_per_node",
        "python",
        "ranks_per_task",
        "rendezvous",
        "secrets",
        "slurm_bin",
        "sweep",
        "target",
        "template",
        "threads_per_rank",
        "venv",
        "wait",
        "world_size",
    }
)
"""All that ``context`` offers; the lint knows no other."""

_TAKEN = re.compile(
    rf"{TAKEN}|again|agent|begin|child|code|count|culprit|cpus_per_task|chose|fabric|first|gpus_per_node|high|image|init|job|link|look|low|module|modules|mounts|name|node"
    r"|nodes|owner|pipe|place|port|record|run_dir|signalled|slow|started|step|stopped|task|terminated|told|tries|variables|venv|waiter|watcher"
)
"""Variables of the script itself. What Slurm and the launcher set is refused by the spec."""


def context(spec: JobSpec, cluster: Cluster, template: str, own: OwnScript | None = None) -> dict[str, object]:
    """Return the values for a template.

    Args:
        spec: The job spec.
        cluster: The cluster that the script is for; its default options count.
        template: The template's name, for the script's header.
        own: The user's own script, where the spec names one.

    Raises:
        SpecError: A value cannot be written into a script, or the ranks do not fit the command.
    """
    chosen = options(spec, cluster.defaults)
    plan = shape(spec, chosen)
    python, target = words(spec.launch.kind, spec.command, plan.world_size)
    if spec.launch.kind == "megatron":
        check_sizes(spec.command, plan.world_size)
    cpus = _cpus(chosen, plan, spec.launch.kind)
    fabric = of_fabric(cluster.fabric, spec)
    rendezvous = None if spec.launch.kind == "command" else spec.launch.rendezvous
    threads = cpus["threads_per_rank"] or (rendezvous and cpus["count_cpus"])
    traces = bool(rendezvous and plan.gpus_per_node)
    variables = _names(
        spec,
        [*spec.env, *spec.secret_names, *dict(fabric["variables"])],
        rendezvous=bool(rendezvous),
        traces=traces,
        threads=bool(threads),
    )
    return {
        "chain": of_chain(spec),
        "command": of_command(list(spec.command), spec),
        "container": of_container(spec, plan.gpus_per_node, variables),
        **cpus,
        "directives": Shell(block(chosen)),
        # The user's own distribution reaches srun through the environment.
        "distribution": None if "distribution" in chosen or plan.ntasks_per_node == 1 else "block:block",
        "dumps_traces": traces,
        "env": _env(spec),
        "fabric": fabric,
        "gpus_per_node": plan.gpus_per_node,
        "interpreter": own.interpreter if own else [],
        "modules": list(spec.setup.modules),
        "name": spec.name,
        "nodes": plan.nodes,
        "nproc_per_node": plan.nproc_per_node,
        "ntasks": plan.nodes * plan.ntasks_per_node,
        "ntasks_per_node": plan.ntasks_per_node,
        "python": python,
        "rendezvous": rendezvous,
        "secrets": _secrets(spec),
        "slurm_bin": cluster.slurm_bin,
        "sweep": spec.sweep is not None,
        "target": of_command(target, spec),
        "template": template,
        "venv": spec.setup.venv and home(spec.setup.venv),
        "wait": spec.launch.wait,
        "world_size": plan.world_size,
    }


def _cpus(chosen: Mapping[str, object], plan: Shape, kind: str) -> dict[str, object]:
    """What srun is told of CPUs, and what OpenMP is.

    Where threads of a core are left out, Slurm counts others in the job than srun takes, so there nothing is counted.
    """
    per_task, per_gpu = chosen.get("cpus_per_task"), chosen.get("cpus_per_gpu")
    of_a_node = _times(per_task, plan.ntasks_per_node) or _times(per_gpu, plan.gpus_per_node)
    return {
        "count_cpus": not {"cpus_per_task", "cpus_per_gpu", "hint", "threads_per_core"} & chosen.keys(),
        "cpus_per_gpu": per_gpu,
        "cpus_per_task": per_task,
        "ranks_per_task": plan.nproc_per_node // plan.ntasks_per_node,
        "threads_per_rank": max(1, of_a_node // plan.nproc_per_node) if of_a_node and kind != "command" else None,
    }


def _names(spec: JobSpec, given: list[str], *, rendezvous: bool, traces: bool, threads: bool) -> set[str]:
    """The variables that the script exports for the ranks, besides those of every script."""
    names = {*given, *(spec.sweep.env if spec.sweep else ())}
    conditions = {
        "CUDA_DEVICE_MAX_CONNECTIONS": spec.launch.kind == "megatron",
        "MASTER_ADDR": rendezvous,
        "MASTER_PORT": rendezvous,
        "OMP_NUM_THREADS": threads,
        "TORCH_FR_DUMP_TEMP_FILE": traces,
        "TORCH_NCCL_DUMP_ON_TIMEOUT": traces,
        "TRAINSUB_CHAIN_LINK": spec.chain is not None,
        "TRAINSUB_POINT": spec.sweep is not None,
    }
    return names | {name for name, holds in conditions.items() if holds}


def _secrets(spec: JobSpec) -> str | None:
    """After what the script removes the secrets: the job, or the last link; None where there are none.

    No task of another array knows that it is the last one: there trainsub removes them.
    """
    if spec.secrets is None:
        return None
    if spec.chain is not None:
        return "chain"
    return "job" if spec.array is None else "array"


def _times(count: object, factor: int) -> int:
    return count * factor if isinstance(count, int) else 0


def _env(spec: JobSpec) -> list[tuple[str, str | int | float]]:
    own = {f"env.{key}": key for key in spec.env}
    own |= {f"sweep.env: {key}": key for key in (spec.sweep.env if spec.sweep else ())}
    own |= {f"secrets.names: {key}": key for key in spec.secret_names}
    for place, key in own.items():
        if _TAKEN.fullmatch(key):
            raise SpecError(f"{place}: the job script uses this name itself", hint="Choose another name.")
    return list(spec.env.items())
