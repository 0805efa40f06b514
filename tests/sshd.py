"""A real OpenSSH server as an ordinary process on this machine, for the tests of transports."""

import contextlib
import getpass
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from trainsub.transport import Transport

SSHD = "/usr/sbin/sshd"


@dataclass(frozen=True)
class Cluster:
    """As much of config.Cluster as a transport reads."""

    transport: str = "paramiko"
    host: str | None = None
    user: str | None = None
    port: int | None = None
    identity_file: Path | None = None
    ssh_config: Path | None = None
    connect_timeout: float = 5


def run(*argv: str | Path) -> str:
    """Run a program that must succeed."""
    return subprocess.run([str(word) for word in argv], check=True, capture_output=True, text=True).stdout


def free_port() -> int:
    """A port on which nothing listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """Make a key pair."""
    run("ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", path)
    return path


def public(path: Path) -> str:
    """Type and blob of a key's public half."""
    return " ".join(Path(f"{path}.pub").read_text().split()[:2])


@dataclass
class Server:
    """A running sshd, and the client's side of it."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def key(self) -> Path:
        """The key that it accepts."""
        return self.directory / "id"

    @property
    def known_hosts(self) -> Path:
        """The known_hosts file of the client."""
        return self.directory / "known_hosts"

    def host_key(self, kind: str = "ed25519") -> str:
        """One of its public host keys."""
        return public(self.directory / f"host_{kind}")

    def config(self, path: Path, *lines: str, host: str = "hpc") -> Path:
        """Write an OpenSSH client configuration with an alias for it; ``lines`` come first, and so win."""
        path.write_text(
            "\n".join(
                [
                    f"Host {host}",
                    *(f"  {line}" for line in lines),
                    "  HostName 127.0.0.1",
                    f"  Port {self.port}",
                    f"  User {getpass.getuser()}",
                    f"  IdentityFile {self.key}",
                    "  IdentitiesOnly yes",
                    "  IdentityAgent none",
                    f"  UserKnownHostsFile {self.known_hosts}",
                    "  GlobalKnownHostsFile none",
                    "",
                ]
            )
        )
        return path

    def kill_sessions(self) -> None:
        """Kill the processes that serve connections, as a dying login node would; those of this sshd only."""
        for line in run("ps", "-e", "-o", "pid=,ppid=,comm=").splitlines():
            pid, parent, name = line.split(None, 2)
            if int(parent) == self.process.pid and name.startswith("sshd"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


def start_sshd(directory: Path, *extra: str, program: str = SSHD) -> Server:
    """Start an sshd with its own host keys; by another name it has PAM settings of its own."""
    for kind in ("ed25519", "ecdsa", "rsa"):
        make_key(directory / f"host_{kind}", kind)
    make_key(directory / "id")
    (directory / "authorized_keys").write_text(public(directory / "id") + "\n")
    port = free_port()
    (directory / "sshd_config").write_text(
        "\n".join(
            [
                *extra,
                f"Port {port}",
                "ListenAddress 127.0.0.1",
                *(f"HostKey {directory}/host_{kind}" for kind in ("ed25519", "ecdsa", "rsa")),
                f"AuthorizedKeysFile {directory}/authorized_keys",
                "StrictModes no",
                "PasswordAuthentication no",
                "KbdInteractiveAuthentication no",
                "PermitRootLogin yes",
                "UsePAM no",
                "PidFile none",
                "MaxStartups 100",
                "LogLevel VERBOSE",
                "",
            ]
        )
    )
    with (directory / "sshd.log").open("wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", str(directory / "sshd_config")], stderr=log)
    server = Server(directory, port, process)
    server.known_hosts.write_text(f"[127.0.0.1]:{port} {server.host_key()}\n")
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"sshd did not start:\n{(directory / 'sshd.log').read_text()}")


def stop_sshd(server: Server) -> None:
    """Stop an sshd and its sessions."""
    server.kill_sessions()
    server.process.terminate()
    server.process.wait(10)


def end_masters(folder: Path) -> None:
    """End every ssh that holds a connection for a control socket in a runtime directory."""
    for path in folder.glob("trainsub/*"):
        if path.is_socket():
            subprocess.run(["ssh", "-O", "exit", "-S", str(path), "any"], check=False, capture_output=True)


def output(transport: Transport, *argv: str, stdin: bytes = b"") -> bytes:
    """Run a program to its end and return its stdout."""
    channel = transport.open(argv)
    try:
        channel.write(stdin)
        channel.close_write()
        chunks = []
        while chunk := channel.read(20):
            chunks.append(chunk)
        assert channel.exit_status(20) == 0, channel.stderr()
        return b"".join(chunks)
    finally:
        channel.close()
