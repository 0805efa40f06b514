"""A script of the user's own: what it asks sbatch for becomes part of the spec, below what the spec says. Pure."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from trainsub.errors import SpecError
from trainsub.slurm import batch_script
from trainsub.slurm.batch_script import Directive, DirectiveError
from trainsub.spec.expect import NotExpectedError
from trainsub.spec.gpus import asks_for_gpus
from trainsub.spec.launch import in_force
from trainsub.spec.problems import expectations
from trainsub.spec.refused import REFUSED
from trainsub.spec.slurm_options import OptionValue, SlurmOptions

FILE = "own.sbatch"
"""Its name in the run's directory, beside the batch script that starts it."""
REPLACED = frozenset({"error", "job_name", "open_mode", "output", "parsable", "quiet", "verbose", "wait"})
"""What trainsub sets itself, and what changes nothing of what the job does: a line with it may stay in the script."""
_DEFAULTS: Mapping[str, OptionValue] = {"nice": 100, "propagate": "ALL"}
"""What sbatch takes where a value may be left out, and is."""


@dataclass(frozen=True, slots=True)
class OwnScript:
    """A batch script that somebody wrote by hand.

    Attributes:
        path: What messages call it.
        text: Its text.
    """

    path: str
    text: str

    @property
    def interpreter(self) -> list[str]:
        """The command that its first line names.

        Raises:
            SpecError: It names none.
        """
        try:
            return batch_script.interpreter(self.text)
        except ValueError as error:
            raise SpecError(f"{self.path}:1: {error}") from error

    @property
    def replaced(self) -> tuple[tuple[int, str], ...]:
        """The lines that count for nothing, because trainsub sets their options, and these options."""
        return _read(self, {})[0].replaced

    def origins(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Return the file and line of each option that a spec has from this script.

        Args:
            given: What ``[slurm]`` says, with what was taken over.
        """
        found = _read(self, {})[0]
        theirs, ours = _flat(found.options), _flat(given)
        lines = {name: line for name, line in found.lines.items() if name in ours and theirs[name] == ours[name]}
        return {name: f"{self.path}:{line}" for name, line in lines.items()}


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What a script asks sbatch for.

    Attributes:
        options: Options as ``[slurm]`` has them.
        lines: The line of each, by its name.
        replaced: The lines that count for nothing here, and their options.
    """

    options: Mapping[str, Any]
    lines: Mapping[str, int]
    replaced: tuple[tuple[int, str], ...]


def _flat(options: Mapping[str, Any]) -> dict[str, Any]:
    return {**options, **options.get("extra", {})}


def problems(script: OwnScript) -> list[tuple[int, str]]:
    """Return what is wrong with a script, by line: above all, what cannot be taken over."""
    return _read(script, {})[1]


def take_over(script: OwnScript, said: Mapping[str, Any]) -> TakenOver:
    """Return what a script asks sbatch for where nothing else is said.

    Args:
        script: The script.
        said: What ``[slurm]`` says: lines with these options count for nothing, and may say what they like.

    Raises:
        SpecError: A line cannot be taken over; all such lines are named.
    """
    found, wrong = _read(script, said)
    if wrong:
        raise SpecError(
            "\n".join(f"{script.path}:{line}: {text}" for line, text in wrong),
            hint="Change these lines, or take them out; what [slurm] in the spec says wins over the script.",
        )
    return found


def under(script: OwnScript, data: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, int]]:
    """Return the data of a spec in which a script's options stand where the spec says nothing, and their lines.

    Args:
        script: The script that the spec names.
        data: The spec, as TOML has it; what is wrong with it is left to whoever checks it.

    Raises:
        SpecError: A line cannot be taken over.
    """
    own = data.get("slurm", {})
    if not isinstance(own, dict) or not isinstance(own.get("extra", {}), dict):
        return dict(data), {}
    found = take_over(script, own)
    extra = {**found.options.get("extra", {}), **own.get("extra", {})}
    options = {name: value for name, value in found.options.items() if name != "extra"}
    merged = {**in_force(options, own), **own, **({"extra": extra} if extra else {})}
    return {**data, "slurm": merged}, found.lines


def _read(script: OwnScript, said: Mapping[str, Any]) -> tuple[TakenOver, list[tuple[int, str]]]:
    wrong = list(_not_a_script(script.text))
    options: dict[str, Any] = {}
    lines: dict[str, int] = {}
    replaced: list[tuple[int, str]] = []
    for one in _directives(script.text, wrong):
        name = one.option.replace("-", "_")
        if name in REPLACED or (name, one.value) == ("export", "ALL"):  # which is sbatch's own default
            replaced.append((one.line, one.option))
            continue
        if name in said or (name == "gpus" and asks_for_gpus(said)):
            continue
        try:
            name, value = _option(name, one.value)
        except NotExpectedError as error:
            wrong.append((one.line, f"--{one.option}: {error.text}"))
            continue
        table = options if name in SlurmOptions.model_fields else options.setdefault("extra", {})
        table[name] = value
        lines[name] = one.line
    return TakenOver(options, lines, tuple(replaced)), sorted(wrong)


def _not_a_script(text: str) -> Iterator[tuple[int, str]]:
    try:
        batch_script.interpreter(text)
    except ValueError as error:
        yield 1, str(error)
    before, ends, _ = text.partition("\r\n")
    if ends:
        yield before.count("\n") + 1, "the line ends as in DOS, which sbatch refuses"
    before, null, _ = text.partition("\0")
    if null:
        yield before.count("\n") + 1, "a NUL character, which sbatch refuses"


def _directives(text: str, wrong: list[tuple[int, str]]) -> list[Directive]:
    found: list[Directive] = []
    for number, line, command in batch_script.directive_lines(text):
        if command:
            wrong.append((number, f"sbatch reads no #SBATCH line after the first command (line {command})"))
            continue
        try:
            found += batch_script.read_line(number, line)
        except DirectiveError as error:
            wrong.append((number, str(error)))
    return found


def _option(name: str, text: str | None) -> tuple[str, OptionValue]:
    """The name and the value as ``[slurm]`` has them.

    Raises:
        NotExpectedError: A spec cannot say this.
    """
    if name == "no_requeue":
        return "requeue", False
    if name in REFUSED:
        raise NotExpectedError(REFUSED[name])
    value: OptionValue = _DEFAULTS.get(name, True) if text is None else text
    field = SlurmOptions.model_fields.get(name)
    if field is None:
        return name, value
    (expected,) = expectations(field)
    if text is not None and text.isascii() and text.isdecimal():
        with suppress(NotExpectedError):
            return name, expected(int(text))
    return name, expected(value)
