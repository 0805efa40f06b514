"""TOML and ``--set`` in, a job spec out. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from trainsub.errors import SpecError, UsageError
from trainsub.spec import problems, toml
from trainsub.spec.model import JobSpec, is_own_script
from trainsub.spec.own import OwnScript, under
from trainsub.spec.problems import Location

_KEY = re.compile(r"[A-Za-z0-9_-]+")


def parse_spec(
    text: bytes | str, *, origin: str = "the spec", sets: Sequence[str] = (), own: OwnScript | None = None
) -> JobSpec:
    """Return the job spec that a TOML document describes.

    Args:
        text: The document.
        origin: What errors call it, usually its path.
        sets: Changes such as ``slurm.nodes=8``, each over the former ones. The value is a TOML value, else text.
        own: The script at the path that ``own_script`` returns: what it asks for counts where the spec says nothing.

    Raises:
        SpecError: The spec is wrong, or the script; every wrong key, or line, has a line.
        UsageError: A change is no KEY=VALUE.
    """
    data, changed = _read(text, origin, sets)
    lines: Mapping[str, int] = {}
    if own is not None:
        data, lines = under(own, data)
    try:
        return JobSpec.model_validate(data)
    except ValidationError as error:
        scripts: dict[Location, str] = {}
        if own is not None:
            scripts = {("slurm", name): f"{own.path}:{line}" for name, line in lines.items()}
        raise problems.rejected(problems.find(error, JobSpec), SpecError, _origins(origin, changed, scripts)) from None


def own_script(text: bytes | str, *, origin: str = "the spec", sets: Sequence[str] = ()) -> str | None:
    """Return the path of the user's own script that a spec names; None where it names none.

    Args:
        text: The document.
        origin: What errors call it.
        sets: Changes, as for ``parse_spec``.

    Raises:
        SpecError: The document is no TOML.
        UsageError: A change is no KEY=VALUE.
    """
    template = _read(text, origin, sets)[0].get("template")
    return str(template) if is_own_script(template) else None


def adopt(spec: JobSpec, own: OwnScript) -> JobSpec:
    """Return a spec with what its own script asks for where it says nothing itself.

    Args:
        spec: The spec.
        own: The script that it names.

    Raises:
        SpecError: The script is wrong, or does not fit the spec.
    """
    data = spec.model_dump(exclude_unset=True, exclude_none=True)
    if spec.code is None:
        data["code"] = False
    try:
        return JobSpec.model_validate(under(own, data)[0])
    except ValidationError as error:
        raise problems.rejected(problems.find(error, JobSpec), SpecError, lambda _: own.path) from None


def _read(text: bytes | str, origin: str, sets: Sequence[str]) -> tuple[dict[str, Any], list[Location]]:
    data = toml.read(text, origin, SpecError)
    return data, [_change(data, one) for one in sets]


def _origins(origin: str, changed: Sequence[Location], scripts: Mapping[Location, str]) -> Callable[[Location], str]:
    def find(location: Location) -> str:
        if location in scripts:
            return scripts[location]
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
