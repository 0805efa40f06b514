"""Who runs this program, where the system may not know: a container started for a number has no name and no home."""

import contextlib
import os
import pwd
from pathlib import Path

NOWHERE = Path("/nonexistent")
"""The home of those who have none, as Debian has it."""
_NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")


def entry() -> pwd.struct_passwd | None:
    """What the system knows of this user; None if it knows nothing."""
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(os.getuid())
    return None


def home() -> Path | None:
    """The home directory, which need not be there; None if this user has none."""
    known = entry()
    for text in (os.environ.get("HOME", ""), known.pw_dir if known else ""):
        if text.startswith("/"):
            return Path(text)
    return None


def user() -> str:
    """The user's name; the number if there is none."""
    known = entry()
    named = next((os.environ[name] for name in _NAMES if os.environ.get(name)), "")
    return named or (known.pw_name if known else str(os.getuid()))


def folder() -> Path:
    """Where a program is started: at home, or at the root where that cannot be entered, as sshd does."""
    there = home()
    return there if there is not None and there.is_dir() and os.access(there, os.X_OK) else Path("/")
