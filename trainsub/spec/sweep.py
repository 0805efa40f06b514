"""``[sweep]``: the points of a sweep, and what each of them adds to the command. Pure."""

import itertools
import json
import math
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from trainsub.slurm import arrays
from trainsub.spec.expect import ARGUMENT, Count, Expect, NotExpectedError, line, listed, shown
from trainsub.spec.names import VARIABLE_NAME
from trainsub.spec.table import Table, conflict

Value = str | int | float | bool
Point = dict[str, Value]

LARGEST = 10_000
"""The most points of one sweep; a matrix with a digit too many is an error before it is a list."""

FILE = "sweep.points"
"""The name of the parameters' file in the run's directory."""

FOLDER = "points"
"""Where, in the run's directory, each task writes its point as JSON."""

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_PLACE = re.compile(r"\{([A-Za-z_]+)\}")
_PLACES = ("key", "value", "file")
_SIXTY_FOUR_BITS = 2**63


def _value(value: object) -> Value:
    match value:
        case bool():
            return value
        case int() if not -_SIXTY_FOUR_BITS <= value < _SIXTY_FOUR_BITS:
            raise NotExpectedError("a number beyond 64 bits", hint="Write it as text, in quotes.")
        case float() if not math.isfinite(value):
            raise NotExpectedError(f"{value} is not a number that JSON has", hint="Write it as text, in quotes.")
        case int() | float():
            return value
        case str():
            return str(ARGUMENT(value))
        case _:
            raise NotExpectedError


_VALUE = Expect("text, a number, true or false", _value)
_VALUES = listed("a list of values", _VALUE, least=1)


def _key(key: str) -> str:
    if _KEY.fullmatch(key) is None:
        raise NotExpectedError(
            f"{shown(key)} is not the name of a parameter: letters, digits and . _ -, a letter or _ first"
        )
    return key


def _matrix(value: object) -> dict[str, tuple[Value, ...]]:
    if not isinstance(value, Mapping) or not value:
        raise NotExpectedError
    found: dict[str, tuple[Value, ...]] = {}
    for key, values in value.items():
        if isinstance(values, Mapping):
            raise NotExpectedError(f"{key} is a table", hint=f'A name with a dot needs quotes: "{key}.…" = […]')
        found[_key(key)] = tuple(_at(key, _VALUES, values))
        if twice := _twice(found[key]):
            raise NotExpectedError(f"{key}: {shown(twice[0])} is there twice")
    if (count := math.prod(map(len, found.values()))) > LARGEST:
        raise NotExpectedError(f"{count} combinations, and a sweep has at most {LARGEST} points")
    return found


def _points(value: object) -> tuple[Point, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise NotExpectedError
    if len(value) > LARGEST:
        raise NotExpectedError(f"{len(value)} points, and a sweep has at most {LARGEST}")
    found = tuple(_point(number, one) for number, one in enumerate(value, start=1))
    if twice := _twice(frozenset((key, type(one), one) for key, one in point.items()) for point in found):
        first = ", ".join(f"{key} = {shown(one)}" for key, _, one in sorted(twice[0], key=str))
        raise NotExpectedError(f"the point with {first} is there twice")
    return found


def _point(number: int, value: object) -> Point:
    if not isinstance(value, Mapping) or not value:
        raise NotExpectedError(f"item {number}: expected a table of parameters, got {shown(value)}")
    return {_key(key): _at(f"item {number}: {key}", _VALUE, one) for key, one in value.items()}


def _at(place: str, check: Expect, value: object) -> Any:  # noqa: ANN401  what the check returns
    try:
        return check(value)
    except NotExpectedError as wrong:
        raise NotExpectedError(f"{place}: {wrong.text}", hint=wrong.hint) from None


def _twice(values: Iterable[Hashable]) -> list[Any]:
    """Those that are there again, told apart by type too: 1, 1.0 and true are three."""
    seen: set[tuple[type, Hashable]] = set()
    again = []
    for one in values:
        again += [one] if (type(one), one) in seen else []
        seen.add((type(one), one))
    return again


def _template(value: object) -> str:
    text = str(ARGUMENT(value))
    for name in _PLACE.findall(text):
        if name not in _PLACES:
            raise NotExpectedError(f"{{{name}}} stands for nothing; there are {{key}}, {{value}} and {{file}}")
    return text


def _indices(value: object) -> str:
    text = line(value)
    try:
        at_once = arrays.parse(text).at_once
    except ValueError as error:
        raise NotExpectedError(f"no indices: {error}") from error
    if at_once is not None:
        raise NotExpectedError("a limit after % is max_running's to say")
    return text


class Sweep(Table):
    """One training for each point, as the tasks of one job array."""

    matrix: Annotated[dict[str, tuple[Value, ...]], Expect("a table of lists of values", _matrix)] | None = Field(
        None,
        description="Parameters and their values: `{ lr = [1e-4, 3e-4], seed = [1, 2] }` are four points. All "
        "combinations, in the order written; the last parameter changes fastest.",
    )
    points: Annotated[tuple[Point, ...], Expect("a list of tables of values", _points)] | None = Field(
        None, description="The points themselves, instead of a matrix: `[{ lr = 1e-4, seed = 1 }, { lr = 3e-4 }]`."
    )
    max_running: Count | None = Field(None, description="How many points may run at a time. Default: any number.")
    append_args: Annotated[tuple[str, ...], listed("a list of text", Expect("text", _template))] = Field(
        ("--{key}={value}",),
        description="What follows `command`, once for each parameter; `[]`: nothing. `{file}` is the path of a JSON "
        'file with the whole point; without `{key}` and `{value}` the list is taken once: `["--config", "{file}"]`.',
    )
    indices: Annotated[str, Expect('indices such as "3,7,9" or "0-9"', _indices)] | None = Field(
        None, description="Only the points with these numbers, from 0; `trainsub retry` gives those that failed."
    )
    env: Annotated[tuple[str, ...], listed("a list of variables' names", VARIABLE_NAME)] = Field(
        (), description="Parameters that reach the training as variables of their names, and not by `append_args`."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.matrix is None and self.points is None:
            raise conflict("matrix", "is required, or points", "For instance: matrix = { lr = [1e-4, 3e-4] }")
        if self.matrix is not None and self.points is not None:
            raise conflict("points", "cannot stand beside matrix", "Keep one of them.")
        last = len(self.all_points) - 1
        if any(index > last for index in self.chosen):
            raise conflict("indices", f"{self.indices} goes beyond the last point, which is {last}")
        known = set(self.matrix or {}).union(*(self.points or ()))
        for name in self.env:
            if name not in known:
                raise conflict("env", f"{name} is no parameter of the sweep", f"There are: {', '.join(sorted(known))}.")
        return self

    @property
    def all_points(self) -> tuple[Point, ...]:
        """The points in their order; the index of a task of the array is a place in it, from 0."""
        if self.points is not None:
            return self.points
        matrix = self.matrix or {}
        return tuple(dict(zip(matrix, values, strict=True)) for values in itertools.product(*matrix.values()))

    @property
    def chosen(self) -> tuple[int, ...]:
        """The indices of the points that are trained."""
        return tuple(range(len(self.all_points))) if self.indices is None else arrays.parse(self.indices).indices

    def arguments(self, index: int, point: Mapping[str, Value], run_dir: str) -> list[str]:
        """Return the words that follow the command for one point.

        Args:
            index: The point's number.
            point: The point.
            run_dir: The run's directory on the cluster, where the point's file is.
        """
        return [f"{run_dir}/{FOLDER}/{index}.json".join(pieces) for pieces in self._words(point)]

    def _words(self, point: Mapping[str, Value]) -> list[list[str]]:
        """The words, each in the pieces between which the path of the point's file stands."""
        given = [{"key": key, "value": _as_text(value)} for key, value in point.items() if key not in self.env]
        if not any({"key", "value"} & set(_PLACE.findall(one)) for one in self.append_args):
            given = [{}]
        return [[_filled(piece, one) for piece in word.split("{file}")] for one in given for word in self.append_args]

    def parameters(self) -> bytes:
        """Return the file from which each task takes its point.

        For each index, in order: the point as JSON, variables as ``NAME=value``, the names of those that it lacks, and
        words that follow the command. The path of the point's file in a word is the task's to write: what stands before
        it is an entry of its own. Each entry is the index, the kind and the text, each ended by a NUL, so that a shell
        can read it as data.
        """
        return "".join(f"{part}\0" for entry in self._entries() for part in entry).encode()

    def _entries(self) -> Iterator[tuple[int, str, str]]:
        for index, point in enumerate(self.all_points):
            yield index, "point", json.dumps(point)
            for name in self.env:
                if name in point:
                    yield index, "variable", f"{name}={_as_text(point[name])}"
                else:
                    yield index, "unset", name
            for *pieces, last in self._words(point):
                yield from ((index, "file", piece) for piece in pieces)
                yield index, "argument", last


def _filled(template: str, places: Mapping[str, str]) -> str:
    """The template with its places filled, once: what a value holds stays as it is."""
    return _PLACE.sub(lambda match: places[match[1]], template)


def _as_text(value: Value) -> str:
    """A value as a word: text as it is, anything else as JSON has it."""
    return value if isinstance(value, str) else json.dumps(value)
