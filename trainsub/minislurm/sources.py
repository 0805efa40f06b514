"""What a submission is made of: the script, the options in it, and those in variables."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainsub.minislurm import options, script
from trainsub.minislurm.errors import BAD_OPTION, RefusedError, failed, not_known
from trainsub.minislurm.given import Words
from trainsub.minislurm.sbatch_options import TABLE, VARIABLES

SCRIPT_BYTES = 4 * 1024 * 1024
"""Slurm's ``max_script_size``."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is to run.

    Attributes:
        body: The script.
        name: What messages call it, and the job if it has no name.
        path: Where it was found; empty if it is no file.
        arguments: Its own.
    """

    body: bytes
    name: str
    path: str = ""
    arguments: tuple[str, ...] = ()


def find_script(parsed: options.Parsed) -> Script:
    """Return what is to run, unchecked.

    Raises:
        RefusedError: It cannot be read.
    """
    command = parsed.last("wrap")
    if command is not None:
        if parsed.operands:
            raise RefusedError("error: Script arguments not permitted with --wrap option")
        return Script(script.wrapped(os.fsencode(command)), "wrap")
    if not parsed.operands or not parsed.operands[0]:
        return Script(sys.stdin.buffer.read(), "sbatch")
    name, *arguments = parsed.operands
    path = _find(name)
    try:
        body = Path(path).read_bytes()
    except IsADirectoryError:
        body = b""
    except FileNotFoundError:
        raise RefusedError(f"error: Unable to open file {name}") from None
    except OSError:
        raise RefusedError(f"error: Unable to open file {path}") from None
    if len(body) > SCRIPT_BYTES:
        raise failed("Pathname of a file, directory or other parameter too long")
    return Script(body, Path(path).name, path, tuple(arguments))


def _find(name: str) -> str:
    """Return the script's path: here, or in a folder of PATH."""
    here = os.path.abspath(name)  # noqa: PTH100 - as sbatch does, without looking through links
    if "/" in name or os.path.exists(here):  # noqa: PTH110
        return here
    places = (f"{folder}/{name}" for folder in os.environ.get("PATH", "").split(":") if folder)
    return next((place for place in places if os.access(place, os.R_OK)), here)


def script_options(given: Script, *, ignore_pbs: bool) -> Words:
    """Return the options in a script's lines.

    Args:
        given: The script.
        ignore_pbs: Lines for other schedulers are left out.

    Raises:
        OptionError: One is unknown.
        RefusedError: A line cannot be read, or has what is not known here.
    """
    words = [os.fsdecode(word) for word in script.words(given.body, given.name)]
    if not ignore_pbs and script.has_other_directives(given.body):
        raise not_known("#PBS and #BSUB lines (--ignore-pbs leaves them out)")
    if {"hetjob", "packjob"} & {word.lower() for word in words}:
        raise not_known("jobs of several components")
    parsed = options.parse(words, TABLE, stop_at_operand=True)
    if parsed.operands:
        raise RefusedError(f"error: Invalid directive found in batch script: {parsed.operands[0]}", code=BAD_OPTION)
    return [pair for pair in parsed.given if pair[0] not in {"help", "ignore-pbs", "usage", "version", "wrap"}]


def variables(environ: Mapping[str, str]) -> Words:
    """Return the options in variables; what a flag's variable holds does not matter."""
    kinds = {option.name: option.argument for option in TABLE}
    return [
        (
            option,
            None if kinds[option] == "no" or (kinds[option] == "optional" and not environ[name]) else environ[name],
        )
        for name, option in VARIABLES.items()
        if name in environ
    ]
