"""The audit log: one line for each program, readable by its owner only, and never in the way."""

import json
import logging
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sshd import Cluster, Server

from trainsub.errors import ConfigError
from trainsub.transport import Audit, AuditRecord, open_transport
from trainsub.transport.base import Notes

RECORD = AuditRecord(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "hpc", "submit", ("sh",), 0.5, 1, 2, 0)


@pytest.mark.parametrize("kind", ["local", "paramiko"])
def test_a_program_is_recorded(kind: str, sshd: Server, tmp_path: Path) -> None:
    """Time, command, duration, bytes and exit status are kept; what went over stdin is not."""
    path = tmp_path / "new" / "audit.jsonl"
    cluster = Cluster(transport=kind, host="hpc", ssh_config=sshd.config(tmp_path / "config"))
    transport = open_transport("hpc", cluster, audit=Audit(path))
    argv = ["sh", "-c", "cat; echo oops >&2; exit 3"]
    channel = transport.open(argv, what="submit")
    channel.write(b"a secret")
    assert isinstance(channel, Notes)
    for number in (0, 1, 1, *range(2, 110)):
        channel.note(["ask", str(number)])
    channel.close_write()
    while channel.read(10):
        pass
    assert channel.exit_status(10) == 3
    assert not path.exists()
    channel.close()
    channel.close()
    transport.close()
    (line,) = path.read_text().splitlines()
    record = json.loads(line)
    assert "secret" not in line
    assert datetime.fromisoformat(record.pop("time")).tzinfo is not None
    assert record.pop("duration_s") >= 0
    assert record == {
        "cluster": "hpc",
        "what": "submit",
        "argv": argv,
        "bytes_sent": 8,
        "bytes_received": 13,
        "exit_status": 3,
        "commands": [["ask", str(number)] for number in range(100)],
        "commands_left_out": 10,
    }


def test_modes(tmp_path: Path) -> None:
    """Nobody else can read the file or its directory."""
    path = tmp_path / "state" / "audit.jsonl"
    Audit(path).record(RECORD)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert json.loads(path.read_text())["time"] == "2026-01-02T03:04:05.000Z"


def test_many_writers(tmp_path: Path) -> None:
    """Lines of several writers do not mix."""
    path = tmp_path / "audit.jsonl"

    def write() -> None:
        audit = Audit(path)
        for _ in range(100):
            audit.record(RECORD)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = path.read_text().splitlines()
    assert len(lines) == 800
    assert len(set(lines)) == 1


@pytest.mark.parametrize("place", [lambda tmp: tmp, lambda _: Path("/dev/full")])
def test_a_log_that_cannot_be_written(
    place: Callable[[Path], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk costs one warning, never a job."""
    audit = Audit(place(tmp_path))
    with caplog.at_level(logging.WARNING):
        audit.record(RECORD)
        audit.record(RECORD)
    assert audit.failed
    assert len(caplog.records) == 1
    assert str(audit.path) in caplog.text


def test_unknown_transport() -> None:
    """A transport that does not exist is a mistake of the configuration."""
    with pytest.raises(ConfigError, match="carrier-pigeon"):
        open_transport("hpc", Cluster(transport="carrier-pigeon"))
