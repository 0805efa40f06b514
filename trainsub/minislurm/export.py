"""``--export``: which of the submitter's variables a job gets, and what sbatch adds. The values stay bytes."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from trainsub.minislurm import users
from trainsub.minislurm.errors import RefusedError
from trainsub.minislurm.given import Given
from trainsub.minislurm.option_values import Gpus
from trainsub.minislurm.values import Request

Environment = Mapping[bytes, bytes]

_MEMORY = (b"SLURM_MEM_PER_CPU", b"SLURM_MEM_PER_GPU", b"SLURM_MEM_PER_NODE")
_LOGIN_PATH = b"/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


def environment(mine: Environment, given: Given, request: Request, cwd: str, default_memory: int) -> dict[bytes, bytes]:
    """Return a job's variables.

    Args:
        mine: Those of sbatch.
        given: The options.
        request: What the job asks for.
        cwd: Working directory of sbatch.
        default_memory: MiB for each CPU of a job that asks for no memory.

    Raises:
        RefusedError: ``--export-file`` cannot be read.
    """
    wanted = given.get("export")
    path = given.get("export-file")
    found = _exported(mine, wanted) if path is None else _from_file(path)
    for name in _MEMORY:
        found.pop(name, None)
    added = {
        "SLURM_CPUS_PER_GPU": given.get("cpus-per-gpu"),
        "SLURM_EXPORT_ENV": request.export,
        "SLURM_GPUS": given.get("gpus"),
        "SLURM_GPUS_PER_NODE": given.get("gpus-per-node"),
        "SLURM_GPUS_PER_TASK": given.get("gpus-per-task"),
        "SLURM_HINT": given.get("hint"),
        "SLURM_JOB_DEPENDENCY": request.dependency or None,
        "SLURM_OPEN_MODE": given.get("open-mode"),
        "SLURM_PRIO_PROCESS": os.getpriority(os.PRIO_PROCESS, 0),
        "SLURM_SUBMIT_DIR": cwd,
        "SLURM_SUBMIT_HOST": socket.gethostname(),
        "SLURM_THREADS_PER_CORE": 1 if given.get("hint") == "nomultithread" else given.get("threads-per-core"),
        **_memory(given, default_memory),
    }
    return {**found, **{name.encode(): os.fsencode(_text(value)) for name, value in added.items() if value is not None}}


def _text(value: object) -> str:
    """Return an option's value as it was given."""
    return value.text if isinstance(value, Gpus) else str(value)


def _memory(given: Given, default: int) -> dict[str, int]:
    if "mem" in given:
        # All of the memory is told by no number.
        return {"SLURM_MEM_PER_NODE": given["mem"]} if given["mem"] else {}
    if "mem-per-gpu" in given:
        return {"SLURM_MEM_PER_GPU": given["mem-per-gpu"]}
    return {"SLURM_MEM_PER_CPU": given.get("mem-per-cpu", default)}


def _exported(mine: Environment, wanted: str | None) -> dict[bytes, bytes]:
    word = "ALL" if wanted is None else wanted.upper()
    if word == "ALL":
        return dict(mine)
    if word == "NIL":
        return _slurms(mine)
    if word == "NONE":
        return {**_login(), **_slurms(mine)}
    # Slurm logs the user in for these, too.
    found = {**_login(), **_slurms(mine)}
    for item in _items(wanted or ""):
        name, equals, value = os.fsencode(item).partition(b"=")
        if equals:
            found[name] = value
        elif name.upper() == b"ALL":
            found |= mine
        elif name in mine:
            found[name] = mine[name]
    return found


def _items(text: str) -> list[str]:
    """Return what commas separate outside quotes; quotes of both kinds group and vanish."""
    items = [""]
    quote = ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
            items[-1] += "" if not quote else letter
        elif letter in "\"'":
            quote = letter
        elif letter == ",":
            items.append("")
        else:
            items[-1] += letter
    return [item for item in items if item]


def _slurms(mine: Environment) -> dict[bytes, bytes]:
    return {name: value for name, value in mine.items() if name.startswith(b"SLURM_")}


def _login() -> dict[bytes, bytes]:
    """Return what a login begins with. Nobody's profile is read: it belongs to another kind of machine."""
    me = users.name(os.getuid())
    home, shell = users.home_and_shell(os.getuid())
    words = {"HOME": home, "LOGNAME": me, "SHELL": shell, "USER": me}
    return {b"PATH": _LOGIN_PATH, **{os.fsencode(name): os.fsencode(value) for name, value in words.items()}}


def _from_file(path: str) -> dict[bytes, bytes]:
    try:
        # A descriptor, or a file; each variable is ended by NUL.
        data = _descriptor(int(path)) if path.isdecimal() else Path(path).read_bytes()
    except OSError:
        raise RefusedError(f"error: Could not open user environment file {path}") from None
    return dict(entry.split(b"=", 1) for entry in data.split(b"\0") if b"=" in entry)


def _descriptor(number: int) -> bytes:
    with os.fdopen(os.dup(number), "rb") as file:
        return file.read()
