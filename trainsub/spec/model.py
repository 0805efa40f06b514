"""The job spec: what is to be trained, in the words of its TOML file. Pure."""

import re
import shlex
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from trainsub.slurm import arrays, units
from trainsub.spec import toml
from trainsub.spec.chain import Chain
from trainsub.spec.container import Container
from trainsub.spec.expect import (
    ARGUMENT,
    Expect,
    NotExpectedError,
    Variable,
    line,
    listed,
    matching,
    shown,
)
from trainsub.spec.gpus import asks_for_gpus, gpus_per_node
from trainsub.spec.kinds import Asked, Launch
from trainsub.spec.launchers import beside, nested
from trainsub.spec.names import VariableName
from trainsub.spec.secrets import Secrets
from trainsub.spec.slurm_options import SlurmOptions
from trainsub.spec.sweep import Sweep
from trainsub.spec.table import Table, conflict

_WORDS = listed("a command", ARGUMENT, least=1)
_ARGUMENTS = listed("a list of text", ARGUMENT)
# Other programs may have blanks in their names.
_COMMAND_LINE = re.compile(r"(?:python[0-9.]*|torchrun|bash|sh|deepspeed|accelerate)\s")
_TERM_TO_SCRIPT = re.compile(r"R?B:(?:SIG)?(?:TERM|15)\b", re.IGNORECASE)
TEMPLATE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,39}")
_J2 = ".j2"


class _Arguments(tuple[object, ...]):
    """What follows a script of the user's own: any words, or none."""

    __slots__ = ()


def _command(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise NotExpectedError(hint=f"Write it as a list: {_as_list(value)}")
    if isinstance(value, _Arguments):
        return tuple(_ARGUMENTS.check(tuple(value)))
    words: tuple[str, ...] = _WORDS.check(value)
    if not words[0].strip() or words[0].startswith("-"):
        raise NotExpectedError("item 1: a program comes first, then its options")
    if _COMMAND_LINE.match(words[0]):
        raise NotExpectedError(
            f"item 1: {shown(words[0])} would be the name of one program",
            hint=f"Write each word as an item: {_as_list(words[0], *words[1:])}",
        )
    return words


def _as_list(command: str, *more: str) -> str:
    try:
        words = [*shlex.split(command), *more]
    except ValueError:  # a quote that is not closed
        words = []
    words = words or ["python", "train.py"]
    return f"command = {toml.value_text(words)}{beside(words)}"


def _venv(value: object) -> str:
    path = line(value)
    if not path.startswith(("/", "~/")):
        raise NotExpectedError
    return path


def _template(value: object) -> str:
    text = line(value)
    if not _is_path(text) and TEMPLATE_NAME.fullmatch(text) is None:
        raise NotExpectedError
    return text


def _is_path(template: str) -> bool:
    """Names of templates have neither."""
    return "/" in template or "." in template


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
        "`python -m module` runs torchrun too. Of a script of your own it is the arguments, and may be left out."
    )
    template: Annotated[str, Expect("the name of a template, or a path", _template)] | None = Field(
        None,
        description="The template of the batch script. Default: `launch.kind`. A path that ends in `.j2` is a "
        "[template of your own](../how-to/write-your-own-template.md); any other path, with a `/` or a `.` in it, is a "
        "[script of your own](../how-to/from-a-handwritten-sbatch.md), which is run as it is.",
    )
    slurm: SlurmOptions = Field(description="Options of sbatch.")
    launch: Launch = Field(default_factory=Launch, description="How the ranks are started.")
    container: Container | None = Field(None, description="The image in which the ranks run.")
    setup: Setup = Field(default_factory=Setup, description="What happens before the launch.")
    env: dict[VariableName, Variable] = Field(
        default_factory=dict,
        description="Variables of the job, as literal values. A name that looks like a secret's is refused, because "
        "values can be read in the script.",
    )
    secrets: Secrets | None = Field(None, description="Variables whose values are written nowhere.")
    code: Annotated[Code | None, BeforeValidator(lambda value: None if value is False else value)] = Field(
        default_factory=Code, description="What travels; `false`: nothing."
    )
    sweep: Sweep | None = Field(None, description="One training for each point of a sweep.")
    chain: Chain | None = Field(None, description="A training that is longer than its time limit.")

    @property
    def array(self) -> str | None:
        """The indices of the job array that the job is; None for a plain job."""
        return array_of(self.slurm.array, self.sweep, self.chain)

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Variables whose values are taken from the submitter's environment."""
        return () if self.secrets is None else self.secrets.names

    @property
    def template_path(self) -> str | None:
        """The path in ``template``, of a template or a script; None where it is a name, or not given."""
        return self.template if self.template is not None and _is_path(self.template) else None

    @property
    def own_script(self) -> bool:
        """Whether ``template`` is a script of the user's own, which launches its ranks itself."""
        return is_own_script(self.template)

    @model_validator(mode="before")
    @classmethod
    def _own_script_fits(cls, data: object) -> object:
        """A script of one's own has arguments for a command, and starts its ranks itself."""
        if not isinstance(data, dict) or not is_own_script(data.get("template")):
            return data
        if data.get("launch"):
            raise conflict("launch", "a script of your own starts its ranks itself", "Leave [launch] out.")
        words = data.get("command", ())
        return {**data, "command": _Arguments(words)} if isinstance(words, list | tuple) else data

    @model_validator(mode="after")
    def _container_fits(self) -> Self:
        if self.container is not None and self.own_script:
            raise conflict("container", "a script of your own does not know it", "Leave [container] out.")
        if self.container is not None and self.setup.venv is not None:
            hint = "Install its packages in the image, or name the image's own Python in command."
            raise conflict("setup.venv", "is outside of the container, in which the ranks run", hint)
        return self

    @model_validator(mode="after")
    def _one_array(self) -> Self:
        tables = {"slurm.array": self.slurm.array, "sweep": self.sweep, "chain": self.chain}
        given = [key for key, value in tables.items() if value is not None]
        if len(given) > 1:
            raise conflict(given[0], f"cannot stand beside {given[1]}: both are job arrays", "Keep one of them.")
        if self.own_script and given and given != ["slurm.array"]:
            raise conflict(given[0], "a script of your own does not know it", "Write its tasks as slurm.array.")
        return self

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        of_sweep = self.sweep.env if self.sweep else ()
        for name in of_sweep:
            if name in self.env:
                raise conflict(f"env.{name}", "is a parameter of the sweep, too", "Keep one of them.")
        for name in self.secret_names:
            if name in self.env or name in of_sweep:
                where = "[env]" if name in self.env else "sweep.env"
                raise conflict("secrets.names", f"{name} is in {where}, too", "Keep one of them.")
        return self

    @model_validator(mode="after")
    def _launch_fits(self) -> Self:
        """What can be said without a cluster's defaults; ``launch.options`` says the rest."""
        if not self.own_script and _TERM_TO_SCRIPT.match(self.slurm.signal or ""):
            hint = 'Write "TERM@300", which Slurm sends to the ranks; or "B:USR1@300", which the script passes on.'
            raise conflict("slurm.signal", "TERM to the batch script alone reaches no rank", hint)
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
        if self.own_script:
            del data["launch"]
        return toml.write(data)


def array_of(indices: str | None, sweep: Sweep | None, chain: Chain | None) -> str | None:
    """Return what sbatch is told of a job's tasks: those of a sweep, the links of a chain, or as they were given."""
    if sweep is not None:
        return arrays.text(sweep.chosen, sweep.max_running)
    return indices if chain is None else f"1-{chain.links}%1"


def is_own_script(template: object) -> bool:
    """Tell whether the value of ``template`` is the path of a script of the user's own."""
    return isinstance(template, str) and _is_path(template) and not template.endswith(_J2)


def tasks_per_node(spec: JobSpec, gpus: int) -> int:
    """Return what the launch kind sets ``ntasks_per_node`` to; a script of one's own has what it asks for.

    Args:
        spec: The spec.
        gpus: GPUs per node.
    """
    if spec.own_script:
        return spec.slurm.ntasks_per_node or 1
    return asked(spec, gpus).tasks


def asked(spec: JobSpec, gpus: int) -> Asked:
    """Return what decides on the processes of a node."""
    return Asked(spec.launch.kind, gpus, spec.launch.nproc_per_node, spec.slurm.ntasks_per_node)


def contradiction(spec: JobSpec, gpus: int | None) -> tuple[str, str, str] | None:
    """Return key, text and hint of what contradicts the launch kind in the command or ``[slurm]``, if anything does.

    Args:
        spec: The spec.
        gpus: GPUs per node; None if not known yet.
    """
    kind, slurm = spec.launch.kind, spec.slurm
    if spec.own_script:
        return None
    if (launcher := nested(kind, spec.command)) is not None:
        return "command", *launcher
    if kind in {"srun", "megatron"} and gpus is None and spec.launch.nproc_per_node is None:
        return None
    tasks = tasks_per_node(spec, gpus or 0)
    reason = asked(spec, gpus or 0).reason
    if slurm.ntasks_per_node not in {None, tasks}:
        text = f"{slurm.ntasks_per_node} contradicts launch.kind {kind}, which needs {tasks} ({reason})"
        return "slurm.ntasks_per_node", text, "Leave it out; launch.nproc_per_node sets the ranks per node."
    if slurm.ntasks not in {None, tasks * slurm.nodes}:
        text = f"{slurm.ntasks} contradicts launch.kind {kind}, which needs {tasks * slurm.nodes} ({reason})"
        return "slurm.ntasks", text, "Leave it out; launch.nproc_per_node sets the ranks per node."
    return None
