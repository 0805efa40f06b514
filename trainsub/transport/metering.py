"""Counts what goes through a transport, and writes the audit log.  Knows nothing of how it goes."""

import logging
import shlex
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from trainsub.transport.audit import Audit, AuditRecord
from trainsub.transport.base import Channel

_log = logging.getLogger(__name__)

_MOST_COMMANDS = 100
"""How many commands a record holds: a log may be followed for days over one channel."""


class Meter:
    """The counters of one transport.

    Args:
        cluster: The cluster's name, for the audit log.
        audit: Where records go; None writes none.
    """

    def __init__(self, cluster: str, audit: Audit | None) -> None:
        self.cluster = cluster
        self.audit = audit
        self.connections = 0
        self.execs = 0
        self.bytes_sent = 0
        self.bytes_received = 0
        self._lock = threading.Lock()

    def connected(self) -> None:
        """Count a connection."""
        with self._lock:
            self.connections += 1

    def moved(self, *, sent: int = 0, received: int = 0) -> None:
        """Count bytes."""
        with self._lock:
            self.bytes_sent += sent
            self.bytes_received += received

    def channel(self, inner: "MeteredSource", argv: Sequence[str], what: str) -> "MeteredChannel":
        """Count an exec, and wrap its channel."""
        with self._lock:
            self.execs += 1
        return MeteredChannel(inner, self, argv, what)


class Metered:
    """What every transport tells of its own traffic."""

    _meter: Meter

    @property
    def connections(self) -> int:
        """See Transport: those that this process made, of which a local cluster needs none."""
        return self._meter.connections

    @property
    def execs(self) -> int:
        """See Transport."""
        return self._meter.execs

    @property
    def bytes_sent(self) -> int:
        """See Transport."""
        return self._meter.bytes_sent

    @property
    def bytes_received(self) -> int:
        """See Transport."""
        return self._meter.bytes_received


class MeteredSource(Channel, Protocol):
    """A channel that also knows how much stderr it has seen, which ``stderr()`` does not keep."""

    @property
    def stderr_seen(self) -> int:
        """All bytes of stderr so far."""


class MeteredChannel:
    """A channel whose traffic is counted and recorded when it is closed."""

    def __init__(self, inner: MeteredSource, meter: Meter, argv: Sequence[str], what: str) -> None:
        self._inner = inner
        self._meter = meter
        self._argv = tuple(argv)
        self._what = what
        self._started = time.monotonic()
        self._time = datetime.now(UTC)
        self._sent = 0
        self._received = 0
        self._status: int | None = None
        self._closed = False
        self._commands: list[tuple[str, ...]] = []
        self._last: tuple[str, ...] = ()
        self._left_out = 0

    def note(self, argv: Sequence[str]) -> None:
        """See Notes."""
        if (words := tuple(argv)) == self._last:
            return
        self._last = words
        _log.info("%s: %s", self._meter.cluster, shlex.join(words))
        if len(self._commands) < _MOST_COMMANDS:
            self._commands.append(words)
        else:
            self._left_out += 1

    def write(self, data: bytes, timeout: float | None = None) -> None:
        """See Channel."""
        self._inner.write(data, timeout)
        self._sent += len(data)
        self._meter.moved(sent=len(data))

    def close_write(self) -> None:
        """See Channel."""
        self._inner.close_write()

    def read(self, timeout: float | None = None) -> bytes:
        """See Channel."""
        data = self._inner.read(timeout)
        self._received += len(data)
        self._meter.moved(received=len(data))
        return data

    def stderr(self) -> bytes:
        """See Channel."""
        return self._inner.stderr()

    def exit_status(self, timeout: float | None = None) -> int | None:
        """See Channel."""
        self._status = self._inner.exit_status(timeout)
        return self._status

    def close(self) -> None:
        """See Channel."""
        if self._closed:
            return
        self._closed = True
        try:
            self._inner.close()
        finally:
            self._meter.moved(received=self._inner.stderr_seen)
            self._record()

    def _record(self) -> None:
        record = AuditRecord(
            time=self._time,
            cluster=self._meter.cluster,
            what=self._what,
            argv=self._argv,
            duration_s=round(time.monotonic() - self._started, 3),
            bytes_sent=self._sent,
            bytes_received=self._received + self._inner.stderr_seen,
            exit_status=self._status,
            commands=tuple(self._commands),
            commands_left_out=self._left_out,
        )
        _log.info(
            "%s: %s ended after %.2f s, %d bytes sent, %d received",
            record.cluster, record.what, record.duration_s, record.bytes_sent, record.bytes_received,
        )  # fmt: skip
        if self._meter.audit is not None:
            self._meter.audit.record(record)
