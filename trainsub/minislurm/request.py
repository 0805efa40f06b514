"""From the options of a submission to what a job asks for. Pure."""

from dataclasses import dataclass

from trainsub.minislurm import size
from trainsub.minislurm.conf import Conf
from trainsub.minislurm.errors import RefusedError
from trainsub.minislurm.given import Given
from trainsub.minislurm.request_told import told
from trainsub.minislurm.values import Request


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a submission takes from the process that makes it.

    Attributes:
        now: The clock.
        cwd: Working directory.
        umask: Of the process.
        name: The job's name if none is given.
        command: The script's path, absolute; empty for ``--wrap`` and standard input.
        arguments: Of the script.
        submit_line: The whole command line.
    """

    now: int
    cwd: str
    umask: int
    name: str
    command: str = ""
    arguments: tuple[str, ...] = ()
    submit_line: str = ""


def build(given: Given, conf: Conf, around: Surroundings) -> tuple[Request, tuple[str, ...]]:
    """Return what the job asks for, and warnings. Nothing is compared with what the cluster has.

    Raises:
        RefusedError: Options do not go together.
    """
    nodes, ntasks, warnings = size.shape(given, conf)
    gpu_count, gpu_option = size.gpus(given, nodes, ntasks, conf)
    cpus = given.get("cpus-per-task")
    cpus_of_node = max((cpus or 1) * -(-ntasks // max(nodes, 1)), given.get("cpus-per-gpu", 0) * gpu_count)
    if not gpu_option:
        _refuse_shares_of_no_gpu(given)
    return Request(
        name=given.get("job-name", around.name),
        partition=given.get("partition", conf.default_partition.name),
        nodes=nodes,
        ntasks=ntasks,
        ntasks_given="ntasks" in given or "ntasks-per-node" in given,
        ntasks_per_node=given.get("ntasks-per-node"),
        cpus_per_task=cpus,
        cpus_per_gpu=given.get("cpus-per-gpu"),
        gpus_per_node=gpu_count,
        gpu_option=gpu_option,
        memory=size.memory(given, gpu_count, cpus_of_node),
        time_limit=given.get("time"),
        chdir=_absolute(given.get("chdir", around.cwd), around.cwd),
        output=given.get("output") or None,
        error=given.get("error") or None,
        input=given.get("input") or None,
        open_mode=given.get("open-mode", "t"),
        signal=given.get("signal"),
        begin=_to_come(given.get("begin"), around.now),
        deadline=given.get("deadline"),
        requeue="no-requeue" not in given,
        dependency=given.get("dependency", ""),
        kill_on_invalid_dependency=given.get("kill-on-invalid-dep"),
        nodelist=given.get("nodelist", ()),
        exclude=given.get("exclude", ()),
        exclusive=given.get("exclusive", False),
        account=given.get("account", "research"),
        qos=given.get("qos", "normal"),
        comment=given.get("comment", ""),
        wckey=given.get("wckey", ""),
        nice=given.get("nice", 0),
        export=None if given.get("export", "").upper() == "ALL" else given.get("export"),
        arguments=around.arguments,
        command=around.command,
        umask=around.umask,
        distribution=given.get("distribution", ""),
        submit_line=around.submit_line,
        most_nodes=size.most_nodes(given, nodes),
        memory_unit="cpu" if "mem-per-cpu" in given else "gpu" if "mem-per-gpu" in given else "node",
        told=tuple(told(given)),
    ), warnings


def _refuse_shares_of_no_gpu(given: Given) -> None:
    for option, wanted in (("cpus-per-gpu", "cpus_per_tres"), ("mem-per-gpu", "mem_per_tres")):
        if option in given:
            asked = f"{wanted}=gres/gpu:{given[option]}"
            raise RefusedError(f"error: Requested {asked} but did not request any GPU.", size.BAD_GRES)


def _to_come(moment: int | None, now: int) -> int | None:
    return moment if moment is not None and moment > now else None


def _absolute(path: str, cwd: str) -> str:
    return path if path.startswith("/") else f"{cwd}/{path}"
