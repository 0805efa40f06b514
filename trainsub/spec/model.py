"""The job spec: what is to be trained, in the words of its TOML file. Pure."""

import re
import shlex
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from trainsub.slurm import units
from trainsub.spec import toml
from trainsub.spec.expect import (
    ARGUMENT,
    Count,
    Expect,
    NotExpectedError,
    Variable,
    line,
    listed,
    matching,
    one_of,
    shown,
)
from trainsub.spec.gpus import asks_for_gpus, gpus_per_node
from trainsub.spec.names import VariableName
from trainsub.spec.slurm_options import SlurmOptions
from trainsub.spec.table import Table, conflict

KINDS = ("torchrun", "srun")
_LATER_KINDS = ("accelerate", "command", "deepspeed", "megatron")
_KIND = one_of(*KINDS)
_WORDS = listed("a command", ARGUMENT, least=1)
# Other programs may have blanks in their names.
_COMMAND_LINE = re.compile(r"(?:python[0-9.]*|torchrun|bash|sh|deepspeed|accelerate)\s")
_TEMPLATE = matching("a name", r"[A-Za-z0-9_][A-Za-z0-9_-]{0,39}")


def _kind(value: object) -> str:
    if value in _LATER_KINDS:
        raise NotExpectedError(f"{value} comes in a later version; there are: {', '.join(KINDS)}")
    return str(_KIND.check(value))


def _command(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise NotExpectedError(hint=f"Write it as a list: command = {_as_list(value)}")
    words: tuple[str, ...] = _WORDS.check(value)
    if not words[0].strip() or words[0].startswith("-"):
        raise NotExpectedError("item 1: a program comes first, then its options")
    if _COMMAND_LINE.match(words[0]):
        raise NotExpectedError(
            f"item 1: {shown(words[0])} would be the name of one program",
            hint=f"Write each word as an item: command = {_as_list(words[0], *words[1:])}",
        )
    return words


def _as_list(command: str, *more: str) -> str:
    try:
        return toml.value_text([*shlex.split(command), *more] or ["python", "train.py"])
    except ValueError:  # a quote that is not closed
        return '["python", "train.py"]'


def _venv(value: object) -> str:
    path = line(value)
    if not path.startswith(("/", "~/")):
        raise NotExpectedError
    return path


def _template(value: object) -> str:
    text = line(value)
    if "/" in text or text.endswith(".j2"):
        raise NotExpectedError("a template by its path comes in a later version; give the name of a built-in one")
    return str(_TEMPLATE.check(text))


class Launch(Table):
    """How the ranks are started."""

    kind: Annotated[Literal["torchrun", "srun"], Expect(_KIND.words, _kind)] = Field(
        "torchrun",
        description="`torchrun`: one agent per node starts the ranks. `srun`: Slurm starts each rank. It sets "
        "`slurm.ntasks_per_node`: 1 under torchrun, the ranks per node under srun.",
    )
    nproc_per_node: Count | None = Field(
        None, description="Ranks on each node. Default: GPUs per node; without GPUs, 1."
    )


class Setup(Table):
    """What happens in the job, before the launch."""

    modules: Annotated[
        tuple[str, ...], listed("a list of modules' names", matching("a module's name without blanks", r"[^\s-]\S*"))
    ] = Field((), description="Environment modules to load, in this order.")
    venv: Annotated[str, Expect('a path on the cluster: absolute, or beginning with "~/"', _venv)] | None = Field(
        None, description="A virtual environment on the cluster to activate."
    )


class Code(Table):
    """What travels with the job. `code = false`, above all tables: nothing does."""

    path: Annotated[str, Expect("a path", line)] = Field(
        ".", description="The folder that travels, relative to the spec's own folder."
    )
    max_size: Annotated[str, matching('a size with its unit, such as "256M" or "1G"', r"[1-9][0-9]{0,14}[KMGT]")] = (
        Field("256M", description="What travels may not be larger, so that a data set is not packed by mistake.")
    )
    include: Annotated[tuple[str, ...], listed("a list of paths", Expect("a path", line))] = Field(
        (), description="Files that look like secrets and are to travel all the same."
    )

    @property
    def max_bytes(self) -> int:
        """``max_size`` in bytes."""
        return units.parse_memory(self.max_size)


class JobSpec(Table):
    """The keys above all tables."""

    name: Annotated[
        str,
        matching(
            "at most 40 of A-Z a-z 0-9 . _ -, the first no dot and no dash",
            r"[A-Za-z0-9_][A-Za-z0-9._-]{0,39}",
        ),
    ] = Field(description="What the run is called; a run id is this and a hash.")
    command: Annotated[tuple[str, ...], Expect("a list of text, a program first", _command)] = Field(
        description="What each rank runs; no shell reads it. Under torchrun, the Python of `python train.py` or "
        "`python -m module` runs torchrun too."
    )
    template: Annotated[str, Expect("the name of a template", _template)] | None = Field(
        None, description="The template of the batch script. Default: `launch.kind`."
    )
    slurm: SlurmOptions = Field(description="Options of sbatch.")
    launch: Launch = Field(default_factory=Launch, description="How the ranks are started.")
    setup: Setup = Field(default_factory=Setup, description="What happens before the launch.")
    env: dict[VariableName, Variable] = Field(
        default_factory=dict,
        description="Variables of the job, as literal values. A name that looks like a secret's is refused, because "
        "values can be read in the script.",
    )
    code: Annotated[Code | None, BeforeValidator(lambda value: None if value is False else value)] = Field(
        default_factory=Code, description="What travels; `false`: nothing."
    )

    @model_validator(mode="after")
    def _launch_fits(self) -> Self:
        """What can be said without a cluster's defaults; ``launch.options`` says the rest."""
        given = self.slurm.given()
        wrong = contradiction(self, gpus_per_node(given) if asks_for_gpus(given) else None)
        if wrong is not None:
            raise conflict(*wrong)
        return self

    def to_toml(self) -> str:
        """Return the whole spec, with defaults, as TOML that reads back as this spec."""
        data: dict[str, Any] = self.model_dump(exclude_none=True)
        if self.code is None:
            data["code"] = False
        return toml.write(data)


def tasks_per_node(spec: JobSpec, gpus: int) -> int:
    """Return what the launch kind sets ``ntasks_per_node`` to.

    Args:
        spec: The spec.
        gpus: GPUs per node.
    """
    if spec.launch.kind == "torchrun":
        return 1
    return spec.launch.nproc_per_node or gpus or spec.slurm.ntasks_per_node or 1


def contradiction(spec: JobSpec, gpus: int | None) -> tuple[str, str, str] | None:
    """Return the key, the text and the hint of a contradiction between launch kind and ``[slurm]``, if there is one.

    Args:
        spec: The spec.
        gpus: GPUs per node; None if not known yet.
    """
    kind, slurm = spec.launch.kind, spec.slurm
    if kind == "srun" and gpus is None and spec.launch.nproc_per_node is None:
        return None
    tasks = tasks_per_node(spec, gpus or 0)
    reason = "one agent per node" if kind == "torchrun" else "one task per rank"
    if slurm.ntasks_per_node not in {None, tasks}:
        text = f"{slurm.ntasks_per_node} contradicts launch.kind {kind}, which needs {tasks} ({reason})"
        return "slurm.ntasks_per_node", text, "Leave it out; launch.nproc_per_node sets the ranks per node."
    if slurm.ntasks not in {None, tasks * slurm.nodes}:
        text = f"{slurm.ntasks} contradicts launch.kind {kind}, which needs {tasks * slurm.nodes} ({reason})"
        return "slurm.ntasks", text, "Leave it out; launch.nproc_per_node sets the ranks per node."
    return None
