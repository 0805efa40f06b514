"""Closing a transport or a channel while another thread uses it: nobody waits, and nothing is left open."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sshd import Server, output

from trainsub.errors import ConnectionLostError, TransportError
from trainsub.transport import Transport
from trainsub.transport.mux import Mux
from trainsub.transport.ssh import ParamikoTransport

Connect = Callable[..., Transport]

AT_ONCE = 0.5
"""Seconds; a connection that is being made takes ten times as long in these tests."""

RELAY = """
import os, socket, sys, threading, time
open(sys.argv[3] + '/begun', 'w').write(str(os.getpid()))
while not os.path.exists(sys.argv[3] + '/go'):
    time.sleep(0.02)
server = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while data := os.read(0, 65536):
        server.sendall(data)
    server.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while data := server.recv(65536):
    os.write(1, data)
"""
"""A ProxyCommand that connects once it may."""


def master(runtime: Path) -> int:
    """The process id of the ssh in the background."""
    (path,) = (path for path in runtime.glob("trainsub/*") if path.is_socket())
    conversation = Mux(path, 5)
    try:
        return conversation.alive()
    finally:
        conversation.close()


def until(condition: Callable[[], bool]) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Opening:
    """A thread that opens a program, and keeps what came of it."""

    def __init__(self, transport: Transport) -> None:
        self.error: TransportError | None = None
        self._transport = transport
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._transport.open(["true"]).close()
        except TransportError as error:
            self.error = error

    def join(self) -> TransportError | None:
        """Wait for its end."""
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.error


@pytest.fixture(params=["paramiko", "openssh"])
def slow(request: pytest.FixtureRequest, sshd: Server, tmp_path: Path, connect: Connect) -> Iterator[Transport]:
    """A transport whose connection is made once ``tmp_path/go`` is there."""
    (tmp_path / "relay.py").write_text(RELAY)
    proxy = f"ProxyCommand {sys.executable} {tmp_path}/relay.py %h %p {tmp_path}"
    yield connect(sshd.config(tmp_path / "config", proxy), transport=request.param, connect_timeout=10)
    (tmp_path / "go").touch()


@pytest.mark.parametrize("prepared", [False, True], ids=["plain", "prepared"])
def test_closing_does_not_wait_for_a_connection(slow: Transport, tmp_path: Path, *, prepared: bool) -> None:
    """It is dropped by whoever makes it; the next use makes another."""
    if prepared:
        slow.prepare()
    opening = Opening(slow)
    until(lambda: (tmp_path / "begun").exists() and (tmp_path / "begun").read_text() != "")
    relay = Path(f"/proc/{(tmp_path / 'begun').read_text()}")
    started = time.monotonic()
    slow.close()
    slow.close()
    assert time.monotonic() - started < AT_ONCE
    (tmp_path / "go").touch()
    error = opening.join()
    assert isinstance(error, ConnectionLostError)
    assert "was closed while it was being made" in error.message
    assert slow.execs == 0
    if isinstance(slow, ParamikoTransport):  # the other one's connection stays, for whoever needs it next
        assert not relay.exists()
    assert output(slow, "echo", "again") == b"again\n"


def test_closing_drops_a_preparation_that_nobody_waits_for(slow: Transport, tmp_path: Path) -> None:
    """As above, without an open."""
    slow.prepare()
    until((tmp_path / "begun").exists)
    started = time.monotonic()
    slow.close()
    assert time.monotonic() - started < AT_ONCE
    (tmp_path / "go").touch()
    assert output(slow, "echo", "again") == b"again\n"
    assert slow.execs == 1


def test_closing_wakes_who_reads_and_who_writes(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """Closed under their hands a channel is a lost connection, at once; never a bad descriptor, or another's file."""
    transport = connect(sshd.config(tmp_path / "config"), transport="openssh")
    channel = transport.open(["sleep", "5"])
    errors: list[BaseException] = []

    def keep(call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at below
            errors.append(error)

    calls: list[Callable[[], object]] = [channel.read, lambda: channel.write(bytes(32 << 20))]
    threads = [threading.Thread(target=keep, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    time.sleep(1)
    started = time.monotonic()
    transport.close()
    others = [os.pipe() for _ in range(8)]  # they get the numbers that have become free
    for _, end in others:
        os.write(end, b"another's")
    for thread in threads:
        thread.join(10)
    assert time.monotonic() - started < 2
    assert [type(error) for error in errors] == [ConnectionLostError] * 2
    assert all("was closed" in str(error) for error in errors)
    assert [os.read(end, 100) for end, _ in others] == [b"another's"] * 8
    for pair in others:
        for end in pair:
            os.close(end)
    for call in (channel.read, lambda: channel.write(b"late"), channel.exit_status):
        with pytest.raises(ConnectionLostError, match="was closed"):
            call()


def test_closing_does_not_wait_for_a_master_that_hangs(
    sshd: Server, tmp_path: Path, connect: Connect, runtime: Path
) -> None:
    """Whoever reads or writes is woken all the same."""
    transport = connect(sshd.config(tmp_path / "config"), transport="openssh")
    channel = transport.open(["sleep", "5"])
    errors: list[TransportError] = []

    def write() -> None:
        try:
            channel.write(bytes(32 << 20))
        except TransportError as error:
            errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(1)
    pid = master(runtime)
    os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        channel.close()
        writer.join(10)
        assert time.monotonic() - started < 3
    finally:
        os.kill(pid, signal.SIGCONT)
    assert isinstance(errors[0], ConnectionLostError)
