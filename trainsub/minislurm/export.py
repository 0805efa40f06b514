"""``--export``: which of the submitter's variables a job gets, and what sbatch adds. The values stay bytes."""

import os
import pwd
import socket
from collections.abc import Mapping
from pathlib import Path

from trainsub.minislurm.errors import RefusedError
from trainsub.minislurm.request import Given
from trainsub.minislurm.values import Request

Environment = Mapping[bytes, bytes]

_SLURM = (b"SLURM_", b"SPANK_")
_LOGIN_PATH = b"/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


def environment(mine: Environment, given: Given, request: Request, cwd: str) -> dict[bytes, bytes]:
    """Return a job's variables.

    Args:
        mine: Those of sbatch.
        given: The options.
        request: What the job asks for.
        cwd: Working directory of sbatch.

    Raises:
        RefusedError: ``--export-file`` cannot be read.
    """
    wanted = given.get("export")
    path = given.get("export-file")
    found = _exported(mine, wanted) if path is None else {**_slurms(mine), **_from_file(path)}
    if wanted is not None:
        found[b"SLURM_EXPORT_ENV"] = os.fsencode(wanted)
    found[b"SLURM_SUBMIT_DIR"] = os.fsencode(cwd)
    found[b"SLURM_SUBMIT_HOST"] = os.fsencode(socket.gethostname())
    found[b"SLURM_PRIO_PROCESS"] = b"%d" % os.getpriority(os.PRIO_PROCESS, 0)
    if request.dependency:
        found[b"SLURM_JOB_DEPENDENCY"] = os.fsencode(request.dependency)
    return found


def _exported(mine: Environment, wanted: str | None) -> dict[bytes, bytes]:
    word = "ALL" if wanted is None else wanted.upper()
    if word == "ALL":
        return dict(mine)
    if word == "NIL":
        return _slurms(mine)
    if word == "NONE":
        return {**_login(), **_slurms(mine)}
    found = _slurms(mine)
    for item in _items(wanted or ""):
        name, equals, value = os.fsencode(item).partition(b"=")
        if equals:
            found[name] = value
        elif name == b"ALL":
            found = {**mine, **found}
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
    return {name: value for name, value in mine.items() if name.startswith(_SLURM)}


def _login() -> dict[bytes, bytes]:
    """Return what a login begins with. Nobody's profile is read: it belongs to another kind of machine."""
    me = pwd.getpwuid(os.getuid())
    words = {"HOME": me.pw_dir, "LOGNAME": me.pw_name, "SHELL": me.pw_shell or "/bin/sh", "USER": me.pw_name}
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
