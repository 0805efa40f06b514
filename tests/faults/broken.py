"""Connections that break at a byte: cut, or swallowed from then on, which is how a laptop loses its connection.

The channels of the local transport, byte-exact. tests/faults/relay.py does the same to the TCP connections of SSH.
"""

# ruff: noqa: D102 - the methods are those of what they stand for

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trainsub.errors import ConnectionLostError, RemoteTimeoutError, UnreachableError
from trainsub.transport.base import Channel, Transport
from trainsub.transport.local import LocalTransport

UP, DOWN = "up", "down"
CUT, HOLE = "cut", "black hole"
PATIENCE = 0.3
"""Seconds of silence after which a client takes a swallowed connection for lost; the keep-alive of SSH takes longer."""


@dataclass(frozen=True)
class Fault:
    """Where a connection breaks.

    Attributes:
        kind: ``cut`` or ``black hole``.
        direction: Of which bytes are counted: ``up`` to the cluster, ``down`` from it.
        after: So many of them still arrive.
    """

    kind: str
    direction: str
    after: int

    def __str__(self) -> str:
        return f"{self.kind} after byte {self.after} {self.direction}"


class BrokenChannel:
    """A channel that breaks once, in both directions, and stays so.

    Args:
        inner: The channel; after a black hole the program goes on with it, and is told nothing.
        fault: Where it breaks.
        left: Is given what the client would close and the program would not hear of.
    """

    def __init__(self, inner: Channel, fault: Fault, left: Callable[[Channel], None]) -> None:
        self._inner = inner
        self._fault = fault
        self._left = left
        self._count = {UP: 0, DOWN: 0}
        self._broken = False

    def write(self, data: bytes, timeout: float | None = None) -> None:
        if self._broken and self._fault.kind == HOLE:
            return  # it is sent, and nobody will ever know
        if self._broken:
            self._lose()
        room = self._room(UP)
        self._inner.write(data if room is None else data[:room], timeout)
        self._count[UP] += len(data)
        if room is not None and len(data) >= room:
            self._break()
            if self._fault.kind == CUT:
                self._lose()

    def close_write(self) -> None:
        if not self._broken:
            self._inner.close_write()

    def read(self, timeout: float | None = None) -> bytes:
        room = self._room(DOWN)
        if room == 0:
            self._break()
        if self._broken:
            self._lose()
        data = self._wait(timeout)
        self._count[DOWN] += len(data)
        if room is not None and len(data) >= room:
            self._break()
            return data[:room] or self._lose()
        return data

    def stderr(self) -> bytes:
        return b"" if self._broken else self._inner.stderr()

    def exit_status(self, timeout: float | None = None) -> int | None:
        if self._broken:
            self._lose()
        return self._inner.exit_status(timeout)

    def close(self) -> None:
        if not self._broken:
            self._inner.close()

    def _room(self, direction: str) -> int | None:
        """How many bytes may still pass; None for any number."""
        if self._fault.direction != direction:
            return None
        return max(0, self._fault.after - self._count[direction])

    def _wait(self, timeout: float | None) -> bytes:
        """Read; a break that the other direction brings is noticed while nothing comes."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return self._inner.read(0.2)
            except RemoteTimeoutError:
                if self._broken:
                    self._lose()
                if end is not None and time.monotonic() > end:
                    raise

    def _break(self) -> None:
        if self._broken:
            return
        self._broken = True
        if self._fault.kind == CUT:
            self._inner.close()
        else:
            self._left(self._inner)

    def _lose(self) -> bytes:
        if self._fault.kind == HOLE:
            time.sleep(PATIENCE)
        raise ConnectionLostError("the other side has been silent for too long" if self._fault.kind == HOLE else "cut")


class BrokenTransport:
    """A way to this machine whose first channel breaks; the next ones are whole, unless the network stays away.

    Args:
        inner: The way.
        fault: Where its first channel breaks; None for nowhere.
    """

    def __init__(self, inner: Transport, fault: Fault | None) -> None:
        self._inner = inner
        self._fault = fault
        self._lock = threading.Lock()
        self.stays_away = False
        """After the break nothing can be reached until somebody sets ``away`` to False."""
        self.away = False
        self.hung: list[Channel] = []
        """Of programs whose client has vanished without a word: sshd would hold them for hours."""

    @property
    def description(self) -> str:
        return self._inner.description

    @property
    def connections(self) -> int:
        return self._inner.connections

    @property
    def execs(self) -> int:
        return self._inner.execs

    @property
    def bytes_sent(self) -> int:
        return self._inner.bytes_sent

    @property
    def bytes_received(self) -> int:
        return self._inner.bytes_received

    def prepare(self) -> None:
        self._inner.prepare()

    def open(self, argv: Sequence[str], *, what: str = "") -> Channel:
        if self.away:
            raise UnreachableError("no route to host")
        with self._lock:
            fault, self._fault = self._fault, None
        channel = self._inner.open(argv, what=what)
        if fault is None:
            return channel
        self.away = self.stays_away
        return BrokenChannel(channel, fault, self.hung.append)

    def close(self) -> None:
        self._inner.close()

    def hang_up(self) -> None:
        """Let the programs know at last that nobody is there: hours later, for them."""
        for channel in self.hung:
            channel.close()
        self.hung.clear()


def here(fault: Fault | None = None) -> BrokenTransport:
    """A way to this machine that breaks."""
    return BrokenTransport(LocalTransport("faults"), fault)
