"""Command lines as getopt_long reads them, which Slurm's commands use. Pure.

Long options may be cut short while they stay unique, ``--a=b`` and ``--a b`` mean the same, and short ones may share a
dash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Argument = Literal["no", "required", "optional"]


class OptionError(Exception):
    """An option is unknown or lacks its value; the message is what the command prints after its name."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        name: Its long name.
        short: Its letter, or nothing.
        argument: Whether a value belongs to it.
    """

    name: str
    short: str = ""
    argument: Argument = "required"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A command line.

    Attributes:
        given: Long names and values, in order; None for options without one.
        operands: What is no option.
    """

    given: tuple[tuple[str, str | None], ...]
    operands: tuple[str, ...]

    def last(self, name: str) -> str | None:
        """Return the value that counts; None where the option was not given, or has none."""
        return next((value for key, value in reversed(self.given) if key == name), None)

    def has(self, name: str) -> bool:
        """Whether the option was given."""
        return any(key == name for key, _ in self.given)


def parse(words: Sequence[str], table: Iterable[Option], *, stop_at_operand: bool = False) -> Parsed:
    """Return what a command line says.

    Args:
        words: Without the command's name.
        table: The options that the command knows.
        stop_at_operand: The first operand ends the options, as for sbatch and srun.

    Raises:
        OptionError: An option is unknown, ambiguous, or lacks its value.
    """
    options = tuple(table)
    given: list[tuple[str, str | None]] = []
    operands: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            operands += rest
            break
        if word.startswith("--"):
            given.append(_long(word[2:], rest, options))
        elif word.startswith("-") and word != "-":
            given += _short(word[1:], rest, options)
        elif stop_at_operand:
            operands += [word, *rest]
            break
        else:
            operands.append(word)
    return Parsed(tuple(given), tuple(operands))


def _long(text: str, rest: list[str], options: Sequence[Option]) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    fitting = [one for one in options if one.name == name] or [one for one in options if one.name.startswith(name)]
    if not fitting:
        raise OptionError(f"unrecognized option '--{text}'")
    if len(fitting) > 1:
        choices = " ".join(f"'--{one.name}'" for one in fitting)
        raise OptionError(f"option '--{text}' is ambiguous; possibilities: {choices}")
    (option,) = fitting
    if option.argument == "no":
        if equals:
            raise OptionError(f"option '--{option.name}' doesn't allow an argument")
        return option.name, None
    if equals:
        return option.name, value
    if option.argument == "optional":
        return option.name, None
    if not rest:
        raise OptionError(f"option '--{option.name}' requires an argument")
    return option.name, rest.pop(0)


def _short(letters: str, rest: list[str], options: Sequence[Option]) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    while letters:
        letter, letters = letters[0], letters[1:]
        option = next((one for one in options if one.short == letter), None)
        if option is None:
            raise OptionError(f"invalid option -- '{letter}'")
        if option.argument == "no":
            found.append((option.name, None))
            continue
        if letters or option.argument == "optional":
            found.append((option.name, letters or None))
            break
        if not rest:
            raise OptionError(f"option requires an argument -- '{letter}'")
        found.append((option.name, rest.pop(0)))
        break
    return found
