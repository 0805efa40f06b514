"""Where the control sockets of ssh lie: a short path, and a folder that nobody else can enter.

Whoever can connect to a control socket is logged in to the cluster.  So the folder is checked at each use.
"""

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from trainsub.errors import TransportError

_VARIABLE = "TRAINSUB_RUNTIME_DIR"
_USERS = Path("/run/user")
"""Where systemd makes a folder for each user who is logged in."""
NAME_LENGTH = 20
"""Characters of a socket's name."""
_LONGEST = 103
"""A Unix socket's path has 104 bytes on macOS, 108 on Linux, its end included."""
_BINDING = 17
"""ssh binds a name with a dot and 16 more characters, and then moves it in place."""
_PAUSE = 0.05


def control_folder() -> Path:
    """Return the folder of this user's control sockets, made where it was not there.

    It is ``trainsub`` in ``/run/user/UID``, else ``/tmp/trainsub-UID``.  A cron job, ``su`` and a CI runner find the
    one that a terminal made, so ``XDG_RUNTIME_DIR``, which they lack, decides nothing.  Only ``TRAINSUB_RUNTIME_DIR``
    does, which somebody has then set for all of them.

    Raises:
        TransportError: It cannot be made, or is not ours alone.
    """
    uid = os.getuid()
    named = os.environ.get(_VARIABLE)
    if named:
        return _checked(_short_enough(Path(named)) / "trainsub", uid)
    usual = _USERS / str(uid)
    if _is_ours_alone(usual, uid):
        return _checked(usual / "trainsub", uid)
    return _checked(Path(f"/tmp/trainsub-{uid}"), uid)  # noqa: S108 - checked, as tmux does


def _is_ours_alone(base: Path, uid: int) -> bool:
    with contextlib.suppress(OSError):
        found = base.lstat()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and stat.S_IMODE(found.st_mode) == stat.S_IRWXU
    return False


def _short_enough(base: Path) -> Path:
    if not base.is_absolute():
        raise TransportError(f"{_VARIABLE} must be an absolute path, and is {base}")
    if len(os.fsencode(f"{base}/trainsub/")) + NAME_LENGTH + _BINDING > _LONGEST:
        raise TransportError(
            f"{_VARIABLE} is too long for the name of a Unix socket: {base}",
            hint=f"Name a folder of yours with a shorter path, or unset {_VARIABLE}.",
        )
    return base


def _checked(folder: Path, uid: int) -> Path:
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
    except OSError as error:
        raise TransportError(
            f"the folder of ssh's control sockets, {folder}, cannot be made: {error.strerror or error}",
            hint=f"{_VARIABLE} names a folder of yours for it, with a short path.",
        ) from error
    if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
        wrong = "it is a symbolic link" if stat.S_ISLNK(found.st_mode) else "it is no folder"
    elif found.st_uid != uid:
        wrong = f"it belongs to user {found.st_uid}"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        wrong = f"its mode is {stat.S_IMODE(found.st_mode):04o}, so others can enter it"
    else:
        return folder
    raise TransportError(
        f"{folder} is not safe for ssh's control sockets: {wrong}",
        hint=f"Whoever reaches a socket in it is logged in as you. If you know who made it, remove it: rm -r {folder}",
    )


@contextlib.contextmanager
def only_one(path: Path, patience: float) -> Iterator[bool]:
    """Hold a lock while a connection is made, so that several processes make one.

    Args:
        path: The lock's file; it stays.
        patience: Seconds to wait for another holder.

    Yields:
        Whether the lock is held; False if another holder kept it for too long.

    Raises:
        TransportError: There can be no lock in that folder.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise TransportError(
            f"the folder of ssh's control sockets cannot be used: {path}: {error.strerror or error}",
            hint=f"If nothing of yours is in it, remove it: rm -r {path.parent}",
        ) from error
    try:
        deadline = time.monotonic() + patience
        held = _try_lock(descriptor)
        while not held and time.monotonic() < deadline:
            time.sleep(_PAUSE)
            held = _try_lock(descriptor)
        yield held
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
