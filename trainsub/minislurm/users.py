"""Users by their number. In a container it may be one that nobody gave a name to."""

import os
import pwd


def name(uid: int) -> str:
    """Return a user's name, or the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group(uid: int) -> int:
    """Return the number of a user's group."""
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return os.getgid()


def home_and_shell(uid: int) -> tuple[str, str]:
    """Return what a login of the user begins with."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return "/", "/bin/sh"
    return entry.pw_dir, entry.pw_shell or "/bin/sh"
