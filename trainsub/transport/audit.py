"""The audit log: one JSON line for each program that trainsub started on a cluster.  Append-only, and never read here.

It holds argv, what the program was asked to run in its turn, and byte counts.  It never holds what went over stdin or
came back: secrets travel there.
"""

import errno
import json
import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One program, from its start to the close of its channel.

    Attributes:
        time: When it started, aware UTC.
        cluster: The cluster's name in the configuration.
        what: What it was for, as the caller named it.
        argv: The command line that crossed the login shell.
        duration_s: Seconds until its channel was closed.
        bytes_sent: Bytes given to its stdin.
        bytes_received: Bytes got from its stdout and stderr.
        exit_status: None where it was not waited for or not known.
        commands: What it was asked to run, in order; the same over and over is there once.
        commands_left_out: How many more there were.
    """

    time: datetime
    cluster: str
    what: str
    argv: Sequence[str]
    duration_s: float
    bytes_sent: int
    bytes_received: int
    exit_status: int | None
    commands: Sequence[Sequence[str]] = ()
    commands_left_out: int = 0


class Audit:
    """Appends records to a file that only its owner can read.

    A full disk must not lose a job, so a record that cannot be written is a warning, and ``failed`` says so.

    Args:
        path: The file; it and its directory are made when the first record is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failed = False
        self._lock = threading.Lock()

    def record(self, record: AuditRecord) -> None:
        """Append one line."""
        fields = asdict(record)
        fields["time"] = record.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields["argv"] = list(record.argv)
        line = json.dumps(fields, ensure_ascii=True).encode() + b"\n"
        try:
            with self._lock:
                self._append(line)
        except OSError as error:
            if not self.failed:  # one warning per process is enough
                _log.warning("the audit log cannot be written: %s: %s", self.path, error.strerror or error)
            self.failed = True

    def _append(self, line: bytes) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # One write to a file opened with O_APPEND: lines of several processes do not mix.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            written = os.write(descriptor, line)
            if written < len(line):
                os.write(descriptor, b"\n")  # the disk is full: at least keep the next line whole
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)
