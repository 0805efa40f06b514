"""Runs programs on a cluster over the system's ssh: one shared connection, whatever its login takes.

Every directive of an OpenSSH configuration works, because ssh itself reads it: second factors, Kerberos, hardware
keys, jump hosts, proxies.  ssh connects and stays in the background; commands are started over its control socket.
"""

import shlex
import threading
import weakref
from collections.abc import Sequence

from trainsub.errors import ConnectionLostError, TransportError, UnreachableError
from trainsub.transport.audit import Audit
from trainsub.transport.base import Ask, Channel, ClusterSettings, Stay
from trainsub.transport.master import PATIENCE, Master, Masters
from trainsub.transport.metering import Meter, Metered
from trainsub.transport.mux import Mux, MuxLostError, MuxRefusedError, send_environ
from trainsub.transport.mux_channel import MuxChannel
from trainsub.transport.preparation import Preparation
from trainsub.transport.way import Way, find_way

_EXEC = ("/bin/sh", "-c", '"$@"; exit $?', "sh")
"""A shell that waits for the program: after a signal it ends with 128 + its number, which ssh would not tell."""


class OpenSSHTransport(Metered):
    """Runs programs on one cluster over one shared connection.

    Args:
        name: The cluster's name in the configuration.
        cluster: Where it is and who we are there.
        audit: Where each program is recorded.
    """

    def __init__(self, name: str, cluster: ClusterSettings, audit: Audit | None = None) -> None:
        self._name = name
        self._cluster = cluster
        self._meter = Meter(name, audit)
        self._opening = threading.Lock()
        """Held while a master is looked for or made and a program is started: one, whoever needs it first."""
        self._lock = threading.Lock()
        """Held for a moment, to change what follows; so ``close`` waits for nobody."""
        self._closings = 0
        self._way: Way | None = None
        self._preparing: Preparation[_Found] | None = None
        self._channels: weakref.WeakSet[MuxChannel] = weakref.WeakSet()

    @property
    def description(self) -> str:
        """See Transport."""
        return f"{self._name} ({self._cluster.host if self._way is None else self._way.who})"

    def prepare(self) -> None:
        """See Transport."""
        with self._opening, self._lock:
            if self._preparing is None:
                self._preparing = Preparation(self._find, None)

    def open(self, argv: Sequence[str], *, what: str = "") -> Channel:
        """See Transport.

        A session that is not opened in time is asked for once more over a new connection; a command line that does
        something by itself, without its stdin, may then have been started twice.
        """
        if any("\0" in word for word in argv):
            raise ValueError("a command line cannot contain NUL")
        command = shlex.join((*_EXEC, *argv)).encode("utf-8", "surrogateescape")
        with self._opening:
            with self._lock:
                closings = self._closings
                preparing, self._preparing = self._preparing, None
            found = self._find(None) if preparing is None else _prepared(preparing)
            if self._closings != closings:
                found.close()
                raise self._was_closed()
            try:
                channel = self._start(found.master, command)
            except MuxLostError as error:
                if found.master.made:
                    raise UnreachableError(
                        f"{self.description} starts no program: {error}", hint="the login node may be overloaded"
                    ) from error
                channel = self._start_anew(found, command)
            with self._lock:
                kept = self._closings == closings
                if kept:
                    self._channels.add(channel)
        if not kept:
            channel.close()
            raise self._was_closed()
        return self._meter.channel(channel, argv, what)

    def close(self) -> None:
        """See Transport: the connection stays for other commands; see ``log_out``."""
        with self._lock:
            self._closings += 1
            preparing, self._preparing = self._preparing, None
            channels = list(self._channels)
        if preparing is not None:
            preparing.abandon()
        for channel in channels:
            channel.close()

    def log_in(self, *, terminal: bool) -> Stay:
        """See KeepsLogin.  ssh itself asks, at the terminal."""
        with self._opening:
            master = self._masters().log_in(terminal=terminal)
            master.mux.close()
            self._count(master)
            return Stay(new=master.made, idle=master.idle)

    def log_out(self) -> bool:
        """See KeepsLogin."""
        with self._opening:
            return self._masters().log_out()

    def _masters(self) -> Masters:
        if self._way is None:
            self._way = find_way(self._cluster)
        return Masters(self._name, self._way, self._cluster.connect_timeout)

    def _find(self, _: Ask | None) -> "_Found":
        masters = self._masters()
        master = masters.reach()
        self._count(master)
        return _Found(masters, master)

    def _was_closed(self) -> ConnectionLostError:
        return ConnectionLostError(f"the connection to {self.description} was closed while it was being made")

    def _count(self, master: Master) -> None:
        if master.made:
            self._meter.connected()

    def _start_anew(self, found: "_Found", command: bytes) -> MuxChannel:
        """Start over a new connection: the one that was there does not answer."""
        master = found.masters.replace(found.master)
        self._count(master)
        try:
            return self._start(master, command)
        except MuxLostError as error:
            raise UnreachableError(
                f"{self.description} starts no program: {error}", hint="the login node may be overloaded"
            ) from error

    def _start(self, master: Master, command: bytes) -> MuxChannel:
        """Start a command over a master; its conversation becomes the channel's, or is closed."""
        patterns = () if self._way is None else self._way.send_env
        session = None
        try:
            session = Mux(master.path, PATIENCE)
            if session.alive() != master.pid:
                raise MuxLostError("another master has taken its place")  # noqa: TRY301 - closes what is open
            environ = send_environ(patterns) if patterns else []
            timeout = self._cluster.connect_timeout
            return MuxChannel(session, master.mux, self.description, command, environ, timeout)
        except MuxRefusedError as error:
            _close(session, master.mux)
            raise TransportError(
                f"{self.description} opens no session: {error}",
                hint="the server may limit sessions for each connection (MaxSessions): end other commands of trainsub,"
                ' or set transport = "paramiko", which makes a connection for each command',
            ) from error
        except BaseException:
            _close(session, master.mux)
            raise


class _Found:
    """A master and how it was found."""

    def __init__(self, masters: Masters, master: Master) -> None:
        self.masters = masters
        self.master = master

    def close(self) -> None:
        """Let go of it."""
        self.master.mux.close()


def _prepared(preparing: Preparation[_Found]) -> _Found:
    try:
        return preparing.result()
    except BaseException:
        preparing.abandon()  # an interrupt; else there is nothing to abandon
        raise


def _close(*conversations: Mux | None) -> None:
    for one in conversations:
        if one is not None:
            one.close()
