"""A cut is never a program that ended in good order, wherever it falls; over both ways to speak SSH."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sshd import Server

from trainsub.errors import ConnectionLostError, TransportError
from trainsub.transport import Transport

Connect = Callable[..., Transport]

SIZE = 400_000
LATE = f"(sleep 0.2; head -c {SIZE} /dev/zero; sleep 0.5) & exit 0"
"""Ends at once with status 0; what it started writes on."""


class Cutter:
    """A relay that lets so many bytes come from the server, and then hangs up, or swallows everything."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.left: int | None = None
        self.hole = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                threading.Thread(target=self._up, args=(client, server), daemon=True).start()
                threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError), server:
            while data := client.recv(65536):
                if not (self.hole and self.left == 0):
                    server.sendall(data)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            while data := server.recv(65536):
                if self.left is not None:
                    data = data[: self.left]
                    self.left -= len(data)
                client.sendall(data)
                if self.left == 0 and not self.hole:
                    client.shutdown(socket.SHUT_RDWR)
                    return


@pytest.fixture
def cutter(sshd: Server) -> Iterator[Cutter]:
    """A relay to the sshd."""
    relay = Cutter(sshd.port)
    yield relay
    relay.close()


@pytest.fixture(params=["paramiko", "openssh"])
def through(
    request: pytest.FixtureRequest, cutter: Cutter, sshd: Server, tmp_path: Path, connect: Connect
) -> Transport:
    """A connected transport through the relay."""
    known = tmp_path / "known"
    known.write_text(f"[127.0.0.1]:{cutter.port} {sshd.host_key()}\n")
    lines = (f"Port {cutter.port}", f"UserKnownHostsFile {known}", "ServerAliveInterval 1", "ServerAliveCountMax 1")
    transport = connect(sshd.config(tmp_path / "config", *lines), transport=request.param)
    channel = transport.open(["true"])
    assert channel.exit_status(10) == 0
    channel.close()
    return transport


@pytest.mark.parametrize("hole", [False, True], ids=["cut", "hole"])
@pytest.mark.parametrize("after", [0, 60, 150, 5_000, 150_000, SIZE - 1000])
def test_never_a_good_end(through: Transport, cutter: Cutter, after: int, *, hole: bool) -> None:
    """The exit status may be there before the last bytes; with the connection gone, it is not the end."""
    cutter.hole = hole
    cutter.left = after
    size = 0
    with pytest.raises(TransportError) as caught:  # noqa: PT012 - wherever it is noticed first
        channel = through.open(["/bin/sh", "-c", LATE])
        try:
            while data := channel.read(20):
                size += len(data)
            channel.exit_status(20)
        finally:
            channel.close()
    assert isinstance(caught.value, ConnectionLostError) or after < 1000  # else it was not even opened
    assert size < SIZE


def test_whole(through: Transport) -> None:
    """Uncut, the same program ends well, with all its bytes."""
    channel = through.open(["/bin/sh", "-c", LATE])
    size = 0
    while data := channel.read(20):
        size += len(data)
    assert size == SIZE
    assert channel.exit_status(10) == 0
    channel.close()
