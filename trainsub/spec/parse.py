"""TOML and ``--set`` in, a job spec out. Pure."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from trainsub.errors import SpecError, UsageError
from trainsub.spec import problems, toml
from trainsub.spec.model import JobSpec
from trainsub.spec.problems import Location

_KEY = re.compile(r"[A-Za-z0-9_-]+")


def parse_spec(text: bytes | str, *, origin: str = "the spec", sets: Sequence[str] = ()) -> JobSpec:
    """Return the job spec that a TOML document describes.

    Args:
        text: The document.
        origin: What errors call it, usually its path.
        sets: Changes such as ``slurm.nodes=8``, each over the former ones. The value is a TOML value, else text.

    Raises:
        SpecError: The spec is wrong; every wrong key has a line.
        UsageError: A change is no KEY=VALUE.
    """
    data = toml.read(text, origin, SpecError)
    changed = [_change(data, one) for one in sets]
    try:
        return JobSpec.model_validate(data)
    except ValidationError as error:
        raise problems.rejected(problems.find(error, JobSpec), SpecError, _origins(origin, changed)) from None


def _origins(origin: str, changed: Sequence[Location]) -> Callable[[Location], str]:
    def find(location: Location) -> str:
        return "--set" if any(location[: len(one)] == one for one in changed) else origin

    return find


def _change(data: dict[str, Any], change: str) -> Location:
    """Apply one change and return where."""
    key, equals, raw = change.partition("=")
    path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(_KEY.fullmatch(part) for part in path):
        raise UsageError(f"--set {change}: not KEY=VALUE", hint="For instance: --set slurm.nodes=8")
    table = data
    for depth, part in enumerate(path[:-1], start=1):
        below = table.setdefault(part, {})
        if not isinstance(below, dict):
            raise UsageError(
                f"--set {change}: {problems.dotted(path[:depth])} is not a table", hint="Set a key that is in a table."
            )
        table = below
    table[path[-1]] = toml.value(raw.strip())
    return path
