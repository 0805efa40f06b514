"""From the options of a submission to what a job asks for. Pure.

A later source overrides an earlier one: the script's ``#SBATCH`` lines, ``SBATCH_*`` variables, the command line.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainsub.minislurm import moments
from trainsub.minislurm import option_values as read
from trainsub.minislurm.conf import Conf
from trainsub.minislurm.errors import BAD_OPTION, RefusedError, invalid, not_known
from trainsub.minislurm.sbatch_options import ALIASES, NOT_KNOWN
from trainsub.minislurm.values import Request

Words = Iterable[tuple[str, str | None]]
"""Long options and their values, as they were given."""
Given = Mapping[str, Any]
"""Long options and the values that count."""

_BAD_GRES = "error: Invalid generic resource (gres) specification"
_OVERRIDES = {"requeue": "no-requeue", "no-requeue": "requeue"}
_ONE_OF = (
    (
        ("mem", "mem-per-cpu", "mem-per-gpu"),
        "--mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.",
        "SLURM_MEM_PER_CPU, SLURM_MEM_PER_GPU, and SLURM_MEM_PER_NODE are mutually exclusive.",
    ),
    (
        ("cpus-per-task", "cpus-per-gpu"),
        "--cpus-per-task, --tres-per-task=cpu:#, and --cpus-per-gpu are mutually exclusive",
        "",
    ),
    (
        ("exclusive", "oversubscribe"),
        "--exclusive and --oversubscribe options are mutually exclusive",
        "",
    ),
)

_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "cpus-per-gpu": read.count,
    "cpus-per-task": read.count,
    "distribution": read.distribution,
    "gpus": read.gpus,
    "gpus-per-node": read.gpus,
    "gpus-per-task": read.gpus,
    "gres": read.gres,
    "hint": read.hint,
    "kill-on-invalid-dep": read.yes_no,
    "mail-type": read.mail_type,
    "mem": read.memory,
    "mem-per-cpu": read.memory,
    "mem-per-gpu": read.memory,
    "nodes": read.nodes,
    "ntasks": read.count,
    "ntasks-per-node": read.count,
    "open-mode": read.open_mode,
    "segment": read.segment,
    "signal": read.signal_spec,
    "threads-per-core": read.count,
    "time": read.time_limit,
    "time-min": read.time_limit,
    "tmp": read.memory,
    "wait-all-nodes": read.wait_all_nodes,
}
_OPTIONAL: Mapping[str, Callable[[str, str | None], Any]] = {"exclusive": read.exclusive, "nice": read.nice}


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


def gather(sources: Sequence[tuple[Words, bool]], now: int) -> dict[str, Any]:
    """Return the options that count, their values read.

    Args:
        sources: In the order in which later ones override earlier ones; and whether it is the environment.
        now: The clock, for times such as ``now+1hour``.

    Raises:
        RefusedError: A value cannot be read, or options exclude each other.
    """
    given: dict[str, Any] = {}
    from_environment: set[str] = set()
    for words, environment in sources:
        for word, text in words:
            name = ALIASES.get(word, word)
            given[name] = _read(name, text, now)
            given.pop(_OVERRIDES.get(name, ""), None)
            (from_environment.add if environment else from_environment.discard)(name)
    for names, refusal, refusal_of_variables in _ONE_OF:
        chosen = [name for name in names if name in given]
        own = [name for name in chosen if name not in from_environment]
        if len(own or chosen) > 1:
            raise RefusedError(f"fatal: {refusal if own else refusal_of_variables or refusal}")
        for name in chosen:
            if own and name not in own:
                del given[name]
    return given


def _read(name: str, text: str | None, now: int) -> Any:  # noqa: ANN401 - each option has a type of its own
    if name in NOT_KNOWN:
        raise not_known(f"--{name}")
    if name in {"uid", "gid"}:
        raise RefusedError(f"error: --{name} only permitted by root user", code=BAD_OPTION)
    if name in _OPTIONAL:
        return _OPTIONAL[name](name, text)
    if text is None:
        return True
    if name in {"begin", "deadline"}:
        return _moment(name, text, now)
    return _READERS[name](name, text) if name in _READERS else text


def _moment(name: str, text: str, now: int) -> int:
    refusal = invalid(name)
    if not text:
        raise refusal
    try:
        return moments.parse(text, now)
    except moments.MomentError as error:
        raise RefusedError(*refusal.lines, code=refusal.code, bare=str(error)) from None


def build(given: Given, conf: Conf, around: Surroundings) -> tuple[Request, tuple[str, ...]]:
    """Return what the job asks for, and warnings. Nothing is compared with what the cluster has.

    Raises:
        RefusedError: Options do not go together.
    """
    nodes, ntasks, warnings = _shape(given, conf)
    gpu_count, gpu_option = _gpus(given, nodes, ntasks, conf)
    cpus = given.get("cpus-per-task")
    cpus_of_node = max((cpus or 1) * -(-ntasks // max(nodes, 1)), given.get("cpus-per-gpu", 0) * gpu_count)
    for option, wanted in (("cpus-per-gpu", "cpus_per_tres"), ("mem-per-gpu", "mem_per_tres")):
        if option in given and not gpu_option:
            asked = f"{wanted}=gres/gpu:{given[option]}"
            raise RefusedError(f"error: Requested {asked} but did not request any GPU.", _BAD_GRES)
    memory = _memory(given, gpu_count, cpus_of_node)
    begin = given.get("begin")
    request = Request(
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
        memory=memory,
        time_limit=given.get("time"),
        chdir=_absolute(given.get("chdir", around.cwd), around.cwd),
        output=given.get("output") or None,
        error=given.get("error") or None,
        input=given.get("input") or None,
        open_mode=given.get("open-mode", "t"),
        signal=given.get("signal"),
        begin=begin if begin is not None and begin > around.now else None,
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
    )
    return request, warnings


def _absolute(path: str, cwd: str) -> str:
    return path if path.startswith("/") else f"{cwd}/{path}"


def _shape(given: Given, conf: Conf) -> tuple[int, int, tuple[str, ...]]:
    """Return nodes, tasks, and what sbatch warns of."""
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
                raise RefusedError(f"error: Failed to validate job spec, {what}", _BAD_GRES)
            return int(every // one)
    return None


def _gpus(given: Given, nodes: int, ntasks: int, conf: Conf) -> tuple[int, str]:
    """Return GPUs per node, and the options as Slurm keeps them; -1 for what no node can have."""
    per_node: tuple[read.Gpus | None, ...] = (given.get("gpus-per-node"), given.get("gres"))
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
                _BAD_GRES,
            )
        one = given["gpus-per-task"]
        return one.number if one.number < 0 else one.number * -(-ntasks // max(nodes, 1)), f"gres/gpu:{one.text}"
    if "gpus" in given:
        return _gpus_of_job(given, nodes, conf)
    return 0, ""


def _gpus_of_job(given: Given, nodes: int, conf: Conf) -> tuple[int, str]:
    asked: read.Gpus = given["gpus"]
    number = asked.number
    if 0 < number < nodes:
        raise RefusedError("error: Failed to validate job spec, --gpus < -N", _BAD_GRES)
    if number > 0:
        most = max(len(node.gpus) for node in conf.nodes)
        spread = _nodes(given) is None and most < number <= most * len(conf.nodes)
        if number % nodes or spread:
            raise not_known("--gpus without --nodes, the same number on each")
        number //= nodes
    return number, f"gres/gpu:{asked.text}"


def _memory(given: Given, gpus: int, cpus: int) -> int | None:
    if "mem-per-cpu" in given:
        return int(given["mem-per-cpu"]) * cpus
    if "mem-per-gpu" in given:
        return int(given["mem-per-gpu"]) * max(gpus, 0)
    memory: int | None = given.get("mem")
    return memory
