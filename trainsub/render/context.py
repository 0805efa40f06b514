"""What a template can name: plain values, worked out from spec and cluster. Pure."""

import re
from collections.abc import Mapping

from trainsub.config import Cluster
from trainsub.errors import SpecError
from trainsub.render.directives import block
from trainsub.render.engine import Shell, quote
from trainsub.render.launcher import torchrun
from trainsub.spec import JobSpec, options, shape

NAMES = frozenset(
    {
        "command",
        "cpus_per_task",
        "directives",
        "distribution",
        "env",
        "gpus_per_node",
        "modules",
        "name",
        "nodes",
        "nproc_per_node",
        "ntasks_per_node",
        "omp_num_threads",
        "python",
        "slurm_bin",
        "target",
        "template",
        "venv",
        "world_size",
    }
)
"""All that ``context`` offers; the lint knows no other."""

_TAKEN = re.compile(
    r"code|gpus_per_node|init|link|module|modules|nodes|owner|record|run_dir|signalled|started|step|terminated|venv"
)
"""Variables of the script itself. What Slurm and the launcher set is refused by the spec."""


def context(spec: JobSpec, cluster: Cluster, template: str) -> dict[str, object]:
    """Return the values for a template.

    Args:
        spec: The job spec.
        cluster: The cluster that the script is for; its default options count.
        template: The template's name, for the script's header.

    Raises:
        SpecError: A value cannot be written into a script.
    """
    chosen = options(spec, cluster.defaults)
    plan = shape(spec, chosen)
    python, target = torchrun(spec.command)
    cpus = chosen.get("cpus_per_task")
    return {
        "command": list(spec.command),
        "cpus_per_task": cpus,
        "directives": Shell(block(chosen)),
        # The user's own distribution reaches srun through the environment.
        "distribution": None if "distribution" in chosen else "block:block",
        "env": _env(spec.env),
        "gpus_per_node": plan.gpus_per_node,
        "modules": list(spec.setup.modules),
        "name": spec.name,
        "nodes": plan.nodes,
        "nproc_per_node": plan.nproc_per_node,
        "ntasks_per_node": plan.ntasks_per_node,
        "omp_num_threads": _threads(cpus, plan.nproc_per_node // plan.ntasks_per_node),
        "python": python,
        "slurm_bin": cluster.slurm_bin,
        "target": target,
        "template": template,
        "venv": _path(spec.setup.venv),
        "world_size": plan.world_size,
    }


def _threads(cpus_per_task: object, ranks_per_task: int) -> int | None:
    return max(1, cpus_per_task // ranks_per_task) if isinstance(cpus_per_task, int) else None


def _path(path: str | None) -> str | None:
    if path is None or not path.startswith("~/"):
        return path
    return Shell('"$HOME"/' + quote(path[2:]))


def _env(env: Mapping[str, str | int | float]) -> list[tuple[str, str | int | float]]:
    for key in env:
        if _TAKEN.fullmatch(key):
            raise SpecError(f"env.{key}: the job script uses this name itself", hint="Choose another name.")
    return list(env.items())
