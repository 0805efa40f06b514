"""The master: one ssh in the background that holds the connection to a cluster, for every command of this user.

It is looked for before it is made, a lock sees that several processes make one, and what a dead one left is removed.
It has a session of its own, so Ctrl-C at a terminal does not reach it, and holds none of our streams.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainsub.errors import AuthError, TransportError
from trainsub.transport.control_folder import control_folder, only_one
from trainsub.transport.mux import Mux, MuxLostError, MuxRefusedError
from trainsub.transport.way import Way

IDLE = 600
"""Seconds without a command after which a connection ends that was made without a question."""
IDLE_AFTER_LOGIN = 8 * 3600
"""The same for one that a person logged in for: a working day."""
PATIENCE = 5.0
"""Seconds for an answer of a master itself; it takes less than a millisecond."""


@dataclass(frozen=True, slots=True)
class Master:
    """A master that answered.

    Attributes:
        path: Its control socket.
        mux: A conversation with it, which goes on when the socket has gone to another.
        pid: Its process id.
        made: Whether this call made it.
        idle: Seconds without a command after which it ends; None if that is not known.
    """

    path: Path
    mux: Mux
    pid: int
    made: bool
    idle: int | None


class Masters:
    """Finds and makes the master of one cluster.

    Args:
        name: The cluster's name, for messages.
        way: The way there.
        timeout: Seconds for each step of connecting.
    """

    def __init__(self, name: str, way: Way, timeout: float) -> None:
        self._name = name
        self._way = way
        self._timeout = timeout

    @property
    def _where(self) -> str:
        return f"{self._name} ({self._way.who})"

    def reach(self) -> Master:
        """Return the master that is there, or make one without asking anybody anything.

        Raises:
            TransportError: There is none, and none can be made so.
        """
        path = self._path()
        found = _knock(path)
        if found is not None:
            return found
        with self._alone(path):
            return _knock(path) or self._make(path, IDLE, terminal=False)

    def replace(self, dead: Master) -> Master:
        """Return another master than one that does not answer any more; its sessions are left alone.

        Raises:
            TransportError: None can be made.
        """
        path = self._path()
        with self._alone(path):
            found = _knock(path)
            if found is not None and found.pid != dead.pid:
                return found
            _set_aside(path, found)
            return self._make(path, IDLE, terminal=False)

    def log_in(self, *, terminal: bool) -> Master:
        """Return a master that stays for long, after asking a person what there is to ask.

        Args:
            terminal: Whether there is a person at a terminal.

        Raises:
            TransportError: The login failed.
        """
        path = self._path()
        with self._alone(path):
            found = _knock(path)
            if found is not None:
                if (found.idle or 0) >= IDLE_AFTER_LOGIN:
                    return found
                _set_aside(path, found)
            return self._make(path, IDLE_AFTER_LOGIN, terminal=terminal)

    def log_out(self) -> bool:
        """End the master, and every session with it; False if there was none.

        Raises:
            TransportError: The folder is not safe, or somebody is just connecting.
        """
        path = self._path()
        with self._alone(path):
            found = _knock(path)
            if found is not None:
                with contextlib.suppress(MuxLostError):
                    found.mux.terminate()
                found.mux.close()
            path.unlink(missing_ok=True)
            return found is not None

    def _path(self) -> Path:
        return control_folder() / self._way.socket_name

    @contextlib.contextmanager
    def _alone(self, path: Path) -> Iterator[None]:
        with only_one(_note(path), self._bound) as held:
            if not held:
                raise AuthError(
                    f"another trainsub is connecting to {self._where}, or waits for somebody to log in",
                    hint="try again when that has ended",
                )
            yield

    @property
    def _bound(self) -> float:
        """Seconds for all steps of connecting: TCP, handshake and authentication, at each machine on the way."""
        return 3 * self._timeout * self._way.hops

    def _make(self, path: Path, idle: int, *, terminal: bool) -> Master:
        """Start ssh; the lock is held."""
        from trainsub.transport.ssh_start import start_at_the_terminal, start_without_questions  # noqa: PLC0415 - rare
        from trainsub.transport.ssh_words import connection_error  # noqa: PLC0415 - rare

        path.unlink(missing_ok=True)  # what a dead one left
        status, said = -1, ""
        if terminal:
            status = start_at_the_terminal(_argv(self._way, path, idle, self._timeout, terminal=True))
        if status != 0:
            # After a failure at the terminal, too: what ssh said there was for the person, and this is for the message.
            argv = _argv(self._way, path, idle, self._timeout, terminal=False)
            status, said = start_without_questions(argv, self._bound)
        if status != 0:
            raise connection_error(self._name, self._where, self._way.command, said, asked=terminal)
        try:
            mux, pid = _greet(path)
        except (MuxLostError, MuxRefusedError) as error:
            raise TransportError(
                f"ssh logged in to {self._where}, but then there was no connection to share: {error} {said}".rstrip(),
                hint=f"the server may have hung up at once, see: {self._way.command} true; or {path.parent} is on a"
                " file system without Unix sockets",
            ) from error
        with contextlib.suppress(OSError):  # the disk is full: then it is not known how long it stays
            _note(path).write_text(f"{pid} {idle}\n")
        return Master(path, mux, pid, made=True, idle=idle)


def _argv(way: Way, path: Path, idle: int, timeout: float, *, terminal: bool) -> list[str]:
    """The command line of a master.  What stands here wins over the OpenSSH configuration."""
    settings = {
        "ControlPersist": str(idle),
        "BatchMode": "no" if terminal else "yes",
        "StrictHostKeyChecking": "yes",  # a host key that is not known is refused, whatever the configuration says
        "ClearAllForwardings": "yes",
        "PermitLocalCommand": "no",
        "RemoteCommand": "none",
        "ConnectTimeout": str(max(1, round(timeout))),
        "LogLevel": "INFO" if terminal else "ERROR",  # INFO shows banners, which may say what to type
    }
    given = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    # -M master, -N no command, -f into the background once logged in; no terminal, X11 or agent on the other side.
    fixed = ["-M", "-N", "-f", "-T", "-x", "-a", "-e", "none", "-S", str(path)]
    return [way.program, *way.options, *fixed, *given, *way.keepalive, "--", way.host]


def _knock(path: Path) -> Master | None:
    """Return the master that answers at a socket."""
    try:
        mux, pid = _greet(path)
    except MuxLostError:
        return None
    except MuxRefusedError as error:
        raise TransportError(str(error), hint=f"another version of ssh made it; end it, and remove {path}") from error
    idle: int | None = None
    with contextlib.suppress(OSError, ValueError):
        noted, seconds = map(int, _note(path).read_text().split())
        idle = seconds if noted == pid else None
    return Master(path, mux, pid, made=False, idle=idle)


def _greet(path: Path) -> tuple[Mux, int]:
    mux = Mux(path, PATIENCE)
    try:
        return mux, mux.alive()
    except BaseException:
        mux.close()
        raise


def _set_aside(path: Path, master: Master | None) -> None:
    """Let a master end with the sessions that it has, and free its socket's name."""
    if master is not None:
        with contextlib.suppress(MuxLostError):
            master.mux.stop_listening()
        master.mux.close()
    path.unlink(missing_ok=True)


def _note(path: Path) -> Path:
    """The lock's file, which also says which master was made, and for how long."""
    return path.with_name(f"{path.name}.lock")
