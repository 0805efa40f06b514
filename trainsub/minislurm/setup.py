"""``setup``: makes or renews the home of the cluster. The queue stays as it is.

Each file is written beside its place and renamed, so that this may run at any time, also twice at once.
"""

import os
import re
import shutil
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from trainsub.minislurm import conf
from trainsub.minislurm.files import remove_drafts, replace_file
from trainsub.minislurm.options import Option, OptionError, Parsed, parse

COMMANDS = ("sacct", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun")
MISSING_ON_MACOS = ("sha256sum", "timeout")
"""Programs that trainsub's own programs on a cluster call."""

NODES = 4
GPUS_PER_NODE = 8
GPU_TYPE = "h100"
"""Of pretended GPUs; of the machine's own it is not known."""
CPUS_PER_NODE = 128
MEMORY = 1024 * 1024
"""MiB that a node claims to have: as with GPUs and CPUs, what a job asks for elsewhere should be found here."""

_OPTIONS = (Option("nodes"), Option("cpus-per-node"), Option("gpus-per-node"), Option("memory"), Option("set"))
_LAST_NODE = 254
_PARTITIONS = (
    conf.Partition("gpu", default=True, max_time=7 * conf.DAY, default_time=3600),
    conf.Partition("debug", max_time=600, default_time=300, max_nodes=2),
)


class SetupError(Exception):
    """The home cannot be made; the message says why and what to do."""


def main(home: Path, words: Sequence[str]) -> int:
    """Make or renew a home.

    Returns:
        The exit code.
    """
    # Nobody else is to read what jobs were asked to do.
    before = os.umask(0o077)
    try:
        parsed = parse(words, _OPTIONS)
        made = _conf(parsed)
        _make(home, _toml(made, {"gpu_type": made.gpu_type, **_settings(parsed)}))
    except (SetupError, OptionError) as error:
        sys.stderr.write(f"setup: error: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"setup: error: {home} cannot be made: {error}; the state directory must be writable\n")
        return 1
    else:
        return 0
    finally:
        os.umask(before)


def wrapper(home: Path, command: str) -> str:
    """Return the text of a command in ``bin``: it runs this Python and this trainsub."""
    program = (sys.executable, "-I", str(Path(__file__).resolve().with_name("__main__.py")), str(home), command)
    return f'#!/bin/sh\nexec {" ".join(map(_quote, program))} "$@"\n'


def _quote(word: str) -> str:
    return word if re.fullmatch(r"-?[A-Za-z]+|sha256sum", word) else "'" + word.replace("'", "'\\''") + "'"


def _make(home: Path, text: str) -> None:
    if not home.is_absolute():
        raise SetupError(f"{home}: the home must be an absolute path")
    if ":" in str(home) or "\n" in str(home):
        # PATH separates its folders by colons, and some of Slurm's file name patterns are read by lines.
        raise SetupError(
            f"{str(home)!r}: no colon and no line break may be in the path; choose another state directory"
        )
    home.mkdir(parents=True, exist_ok=True)
    if home.stat().st_uid != os.geteuid():
        raise SetupError(f"{home} belongs to somebody else; choose another state directory")
    home.chmod(0o700)
    remove_drafts(home)
    for folder in ("bin", "jobs", "trainsub"):
        (home / folder).mkdir(exist_ok=True)
    remove_drafts(home / "bin")
    replace_file(home / conf.FILE, text.encode(), 0o600)
    for command in COMMANDS:
        replace_file(home / "bin" / command, os.fsencode(wrapper(home, command)), 0o700)
    for command in MISSING_ON_MACOS:
        path = home / "bin" / command
        if shutil.which(command) is None:
            replace_file(path, os.fsencode(wrapper(home, command)), 0o700)
        else:
            path.unlink(missing_ok=True)


def _conf(parsed: Parsed) -> conf.Conf:
    if parsed.operands:
        raise SetupError(f"takes no arguments, got {' '.join(parsed.operands)}")
    count = _number(parsed, "nodes", NODES, 1, _LAST_NODE)
    cpus = _number(parsed, "cpus-per-node", max(CPUS_PER_NODE, os.cpu_count() or 1), 1, 65535)
    memory = _number(parsed, "memory", MEMORY, 1, 2**40)
    names = [f"127.0.0.{number}" for number in range(1, count + 1)]
    given = parsed.last("gpus-per-node")
    real = _real_gpus() if given is None else []
    per_node = _number(parsed, "gpus-per-node", GPUS_PER_NODE, 0, 1024)
    share = -(-len(real) // count)
    nodes = [
        conf.Node(
            name,
            cpus=cpus,
            memory=memory,
            gpus=tuple(real[index * share : (index + 1) * share] if real else range(per_node)),
            first=_can_listen(name),
        )
        for index, name in enumerate(names)
    ]
    return conf.Conf(nodes=tuple(nodes), partitions=_PARTITIONS, gpu_type="" if real else GPU_TYPE)


def _number(parsed: Parsed, name: str, default: int, least: int, most: int) -> int:
    text = parsed.last(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,15}", text) or not least <= int(text) <= most:
        raise SetupError(f"--{name} is a number from {least} to {most}, got {text}")
    return int(text)


def _real_gpus() -> list[int]:
    """Return the numbers of the machine's own GPUs."""
    found = (re.fullmatch(r"nvidia([0-9]+)", path.name) for path in Path("/dev").glob("nvidia[0-9]*"))
    return sorted(int(match.group(1)) for match in found if match)


def _can_listen(address: str) -> bool:
    """Whether a job's first rank can listen there: macOS has but one address in the loopback network."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _settings(parsed: Parsed) -> dict[str, int | float | str]:
    kinds = {one.name: one.default for one in fields(conf.Conf) if one.name not in {"nodes", "partitions"}}
    settings: dict[str, int | float | str] = {}
    for name, text in parsed.given:
        if name != "set" or text is None:
            continue
        key, _, value = text.partition("=")
        if key not in kinds:
            raise SetupError(f"--set {text}: not a key of {conf.FILE}; the keys are {', '.join(sorted(kinds))}")
        try:
            settings[key] = value if isinstance(kinds[key], str) else _plain(value)
        except ValueError:
            raise SetupError(f"--set {text}: the value must be a number") from None
    return settings


def _plain(text: str) -> int | float:
    return int(text) if re.fullmatch(r"[0-9]+", text) else float(text)


def _toml(made: conf.Conf, settings: Mapping[str, int | float | str]) -> str:
    lines = [f"{key} = {_value(value)}" for key, value in settings.items()]
    for kind, tables in (("nodes", made.nodes), ("partitions", made.partitions)):
        lines += [line for one in tables for line in ("", f"[[{kind}]]", *_table(one))]
    return "# Written by minislurm's setup; what is changed here is lost at the next one.\n" + "\n".join(lines) + "\n"


def _table(one: conf.Node | conf.Partition) -> Iterable[str]:
    values = ((field.name, getattr(one, field.name)) for field in fields(one))
    return [f"{name} = {_value(value)}" for name, value in values if value is not None]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, str):
        import json  # noqa: PLC0415 - JSON's strings are TOML's, but for DEL, which no name has

        return json.dumps(value)
    return str(value)
