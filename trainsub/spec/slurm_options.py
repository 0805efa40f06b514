"""``[slurm]``: the options of sbatch that a spec, or a cluster's defaults, may give. Pure."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from trainsub.slurm import arrays
from trainsub.slurm.batch_script import ALIASES, OPTIONS
from trainsub.spec.expect import (
    FLAG,
    LINE,
    NATURAL,
    Count,
    Expect,
    Flag,
    Memory,
    Natural,
    NotExpectedError,
    Text,
    Time,
    either,
    integer,
    line,
    listed,
    matching,
    one_of,
)
from trainsub.spec.gpus import split_gres
from trainsub.spec.refused import REFUSED, SET_BY_SPEC
from trainsub.spec.table import Table, conflict

GPUS = either(
    'an integer ≥ 0, or text such as "h100:8"',
    NATURAL,
    matching("a type and a number", r"(?:[A-Za-z0-9_.+-]+:)?[1-9][0-9]{0,5}"),
)

GRES = matching(
    'text such as "gpu:8" or "gpu:h100:8,nvme:1"',
    r"{item}(?:,{item})*".format(item=r"(?:gres[:/])?[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.+-]+){0,2}"),
)

_NICE_LIMIT = 2_147_483_645
_SIGNAL_SECONDS = 65_535
_OPTION = matching("an option", r"[a-z][a-z0-9]+(?:_[a-z0-9]+)*")
_OTHER_NAMES = {one.replace("-", "_"): other.replace("-", "_") for one, other in ALIASES.items()}
_WHOLE = {one.replace("-", "_") for one in OPTIONS} - _OTHER_NAMES.keys()
_NICE = integer(0, _NICE_LIMIT)
_SIGNAL = matching("a signal", r"(?:[BR]{1,2}:)?[A-Z0-9+]{1,20}(?:@[0-9]{1,9})?")


def _nice(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        raise NotExpectedError(f"Slurm refuses a negative nice value from a user, got {value}")
    return int(_NICE.check(value))


def _signal(value: object) -> str:
    text = str(_SIGNAL.check(value))
    if int(text.partition("@")[2] or 0) > _SIGNAL_SECONDS:
        raise NotExpectedError(f"Slurm takes at most {_SIGNAL_SECONDS} seconds before the end, got {text}")
    return text


def _array(value: object) -> str:
    text = line(value)
    try:
        arrays.parse(text)
    except ValueError as error:
        raise NotExpectedError(f"not the indices of an array: {error}") from error
    return text


def _wait_all_nodes(value: object) -> int:
    return int(either("a flag", FLAG, one_of(0, 1)).check(value))


def _option(value: object) -> str:
    """An option's name in [slurm.extra]."""
    name = line(value)
    if name in SlurmOptions.model_fields:
        raise NotExpectedError("trainsub knows this option", hint=f"Write it one table up: {name} = …")
    plain = name.strip("-").replace("-", "_")
    if plain in REFUSED:
        raise NotExpectedError(REFUSED[plain])
    if plain and plain != name:
        raise NotExpectedError(f"written with underscores: {plain}")
    return _in_full(str(_OPTION.check(name)))


def _in_full(name: str) -> str:
    """An option's name that sbatch takes for none that trainsub owns: it takes the beginnings of names, too."""
    if name in _WHOLE:
        return name
    ours = {*SlurmOptions.model_fields, *REFUSED} - {"extra"}
    long = sorted({_OTHER_NAMES.get(one, one) for one in ours | _OTHER_NAMES.keys() if one.startswith(name)})
    if len(long) > 1:
        raise NotExpectedError(f"short for one of {', '.join(long)}", hint="Write options in full.")
    if not long:
        return name
    if long[0] in REFUSED:
        raise NotExpectedError(f"short for {long[0]}: {REFUSED[long[0]]}")
    raise NotExpectedError(
        f"short for {long[0]}, and trainsub knows this option", hint=f"Write it one table up: {long[0]} = …"
    )


_ONE_VALUE = either("text or an integer", LINE, integer(-(2**63)))

OptionName = Annotated[str, Expect("a long option of sbatch, in small letters and with underscores", _option)]
OptionValue = bool | int | str | tuple[int | str, ...]
ExtraValue = Annotated[
    OptionValue,
    either("true, text, an integer, or a list of them", FLAG, _ONE_VALUE, listed("a list", _ONE_VALUE, least=1)),
]


class SlurmDefaults(Table):
    """Options of sbatch that can be a cluster's defaults as well as a spec's own."""

    refused: ClassVar[Mapping[str, str]] = {**REFUSED, **SET_BY_SPEC}
    unknown_hint: ClassVar[str | None] = "[clusters.NAME.defaults.extra] takes options that trainsub does not know."

    partition: Text | None = Field(None, description="Partition, or several separated by commas.")
    account: Text | None = Field(None, description="Account to be charged.")
    qos: Text | None = Field(None, description="Quality of service.")
    reservation: Text | None = Field(None, description="Reservation to run in.")
    gpus_per_node: Annotated[int | str, GPUS] | None = Field(
        None, description='GPUs on each node, optionally with their type: `8`, `"h100:8"`; 0 asks for none.'
    )
    gres: Annotated[str, GRES] | None = Field(
        None, description='Generic resources per node: `"gpu:8"` where a site has no `gpus_per_node`, `"nvme:1"`.'
    )
    cpus_per_task: Count | None = Field(
        None,
        description="CPUs per task: per node under torchrun, per rank under srun. Left out, sbatch is told nothing, "
        "and the script's srun gives each task its share of the job's smallest node, unless `cpus_per_gpu`, `hint` or "
        "`threads_per_core` is given.",
    )
    cpus_per_gpu: Count | None = Field(None, description="CPUs per GPU, instead of `cpus_per_task`.")
    exclusive: Annotated[bool | str, one_of(True, False, "user", "mcs", "topo")] | None = Field(
        None, description="Share the nodes with no other job."
    )
    mem: Memory | None = Field(None, description='Memory per node: `"64G"`, or MiB; `0` is all of it.')
    mem_per_cpu: Memory | None = Field(None, description="Memory per CPU, instead of `mem`.")
    mem_per_gpu: Memory | None = Field(None, description="Memory per GPU, instead of `mem`.")
    tmp: Memory | None = Field(None, description="Least local disk space on each node.")
    time_min: Time | None = Field(None, description="Slurm may shorten the time limit down to this, to start earlier.")
    begin: Text | None = Field(None, description='Not before: `"2026-01-31T20:00:00"`, `"now+2hours"`.')
    deadline: Text | None = Field(None, description="Given up if it cannot end by then.")
    constraint: Text | None = Field(None, description="Features that the nodes must have.")
    prefer: Text | None = Field(None, description="Features that the nodes should have.")
    nodelist: Text | None = Field(None, description="Nodes that must be among those given.")
    exclude: Text | None = Field(None, description="Nodes that must not be among those given.")
    contiguous: Flag | None = Field(None, description="Only nodes that are next to each other.")
    segment: Count | None = Field(None, description="Nodes per block of the network (Slurm 24.05 or newer).")
    hint: Annotated[str, one_of("compute_bound", "memory_bound", "multithread", "nomultithread")] | None = Field(
        None, description="How CPUs are to be bound."
    )
    threads_per_core: Count | None = Field(None, description="Hardware threads to use on each core.")
    distribution: Text | None = Field(None, description='How ranks are laid out: `"block:block"`.')
    licenses: Text | None = Field(None, description="Licenses that the job needs.")
    nice: Annotated[int, Expect(f"an integer from 0 to {_NICE_LIMIT}", _nice)] | None = Field(
        None, description="Lowers the priority by this much; negative values are for administrators."
    )
    priority: Natural | None = Field(None, description="The job's priority, where a site lets users set it.")
    hold: Flag | None = Field(None, description="Submit it held; it starts after it has been released.")
    requeue: Flag | None = Field(None, description="Whether Slurm may requeue it after a node failure or preemption.")
    signal: Annotated[str, Expect('text such as "B:USR1@120"', _signal)] | None = Field(
        None, description="Signal before the time limit; with `B:` to the batch script, which passes USR1 and USR2 on."
    )
    wait_all_nodes: Annotated[int, Expect("true, false, 0 or 1", _wait_all_nodes)] | None = Field(
        None, description="Begin only when all nodes are up."
    )
    propagate: Text | None = Field(None, description='Limits of the submitting shell that travel: `"NONE"`.')
    mail_user: Text | None = Field(None, description="Who gets Slurm's mail.")
    mail_type: Text | None = Field(None, description='Events that Slurm mails, separated by commas: `"END,FAIL"`.')
    wckey: Text | None = Field(None, description="Workload characterization key.")
    extra: dict[OptionName, ExtraValue] = Field(
        default_factory=dict,
        description="Options of sbatch that trainsub does not know, with underscores: true is a flag, a list repeats "
        "the option, false takes a cluster's default back.",
    )

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        if self.gpus_per_node is not None and split_gres(self.gres or "")[0]:
            raise conflict("gres", "asks for GPUs, and so does gpus_per_node", "Keep one of them.")
        sizes = [key for key in ("mem", "mem_per_cpu", "mem_per_gpu") if getattr(self, key) is not None]
        if len(sizes) > 1:
            raise conflict(sizes[1], f"excludes {sizes[0]}, as in sbatch", "Keep one of them.")
        if self.cpus_per_gpu is not None and self.cpus_per_task is not None:
            raise conflict("cpus_per_gpu", "excludes cpus_per_task, as in sbatch", "Keep one of them.")
        return self


class _Size(Table):
    """What every spec says itself. A base of its own, so that these come first in what is written."""

    nodes: Count = Field(description="Number of nodes; no range, so that the cost is known.")
    time: Time = Field(description="Time limit of the job.")
    array: Annotated[str, Expect('indices such as "0-9%2"', _array)] | None = Field(
        None,
        description="Indices of a job array: each is a task with nodes and a time limit of its own, and finds its "
        "index in `SLURM_ARRAY_TASK_ID`; `%2` lets two run at a time.",
    )
    ntasks: Count | None = Field(None, description="Tasks in all; worked out from the launch kind, so best left out.")
    ntasks_per_node: Count | None = Field(
        None,
        description="Tasks per node. The launch kind sets it, and another value is an error, but for `command`, "
        "which starts so many, `megatron`, where it is 1 or the ranks per node, `srun` without GPUs and "
        "`nproc_per_node`, and a script of your own.",
    )


class SlurmOptions(SlurmDefaults, _Size):
    """Options of sbatch, by their long names with underscores. `man sbatch` is the reference."""

    refused: ClassVar[Mapping[str, str]] = REFUSED
    unknown_hint: ClassVar[str | None] = "[slurm.extra] takes options that trainsub does not know."
