"""Layers in, one checked configuration out, with the origin of each value. Pure."""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from trainsub.config.builtin import BUILT_IN, refuse_other_minislurm
from trainsub.config.layers import Layer
from trainsub.config.model import Config
from trainsub.errors import ConfigError
from trainsub.spec import problems
from trainsub.spec.problems import Location

_PATHS = frozenset({"identity_file", "ssh_config"})
_CLUSTER_KEY = 3  # clusters, a name, a key


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration that holds.

    Attributes:
        config: All values.
        origin: Where each value that is not a default comes from, by its dotted key.
        sbatch: The path of a real sbatch on this machine, which is then a place where Slurm runs things; None if there
            is none.
    """

    config: Config
    origin: dict[str, str]
    sbatch: str | None = None


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A value and its layer."""

    value: Any
    layer: Layer
    source: str


def resolve(layers: Sequence[Layer], *, home: str) -> Settings:
    """Return what the layers say together; a later one wins, value by value.

    Paths of this machine become absolute. A cluster that only the project's file names is left out, because that file
    cannot say how to reach it.

    Args:
        layers: Lowest first.
        home: The user's home directory on this machine; empty if there is none.

    Raises:
        ConfigError: A value is wrong, a key unknown, or a project's file sets what it may not.
    """
    leaves: dict[Location, _Leaf] = {}
    in_files = _cluster_names(layer for layer in layers if not layer.variables)
    named = [_renamed(layer, in_files) if layer.variables else layer for layer in layers]
    reachable = _cluster_names(named)
    for layer in named:
        for location, value in _flat(layer.data, ()):
            leaf = _Leaf(value, layer, _source(layer, location))
            _check_project(location, leaf)
            refuse_other_minislurm(location, value, layer, leaf.source)
            if layer.name == "project" and location[0] == "clusters" and not reachable & set(location[1:2]):
                continue
            _put(leaves, location, _with_absolute_path(location, leaf, home))
    return _validated(leaves)


def _validated(leaves: Mapping[Location, _Leaf]) -> Settings:
    try:
        config = Config.model_validate(_nested(leaves))
    except ValidationError as error:
        raise problems.rejected(problems.find(error, Config), ConfigError, _blame(leaves)) from None
    return Settings(
        config,
        {problems.dotted(location): _origin(leaf) for location, leaf in leaves.items()},
    )


def _origin(leaf: _Leaf) -> str:
    return BUILT_IN if leaf.layer.name == BUILT_IN else f"{leaf.layer.name} ({leaf.source})"


def _cluster_names(layers: Iterable[Layer]) -> set[str]:
    """The clusters that somebody but the project's file names."""
    tables = [layer.data.get("clusters") for layer in layers if layer.name != "project"]
    return {name for table in tables if isinstance(table, Mapping) for name in table}


def _renamed(layer: Layer, known: set[str]) -> Layer:
    """The environment, with clusters named as the files name them."""
    clusters = layer.data.get("clusters", {})
    renamed = {_meant(name, known, layer): table for name, table in clusters.items()}
    return replace(layer, data={**layer.data, "clusters": renamed})


def _meant(name: str, known: set[str], layer: Layer) -> str:
    matches = sorted(one for one in known if _as_variable(one) == name)
    if len(matches) > 1 and name not in matches:
        variable = next(variable for keys, variable in layer.variables.items() if keys[1:2] == (name,))
        raise ConfigError(
            f"{variable}: could mean each of the clusters {', '.join(matches)}",
            hint="Set it in the configuration file.",
        )
    return matches[0] if len(matches) == 1 else name


def _as_variable(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "_", name.lower())


def _flat(data: Mapping[str, Any], path: Location) -> Iterator[tuple[Location, Any]]:
    """Every value that is no table, and every empty table."""
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, (*path, key))
        else:
            yield (*path, key), value


def _source(layer: Layer, location: Location) -> str:
    """The file that a value came from, or the variable, which may have given a whole table."""
    if not layer.variables:
        return layer.origin
    names = tuple(_as_variable(key) if depth == 1 else key for depth, key in enumerate(location))
    return next((name for keys, name in layer.variables.items() if names[: len(keys)] == keys), layer.origin)


def _check_project(location: Location, leaf: _Leaf) -> None:
    """What comes with a clone may not say which machine is talked to, as whom, or what it costs."""
    is_defaults = location[0] == "clusters" and location[2:3] in {(), ("defaults",)}
    if leaf.layer.name != "project" or is_defaults or location == ("default_cluster",):
        return
    raise ConfigError(
        f"{leaf.layer.origin}: {problems.dotted(location)}: a project's configuration may not set this",
        hint="It comes with a clone, so it may only set default_cluster and the defaults of clusters. The rest belongs "
        "into your own configuration; `trainsub config path` shows where.",
    )


def _put(leaves: dict[Location, _Leaf], location: Location, leaf: _Leaf) -> None:
    """Set a value over lower layers: a table and a plain value replace each other, an empty table adds nothing."""
    inside = [one for one in leaves if one != location and one[: len(location)] == location]
    if leaf.value == {} and inside:
        return
    for one in (*inside, *(location[:depth] for depth in range(1, len(location)))):
        leaves.pop(one, None)
    leaves.pop(location, None)
    leaves[location] = leaf


def _with_absolute_path(location: Location, leaf: _Leaf, home: str) -> _Leaf:
    is_path = len(location) == _CLUSTER_KEY and location[2] in _PATHS
    if not is_path or not isinstance(leaf.value, str) or leaf.value.startswith("/"):
        return leaf
    place = f"{leaf.source}: {problems.dotted(location)}"
    if leaf.value.startswith("~/") and not home:
        raise ConfigError(f"{place}: this user has no home directory: {leaf.value}", hint="Write the whole path.")
    if leaf.value.startswith("~/"):
        path = posixpath.join(home, leaf.value[2:])
    elif leaf.value.startswith("~"):
        raise ConfigError(f"{place}: the home directory of somebody else: {leaf.value}", hint="Write the whole path.")
    elif not leaf.layer.base:
        raise ConfigError(
            f"{place}: {leaf.value} is relative, but a variable has no directory",
            hint='Write it whole, or beginning with "~/".',
        )
    else:
        path = posixpath.join(leaf.layer.base, leaf.value)
    return _Leaf(posixpath.normpath(path), leaf.layer, leaf.source)


def _nested(leaves: Mapping[Location, _Leaf]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for location, leaf in leaves.items():
        table = data
        for key in location[:-1]:
            table = table.setdefault(key, {})
        table[location[-1]] = leaf.value
    return data


def _blame(leaves: Mapping[Location, _Leaf]) -> Callable[[Location], str]:
    """Find who gave a value; for one that is missing, the highest layer that said something beside it."""

    def find(location: Location) -> str:
        near = (
            [leaf.source for one, leaf in leaves.items() if one[:depth] == location[:depth]]
            for depth in range(len(location), 0, -1)
        )
        return next(sources for sources in near if sources)[-1]

    return find
