"""What a single value must be: the check, and the words for it in errors and in the reference pages. Pure."""

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from trainsub.slurm import units
from trainsub.spec import toml

_SHOWN = 60
_INTEGER_LIMIT = 2**63
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class NotExpectedError(ValueError):
    """A value is not what it must be; the text says in full why, for instance without repeating a long value.

    Args:
        text: What is wrong; empty if there is no more to say than what was expected.
        hint: What to write instead.
    """

    def __init__(self, text: str = "", *, hint: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Expect:
    """Pydantic metadata for one value: ``Annotated[int, Expect("an integer ≥ 1", check)]``.

    Attributes:
        words: What is expected; follows "expected".
        check: Returns the value to keep, or raises ValueError.
    """

    words: str
    check: Callable[[Any], Any]

    def __call__(self, value: object) -> Any:  # noqa: ANN401  the annotated type says what it is
        """Return the value to keep.

        Raises:
            NotExpectedError: It is not what is expected; the text is complete.
        """
        try:
            return self.check(value)
        except NotExpectedError as wrong:
            text, hint = wrong.text, wrong.hint
        except ValueError:
            text, hint = "", None
        raise NotExpectedError(text or f"expected {self.words}, got {shown(value)}", hint=hint)

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic call this and nothing else: no conversions but ours."""
        return core_schema.no_info_plain_validator_function(self)


def shown(value: object) -> str:
    """Return a value as a user would write it, short enough for a message."""
    match value:
        case str() | bool() | int() | float():
            text = toml.value_text(value)
            return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        case dt.date() | dt.time():
            return f"{value} without quotes"
        case Mapping():
            return "a table" if value else "an empty table"
        case Sequence():
            return "a list" if value else "an empty list"
        case _:
            return f"a {type(value).__name__}"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise NotExpectedError
    if "\0" in value:
        raise NotExpectedError("must not contain NUL")
    if _SURROGATE.search(value):
        raise NotExpectedError("is not valid Unicode")
    return value


def line(value: object) -> str:
    """Return text that is not empty and has no control characters.

    Raises:
        NotExpectedError: It is something else.
    """
    text = _text(value)
    if not text.strip():
        raise NotExpectedError
    if _CONTROL.search(text):
        raise NotExpectedError(f"must be one line without control characters, got {shown(text)}")
    return text


def matching(words: str, pattern: str, flags: re.RegexFlag = re.NOFLAG) -> Expect:
    """Return the expectation of text that matches a pattern in full."""
    compiled = re.compile(pattern, flags)

    def check(value: object) -> str:
        if compiled.fullmatch(line(value)) is None:
            raise NotExpectedError
        return str(value)

    return Expect(words, check)


def one_of(*choices: str | bool | int) -> Expect:
    """Return the expectation of one of a few values."""
    words = [toml.value_text(choice) for choice in choices]

    def check(value: object) -> object:
        # By type too, because 1 == True.
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise NotExpectedError
        return value

    return Expect(f"{', '.join(words[:-1])} or {words[-1]}", check)


def integer(low: int, high: int = _INTEGER_LIMIT - 1) -> Expect:
    """Return the expectation of an integer within bounds, both included."""

    def check(value: object) -> int:
        if type(value) is int and value > high:
            raise NotExpectedError(f"expected {bounded}, got {shown(value)}")
        if type(value) is not int or value < low:
            raise NotExpectedError
        return value

    bounded = f"an integer from {low} to {high}"
    return Expect(f"an integer ≥ {low}" if high == _INTEGER_LIMIT - 1 else bounded, check)


def listed(words: str, item: Expect, *, least: int = 0) -> Expect:
    """Return the expectation of a list; it is kept as a tuple.

    Args:
        words: What is expected.
        item: What each item must be.
        least: How many items there must be.
    """

    def check(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) < least:
            raise NotExpectedError
        items = []
        for number, one in enumerate(value, start=1):
            try:
                items.append(item(one))
            except NotExpectedError as wrong:
                raise NotExpectedError(f"item {number}: {wrong.text}", hint=wrong.hint) from None
        return tuple(items)

    return Expect(words, check)


def either(words: str, *expectations: Expect) -> Expect:
    """Return the expectation that takes what the first of several takes."""

    def check(value: object) -> object:
        for one in expectations:
            try:
                return one(value)
            except NotExpectedError:
                continue
        raise NotExpectedError

    return Expect(words, check)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise NotExpectedError
    return value


def _number_or_text(value: object) -> str:
    return str(value) if type(value) is int and value >= 0 else line(value)


def _time(value: object) -> str:
    text = _number_or_text(value)
    if units.parse_time(text) == 0:
        raise NotExpectedError('a limit of 0 means none to Slurm; write "UNLIMITED" if that is meant')
    return text


def _memory(value: object) -> str:
    text = _number_or_text(value)
    units.parse_memory(text)
    return text


def _variable(value: object) -> str | int | float:
    if isinstance(value, bool):
        raise NotExpectedError(
            "a variable has no true or false",
            hint=f'Write what the program expects: "{int(value)}" or "{str(value).lower()}".',
        )
    if isinstance(value, int) and not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        raise NotExpectedError("a number beyond 64 bits", hint="Write it as text, in quotes.")
    if isinstance(value, float) and not math.isfinite(value):
        raise NotExpectedError(f"{value} is not a number that every program reads", hint="Write it as text, in quotes.")
    return value if isinstance(value, int | float) else _text(value)


ARGUMENT = Expect("text in quotes", _text)
LINE = Expect("text", line)
FLAG = Expect("true or false", _flag)
COUNT = integer(1)
NATURAL = integer(0)

Text = Annotated[str, LINE]
Flag = Annotated[bool, FLAG]
Count = Annotated[int, COUNT]
Natural = Annotated[int, NATURAL]
Time = Annotated[
    str, Expect('a time: "90" (minutes), "12:00:00" (H:M:S), "2-12:00:00" (D-H:M:S) or "UNLIMITED"', _time)
]
Memory = Annotated[str, Expect('a size: "64G", "1500M", or a number of MiB', _memory)]
Variable = Annotated[str | int | float, Expect("text, an integer or a float", _variable)]
