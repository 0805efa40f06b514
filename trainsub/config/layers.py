"""One layer of configuration: a file, the environment, or the command line. Pure: is given text, reads no file."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trainsub.errors import ConfigError
from trainsub.spec import toml

PREFIX = "TRAINSUB_"

# They move files, are set inside of jobs, or belong to the container scripts and the tests.
_NO_SETTINGS = frozenset(
    {"CONFIG", "STATE_DIR", "CACHE_DIR", "RUNTIME_DIR", "RUN", "LINK", "RUN_DIR", "POINT", "CHAIN_LINK"}
    | {"DOCKERD_LOG", "PULL_TIMEOUT"}
)
_NO_SETTINGS_PREFIX = "TEST_"

_DEFAULT_CLUSTER = ["default_cluster"]
_CLUSTER_PARTS = 3  # clusters, a name, a key
_MINISLURM_PARTS = 2  # minislurm, a key
_HINT = (
    "Settings are TRAINSUB_DEFAULT_CLUSTER, TRAINSUB_CLUSTERS__NAME__KEY, for instance TRAINSUB_CLUSTERS__HPC__HOST, "
    "and TRAINSUB_MINISLURM__KEY."
)


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings from one place.

    Attributes:
        name: "built in", "site", "sandbox", "user", "project", "environment" or "flags".
        origin: The file, or what else people would look for.
        data: The settings, nested as in the file.
        base: The directory that relative paths are relative to; empty if there is none.
        variables: The variable behind each setting of the environment, by its keys.
    """

    name: str
    origin: str
    data: dict[str, Any]
    base: str
    variables: Mapping[tuple[str, ...], str] = field(default_factory=dict)


def parse_toml(text: bytes | str, origin: str) -> dict[str, Any]:
    """Return the data of a configuration file.

    Args:
        text: The file's content.
        origin: Its path, for errors.

    Raises:
        ConfigError: It is not UTF-8, or not TOML.
    """
    return toml.read(text, origin, ConfigError)


def env_layer(environ: Mapping[str, str]) -> Layer:
    """Return the settings in the environment: ``TRAINSUB_CLUSTERS__HPC__HOST=login1``.

    A value is a TOML value, else text; numbers with a fraction stay text, because they are money. An empty variable
    counts as not set. ``resolve`` finds the cluster that a name in capital letters means.

    Args:
        environ: The environment.

    Raises:
        ConfigError: A variable begins like ours and is no setting.
    """
    data: dict[str, Any] = {}
    variables: dict[tuple[str, ...], str] = {}
    for variable in sorted(environ):
        setting = variable.removeprefix(PREFIX)
        raw = environ[variable]
        if setting == variable or setting in _NO_SETTINGS or setting.startswith(_NO_SETTINGS_PREFIX) or not raw:
            continue
        path = setting.lower().split("__")
        value = toml.value(raw, parse_float=str)
        if path == _DEFAULT_CLUSTER:
            value = value if isinstance(value, str) else raw
        elif not _is_setting(path):
            raise _unknown(variable)
        _put(data, path, value, variable)
        variables[tuple(path)] = variable
    return Layer(name="environment", origin="environment", data=data, base="", variables=variables)


def _is_setting(path: list[str]) -> bool:
    """Whether the keys can lead to a value; which keys there are, the model knows."""
    if path[0] == "minislurm":
        return len(path) == _MINISLURM_PARTS and all(path)
    return path[0] == "clusters" and len(path) >= _CLUSTER_PARTS and all(path)


def _put(data: dict[str, Any], path: list[str], value: object, variable: str) -> None:
    table = data
    for part in path[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{variable}: another variable says that {part} is no table", hint="Unset one of them.")
    table[path[-1]] = value


def _unknown(variable: str) -> ConfigError:
    first = variable.removeprefix(PREFIX).partition("__")[0]
    meant = difflib.get_close_matches(
        first, ["DEFAULT_CLUSTER", "CLUSTERS", "MINISLURM", *sorted(_NO_SETTINGS)], n=1, cutoff=0.7
    )
    suggestion = f"; did you mean {PREFIX}{meant[0]}?" if meant and meant[0] != first else ""
    return ConfigError(f"{variable}: no setting of trainsub{suggestion}", hint=_HINT)
