"""What pydantic found wrong, in the words of the user's file: key by key, with the key that was meant. Pure."""

import difflib
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from trainsub.errors import RejectedError
from trainsub.spec import toml
from trainsub.spec.expect import Expect, NotExpectedError, shown
from trainsub.spec.table import AsGiven, Table

Location = tuple[str, ...]

_SIMILAR = 0.65  # "nods" is like "nodes", "sweep" is not like "setup"
_KEY_MARK = "[key]"  # pydantic's own last part of the location of a dictionary's key


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        location: The keys that lead there.
        text: What is wrong.
        hint: What to do.
    """

    location: Location
    text: str
    hint: str | None = None


def find(error: ValidationError, model: type[Table]) -> list[Problem]:
    """Return what is wrong, in pydantic's order, which is that of the model's keys.

    Args:
        error: What validation raised.
        model: The model that was validated.
    """
    return [_problem(dict(one), model) for one in error.errors(include_url=False)]


def rejected(
    problems: Sequence[Problem], kind: type[RejectedError], origin: Callable[[Location], str]
) -> RejectedError:
    """Return the error that tells all problems, one a line.

    Args:
        problems: What is wrong; at least one.
        kind: The error's class.
        origin: Where the value at a location comes from: a file, a variable, an option.
    """
    lines = [": ".join(filter(None, (origin(one.location), dotted(one.location), one.text))) for one in problems]
    hints = list(dict.fromkeys(one.hint for one in problems if one.hint))
    return kind("\n".join(lines), hint="\n".join(hints) or None)


def dotted(location: Location) -> str:
    """Return the keys as one writes them in TOML: ``clusters."a.b".host``."""
    return ".".join(map(toml.key_text, location))


def _problem(error: dict[str, Any], model: type[Table]) -> Problem:
    location = tuple(str(part) for part in error["loc"] if part != _KEY_MARK)
    context = error.get("ctx", {})
    match error["type"], context.get("error"):
        case "extra_forbidden", _:
            return _unknown(location, model)
        case "missing", _:
            words = _words(_field(model, location))
            return Problem(location, f"is required: {words}" if words else "is required")
        case "value_error", NotExpectedError() as wrong:
            return Problem(location, wrong.text, wrong.hint)
        case "conflict", _:
            return Problem((*location, *context["key"].split(".")), context["text"], context["hint"] or None)
        case _:  # model_type and dict_type: all other checks are ours
            return Problem(location, f"expected a table, got {shown(error['input'])}")


def _unknown(location: Location, model: type[Table]) -> Problem:
    *path, key = location
    table = _table(model, path)
    if key in table.refused:
        return Problem(location, table.refused[key])
    plain = key.strip("-").replace("-", "_").lower()
    if plain in table.refused:
        return Problem(location, f"unknown key; {plain}: {table.refused[plain]}")
    meant = plain if plain in table.model_fields else next(iter(_elsewhere(model, plain)), None)
    if meant is None:
        meant = next(iter(difflib.get_close_matches(plain, table.model_fields, n=1, cutoff=_SIMILAR)), None)
    return Problem(location, f"unknown key; did you mean {meant}?" if meant else "unknown key", table.unknown_hint)


def _elsewhere(model: type[Table], key: str) -> list[str]:
    """The places of a key in the tables right below the root."""
    fields = model.model_fields.items()
    return [
        f"{name}.NAME.{key}" if is_dictionary(field) else f"{name}.{key}"
        for name, field in fields
        for table in tables(field)
        if key in table.model_fields
    ]


def tables(field: FieldInfo) -> list[type[Table]]:
    """Return the tables that a field's value can be, also as the values of a dictionary."""
    return [one for one in _parts(field) if isinstance(one, type) and issubclass(one, Table)]


def is_dictionary(field: FieldInfo) -> bool:
    """Tell whether a field's value is a dictionary, whose keys the user chooses."""
    return typing.get_origin(field.annotation) is dict and not field.metadata


def expectations(field: FieldInfo) -> list[Expect]:
    """Return what a field's value must be; a dictionary has one expectation for keys and one for values."""
    return [one for one in _parts(field) if isinstance(one, Expect)]


def _parts(field: FieldInfo) -> Iterator[object]:
    for one in field.metadata:
        yield one.table if isinstance(one, AsGiven) else one
    yield from _arguments(field.annotation)


def _arguments(annotation: object) -> Iterator[object]:
    yield annotation
    for one in typing.get_args(annotation):
        yield from _arguments(one)


def _table(model: type[Table], path: Sequence[str]) -> type[Table]:
    """The table at a path; names in a dictionary of tables lead to the dictionary's values."""
    keys = iter(path)
    for key in keys:
        field = model.model_fields[key]
        model = tables(field)[0]
        if is_dictionary(field):
            next(keys)
    return model


def _field(model: type[Table], location: Location) -> FieldInfo:
    return _table(model, location[:-1]).model_fields[location[-1]]


def _words(field: FieldInfo) -> str:
    return ", ".join(one.words for one in expectations(field))
