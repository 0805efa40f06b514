"""Runs programs on a cluster over SSH.  The door to paramiko: with ``wire.py``, the only one.

The connection is made when it is first needed, and made again after it was lost.  Host keys that the user does not
know are always refused (see ``host_keys``).
"""

import shlex
import threading
from collections.abc import Sequence

from trainsub.errors import ConnectionLostError, TransportError
from trainsub.transport.audit import Audit
from trainsub.transport.base import Ask, Channel, ClusterSettings
from trainsub.transport.connection import Connection
from trainsub.transport.metering import Meter, Metered
from trainsub.transport.preparation import Preparation
from trainsub.transport.ssh_channel import SSHChannel
from trainsub.transport.ssh_config import Target, route


class ParamikoTransport(Metered):
    """Runs programs on one cluster over one SSH connection.

    Args:
        name: The cluster's name in the configuration.
        cluster: Where it is and who we are there.
        audit: Where each program is recorded.
        ask: Asks for a passphrase; None where there is no terminal.
    """

    def __init__(self, name: str, cluster: ClusterSettings, audit: Audit | None = None, ask: Ask | None = None) -> None:
        self._name = name
        self._cluster = cluster
        self._ask = ask
        self._meter = Meter(name, audit)
        self._opening = threading.Lock()
        """Held while a connection is made and a program is started: one connection, whoever needs it first."""
        self._lock = threading.Lock()
        """Held for a moment, to change what follows; so ``close`` waits for nobody."""
        self._closings = 0
        self._target: Target | None = None
        self._connection: Connection | None = None
        self._preparing: Preparation[Connection] | None = None
        self._raw = (0, 0)

    @property
    def description(self) -> str:
        """See Transport."""
        if self._target is None:
            return f"{self._name} ({self._cluster.host})"
        return f"{self._name} ({self._target.user}@{self._target.address})"

    @property
    def raw_bytes(self) -> tuple[int, int]:
        """Bytes sent and received on the network so far, SSH's own included."""
        connection = self._connection
        now = (0, 0) if connection is None else connection.raw_bytes
        return self._raw[0] + now[0], self._raw[1] + now[1]

    def prepare(self) -> None:
        """See Transport."""
        with self._opening, self._lock:
            if self._preparing is None and self._connection is None:
                self._preparing = Preparation(self.connect, self._ask)

    def open(self, argv: Sequence[str], *, what: str = "") -> Channel:
        """See Transport."""
        if any("\0" in word for word in argv):
            raise ValueError("a command line cannot contain NUL")
        command = shlex.join(argv).encode("utf-8", "surrogateescape")
        with self._opening:
            connection = self._connected()
            channel = self._exec(connection, command)
        return self._meter.channel(channel, argv, what)

    def close(self) -> None:
        """See Transport.  A connection that is being made is closed by whoever makes it."""
        with self._lock:
            self._closings += 1
            preparing, self._preparing = self._preparing, None
        if preparing is not None:
            preparing.abandon()
        self._drop()

    def connect(self, ask: Ask | None) -> Connection:
        """Resolve the settings and connect; what ``open`` and ``prepare`` do when there is no connection."""
        loading = threading.Thread(target=_load_paramiko, name="trainsub-load", daemon=True)
        loading.start()  # it overlaps with `ssh -G` and the first round trip
        targets = route(self._cluster)
        self._target = targets[-1]
        connection = Connection(targets, self._cluster.connect_timeout, ask)
        self._meter.connected()
        return connection

    def _connected(self) -> Connection:
        with self._lock:
            closings = self._closings
            preparing, self._preparing = self._preparing, None
            connection = self._connection
        if connection is not None:
            if connection.wire.is_active():
                return connection
            self._drop()
        connection = self.connect(self._ask) if preparing is None else _prepared(preparing)
        with self._lock:
            if self._closings == closings:
                self._connection = connection
                return connection
        connection.close()
        raise ConnectionLostError(f"the connection to {self.description} was closed while it was being made")

    def _exec(self, connection: Connection, command: bytes) -> SSHChannel:
        import paramiko  # noqa: PLC0415 - is loaded by now; at the top it would cost every start

        try:
            channel = connection.wire.exec(command, self._cluster.connect_timeout)
        except (paramiko.SSHException, OSError, EOFError) as error:
            if connection.wire.is_active():
                raise TransportError(
                    f"{self.description} opens no session: {error}",
                    hint="the server may limit sessions for each connection (MaxSessions)",
                ) from error
            raise ConnectionLostError(f"the connection to {self.description} broke: {error}") from error
        return SSHChannel(connection.wire, channel, self.description)

    def _drop(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                sent, received = connection.raw_bytes
                self._raw = (self._raw[0] + sent, self._raw[1] + received)
        if connection is not None:
            connection.close()


def _prepared(preparing: Preparation[Connection]) -> Connection:
    try:
        return preparing.result()
    except BaseException:
        preparing.abandon()  # an interrupt; else there is nothing to abandon
        raise


def _load_paramiko() -> None:
    import trainsub.transport.wire  # noqa: F401, PLC0415
