"""From the options of a submission to what a job asks for. Pure.

A later source overrides an earlier one: the script's ``#SBATCH`` lines, ``SBATCH_*`` variables, the command line.
"""

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

_OVERRIDES = {"requeue": "no-requeue", "no-requeue": "requeue"}
_ONE_OF = (
    (
        ("mem", "mem-per-cpu", "mem-per-gpu"),
        "--mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.",
    ),
    (
        ("cpus-per-task", "cpus-per-gpu"),
        "--cpus-per-task, --tres-per-task=cpu:#, and --cpus-per-gpu are mutually exclusive",
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
    for names, words_of_refusal in _ONE_OF:
        chosen = [name for name in names if name in given]
        own = [name for name in chosen if name not in from_environment]
        if len(own or chosen) > 1:
            raise RefusedError(f"fatal: {words_of_refusal}")
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
    gpu_count, gpu_option = _gpus(given, nodes, ntasks)
    cpus = given.get("cpus-per-task")
    if cpus is None and "cpus-per-gpu" in given:
        per_node = -(-ntasks // max(nodes, 1))
        cpus = -(-given["cpus-per-gpu"] * gpu_count // per_node)
    memory = _memory(given, gpu_count, (cpus or 1) * -(-ntasks // max(nodes, 1)))
    begin = given.get("begin")
    request = Request(
        name=given.get("job-name") or around.name,
        partition=given.get("partition", conf.default_partition.name),
        nodes=nodes,
        ntasks=ntasks,
        ntasks_given="ntasks" in given or "ntasks-per-node" in given,
        ntasks_per_node=given.get("ntasks-per-node"),
        cpus_per_task=cpus,
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
        exclusive=given.get("exclusive", False) and "oversubscribe" not in given,
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
    named = len(given.get("nodelist", ()))
    if "nodes" in given or named:
        nodes = given["nodes"][0] if "nodes" in given else named
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


def _gpus(given: Given, nodes: int, ntasks: int) -> tuple[int, str]:
    """Return GPUs per node, and the option as Slurm keeps it; -1 for what no node can have."""
    if "gpus-per-node" in given:
        return _counted(given["gpus-per-node"])
    if given.get("gres") is not None:
        return _counted(given["gres"])
    if "gpus-per-task" in given:
        kind, number = given["gpus-per-task"]
        if "ntasks" not in given and "gpus" not in given:
            raise RefusedError(
                "error: Failed to validate job spec. --gpus-per-task or --tres-per-task used without either --gpus or "
                "-n/--ntasks is not allowed.",
                "error: Invalid generic resource (gres) specification",
            )
        return _counted((kind, number * -(-ntasks // max(nodes, 1)) if number > 0 else number))
    if "gpus" in given:
        kind, number = given["gpus"]
        if 0 < number < nodes:
            raise RefusedError(
                "error: Failed to validate job spec, --gpus < -N",
                "error: Invalid generic resource (gres) specification",
            )
        if number > 0 and number % nodes:
            raise not_known("--gpus that are not the same number on each node")
        return _counted((kind, number // nodes if number > 0 else number))
    return 0, ""


def _counted(spec: tuple[str, int]) -> tuple[int, str]:
    kind, number = spec
    return number, f"gres/gpu:{kind}:{number}" if kind else f"gres/gpu:{number}" if number else ""


def _memory(given: Given, gpus: int, cpus: int) -> int | None:
    if "mem-per-cpu" in given:
        return int(given["mem-per-cpu"]) * cpus
    if "mem-per-gpu" in given:
        return int(given["mem-per-gpu"]) * max(gpus, 0)
    memory: int | None = given.get("mem")
    return memory
