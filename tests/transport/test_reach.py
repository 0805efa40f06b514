"""Ways to a server: unreachable ones, jump hosts, proxies, lost connections."""

import contextlib
import getpass
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sshd import Server, free_port, output

from trainsub.errors import (
    ConfigError,
    ConnectionLostError,
    HostKeyError,
    RemoteTimeoutError,
    TransportError,
    UnreachableError,
)
from trainsub.transport import Transport
from trainsub.transport.ssh import ParamikoTransport

Connect = Callable[..., Transport]

RELAY = """
import os, socket, sys, threading
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while data := os.read(0, 65536):
        s.sendall(data)
    os._exit(0)
threading.Thread(target=up, daemon=True).start()
while data := s.recv(65536):
    os.write(1, data)
"""


@contextlib.contextmanager
def listener(behaviour: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that is not an SSH server."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=behaviour, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


class Relay:
    """Passes bytes on to a server, until it is told to swallow them."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.swallow = False

    def __call__(self, client: socket.socket) -> None:
        """Serve one connection."""
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            back.start()
            self._pass(client, server)
            back.join(5)

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self.swallow:
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def unreachable(connect: Connect, **settings: object) -> UnreachableError:
    """The error of a server that cannot be reached."""
    with pytest.raises(UnreachableError) as caught:
        connect(None, **{"ssh_config": "/dev/null", **settings}).open(["true"])
    return caught.value


def test_unknown_host(connect: Connect) -> None:
    """A name without an address is said to be one."""
    error = unreachable(connect, host="no-such-host.invalid")
    assert "cannot find the address of no-such-host.invalid" in error.message
    assert error.hint is not None


def test_refused(connect: Connect) -> None:
    """A closed port is named with its number."""
    port = free_port()
    assert f"127.0.0.1:{port} refused" in unreachable(connect, host="127.0.0.1", port=port).message


def test_silent_server(connect: Connect) -> None:
    """A server that accepts and says nothing costs the timeout, not more."""

    def say_nothing(connection: socket.socket) -> None:
        with connection:
            time.sleep(3)

    with listener(say_nothing) as port:
        started = time.monotonic()
        error = unreachable(connect, host="127.0.0.1", port=port, connect_timeout=0.7)
        assert time.monotonic() - started < 2
    assert "did not greet as an SSH server in 0.7 s" in error.message


def test_wrong_protocol(connect: Connect) -> None:
    """A server that speaks something else is no SSH server."""

    def http(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()

    with listener(http) as port:
        assert "hung up without a greeting" in unreachable(connect, host="127.0.0.1", port=port).message


def test_handshake_broken_off(connect: Connect) -> None:
    """A server that hangs up after its greeting, as one that limits connections does."""

    def greet(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-busy\r\n")
        connection.recv(1000)
        connection.close()

    with listener(greet) as port:
        assert "broke off the SSH handshake" in unreachable(connect, host="127.0.0.1", port=port).message


def test_no_common_algorithm(sshd_with: Callable[..., Server], tmp_path: Path, connect: Connect) -> None:
    """A server with no common algorithm is no network problem."""
    server = sshd_with("Ciphers chacha20-poly1305@openssh.com")
    with pytest.raises(TransportError, match="no common SSH algorithm"):
        connect(server.config(tmp_path / "config")).open(["true"])


def test_black_hole(connect: Connect) -> None:
    """A host whose packets are dropped costs the timeout.  A full backlog drops them too."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        time.sleep(0.1)
        error = unreachable(connect, host="127.0.0.1", port=port, connect_timeout=0.5)
        for filler in fillers:
            filler.close()
    assert f"127.0.0.1:{port} did not answer in 0.5 s" in error.message


def test_jump_host(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """ProxyJump leads through other hosts, each with settings of its own."""
    config = sshd.config(tmp_path / "config", "ProxyJump first,second")
    for name in ("first", "second"):
        part = sshd.config(tmp_path / name, host=name).read_text()
        config.write_text(config.read_text() + part)
    transport = connect(config)
    data = bytes(range(256)) * 10000
    assert output(transport, "cat", stdin=data) == data
    assert output(transport, "sh", "-c", "echo $SSH_CONNECTION").split()[2:] == [b"127.0.0.1", b"%d" % sshd.port]
    assert transport.connections == 1


def test_jump_host_that_forwards_nothing(
    sshd_with: Callable[..., Server], sshd: Server, tmp_path: Path, connect: Connect
) -> None:
    """A jump host that may not forward is named as the one to blame."""
    jump = sshd_with("AllowTcpForwarding no")
    config = sshd.config(tmp_path / "config", "ProxyJump jump")
    config.write_text(config.read_text() + jump.config(tmp_path / "jump", host="jump").read_text())
    with pytest.raises(UnreachableError, match="the jump host cannot connect"):
        connect(config).open(["true"])


def test_jump_circle(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """Jump hosts that lead to themselves are a mistake of the configuration."""
    config = sshd.config(tmp_path / "config", "ProxyJump hpc")
    with pytest.raises(ConfigError, match="circle"):
        connect(config).open(["true"])


def test_proxy_command(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A ProxyCommand is the connection, with its tokens expanded."""
    (tmp_path / "relay.py").write_text(RELAY)
    config = sshd.config(tmp_path / "config", f"ProxyCommand {sys.executable} {tmp_path}/relay.py %h %p")
    data = bytes(range(256)) * 10000
    assert output(connect(config), "cat", stdin=data) == data


def test_proxy_command_fails(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A ProxyCommand that ends is seen at once, and its complaint is passed on."""
    config = sshd.config(tmp_path / "config", "ProxyCommand echo no tunnel for %r >&2")
    started = time.monotonic()
    with pytest.raises(UnreachableError, match=f"no tunnel for {getpass.getuser()}"):
        connect(config).open(["true"])
    assert time.monotonic() - started < 4


def test_lost_connection_while_reading(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A connection that breaks is no program that ended, and the next open connects again."""
    transport = connect(sshd.config(tmp_path / "config"))
    channel = transport.open(["sh", "-c", "echo started; sleep 30"])
    assert channel.read(10) == b"started\n"
    sshd.kill_sessions()
    with pytest.raises(ConnectionLostError):
        channel.read(10)
    with pytest.raises(ConnectionLostError):
        channel.exit_status(10)
    with pytest.raises(ConnectionLostError):
        channel.write(b"x" * 1_000_000)
    channel.close()
    assert output(transport, "echo", "again") == b"again\n"
    assert transport.connections == 2


def test_lost_connection_while_writing(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A writer that waits for a slow program learns of the loss."""
    transport = connect(sshd.config(tmp_path / "config"))
    channel = transport.open(["sleep", "30"])
    killer = threading.Timer(0.5, sshd.kill_sessions)
    killer.start()
    with pytest.raises(ConnectionLostError):
        channel.write(b"x" * 32_000_000)
    killer.join()
    channel.close()


def test_silent_connection(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A connection on which nothing comes back any more is found out by asking, as ServerAliveInterval says."""
    relay = Relay(sshd.port)
    with listener(relay) as port:
        known = tmp_path / "known"
        known.write_text(f"[127.0.0.1]:{port} {sshd.host_key()}\n")
        config = sshd.config(
            tmp_path / "config",
            f"Port {port}",
            f"UserKnownHostsFile {known}",
            "ServerAliveInterval 1",
            "ServerAliveCountMax 2",
        )
        transport = connect(config)
        channel = transport.open(["cat"])
        with pytest.raises(RemoteTimeoutError):  # alive: asked, and answered
            channel.read(4.5)
        relay.swallow = True
        started = time.monotonic()
        with pytest.raises(ConnectionLostError, match="silent"):
            channel.read(10)
        assert 1 < time.monotonic() - started < 6
        channel.close()


def test_refused_exec(sshd_with: Callable[..., Server], tmp_path: Path, connect: Connect) -> None:
    """Sessions that the server does not open are told apart from a lost connection."""
    server = sshd_with("MaxSessions 0")
    with pytest.raises(TransportError, match="opens no session"):
        connect(server.config(tmp_path / "config")).open(["true"])


def test_close_and_open_again(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A closed transport connects again when it is used again, and its counters go on."""
    transport = connect(sshd.config(tmp_path / "config"))
    assert isinstance(transport, ParamikoTransport)
    output(transport, "echo", "one")
    first = transport.raw_bytes
    transport.close()
    output(transport, "echo", "two")
    assert transport.connections == 2
    assert transport.raw_bytes > first


def test_unused_preparation(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A connection that was prepared and never used is closed with the transport."""
    transport = connect(sshd.config(tmp_path / "config"))
    transport.prepare()
    transport.close()
    assert transport.execs == 0


def test_ssh_is_not_installed(sshd: Server, tmp_path: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the ssh program a simple configuration still works, and a hard one is refused."""
    monkeypatch.setenv("PATH", str(tmp_path))
    config = sshd.config(tmp_path / "config")
    with pytest.raises(HostKeyError):
        connect(sshd.config(tmp_path / "strict", f"UserKnownHostsFile {tmp_path}/none")).open(["true"])
    channel = connect(config, port=sshd.port, user=getpass.getuser()).open(["echo", "ok"])
    assert channel.read(10) == b"ok\n"
    channel.close()
    config.write_text("Include other\n" + config.read_text())
    with pytest.raises(ConfigError, match="Include other"):
        connect(config).open(["true"])
