"""How large a job is: its nodes, tasks, GPUs and memory. Pure."""

import re

from trainsub.minislurm.conf import Conf
from trainsub.minislurm.errors import RefusedError, not_known
from trainsub.minislurm.given import Given

BAD_GRES = "error: Invalid generic resource (gres) specification"


def shape(given: Given, conf: Conf) -> tuple[int, int, tuple[str, ...]]:
    """Return nodes, tasks, and what sbatch warns of.

    Raises:
        RefusedError: Options do not go together.
    """
    per_node: int | None = given.get("ntasks-per-node")
    ntasks: int | None = given.get("ntasks")
    nodes = _nodes(given)
    if nodes is not None:
        if ntasks is None:
            return nodes, nodes * (per_node or 1), ()
        if 0 < ntasks < nodes:
            return ntasks, ntasks, (f"can't run {ntasks} processes on {nodes} nodes, setting nnodes to {ntasks}",)
        return nodes, ntasks, ()
    if ntasks is None:
        return 1, per_node or 1, ()
    # As few nodes as can hold them.
    room = per_node or max(1, conf.nodes[0].cpus // given.get("cpus-per-task", 1))
    return -(-ntasks // room), ntasks, ()


def _nodes(given: Given) -> int | None:
    """Return the number of nodes that the options fix."""
    if "nodes" in given:
        return int(given["nodes"][0])
    if "nodelist" in given:
        return len(given["nodelist"])
    if "gpus" in given and "gpus-per-node" in given:
        every, one = given["gpus"].number, given["gpus-per-node"].number
        if every > 0 and one > 0:
            if every % one:
                what = "--gpus is not multiple of --gres=gpu/--gpus-per-node"
                raise RefusedError(f"error: Failed to validate job spec, {what}", BAD_GRES)
            return int(every // one)
    return None


def most_nodes(given: Given, nodes: int) -> int | None:
    """Return the most nodes; Slurm works out how many there must be from tasks per node and CPUs per task."""
    if "nodes" in given:
        return int(given["nodes"][1])
    return None if "nodelist" not in given and {"cpus-per-task", "ntasks-per-node"} & set(given) else nodes


def gpus(given: Given, nodes: int, ntasks: int, conf: Conf) -> tuple[int, str]:
    """Return GPUs per node, and the options as Slurm keeps them; -1 for what no node can have.

    Raises:
        RefusedError: Options do not go together.
    """
    per_node = (given.get("gpus-per-node"), given.get("gres"))
    chosen = [one for one in per_node if one is not None]
    if chosen:
        if any(one.number < 0 for one in chosen):
            return -1, ""
        texts = [item for one in chosen for item in one.text.split(",") if item]
        option = ",".join(f"gres/gpu:{re.sub('^(gres/)?gpu[:=]?', '', text)}".rstrip(":") for text in texts)
        return max(one.number for one in chosen), option
    if "gpus-per-task" in given:
        if "ntasks" not in given and "gpus" not in given:
            raise RefusedError(
                "error: Failed to validate job spec. --gpus-per-task or --tres-per-task used without either --gpus or "
                "-n/--ntasks is not allowed.",
                BAD_GRES,
            )
        one = given["gpus-per-task"]
        return one.number if one.number < 0 else one.number * -(-ntasks // max(nodes, 1)), f"gres/gpu:{one.text}"
    if "gpus" in given:
        return _gpus_of_job(given, nodes, conf)
    return 0, ""


def _gpus_of_job(given: Given, nodes: int, conf: Conf) -> tuple[int, str]:
    asked = given["gpus"]
    number = asked.number
    if 0 < number < nodes:
        raise RefusedError("error: Failed to validate job spec, --gpus < -N", BAD_GRES)
    if number > 0:
        most = max(len(node.gpus) for node in conf.nodes)
        spread = _nodes(given) is None and most < number <= most * len(conf.nodes)
        if number % nodes or spread:
            raise not_known("--gpus without --nodes, the same number on each")
        number //= nodes
    return number, f"gres/gpu:{asked.text}"


def memory(given: Given, gpu_count: int, cpus: int) -> int | None:
    """Return MiB on each node; None if nothing was asked for."""
    if "mem-per-cpu" in given:
        return int(given["mem-per-cpu"]) * cpus
    if "mem-per-gpu" in given:
        return int(given["mem-per-gpu"]) * max(gpu_count, 0)
    asked: int | None = given.get("mem")
    return asked
