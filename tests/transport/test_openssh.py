"""The system's ssh as a transport: one connection for all, who may reach it, and what is said when it breaks."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sshd import Server, free_port, make_key, output

from trainsub.errors import (
    AuthError,
    ConfigError,
    ConnectionLostError,
    HostKeyError,
    TransportError,
    UnreachableError,
)
from trainsub.transport import KeepsLogin, Transport
from trainsub.transport.mux import Mux
from trainsub.transport.ssh_words import connection_error

from .test_reach import RELAY, Relay, listener

Connect = Callable[..., Transport]
Open = Callable[..., Transport]

PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from sshd import Cluster, output
from trainsub.transport import open_transport
transport = open_transport("hpc", Cluster(transport="openssh", host="hpc", ssh_config=Path(sys.argv[1])))
print(output(transport, *sys.argv[2:]).decode(), transport.connections, flush=True)
"""


@pytest.fixture
def ssh(connect: Connect) -> Open:
    """Transports of this kind."""
    return lambda config, **settings: connect(config, **{"transport": "openssh", **settings})


def sockets(runtime: Path) -> list[Path]:
    """The control sockets."""
    return [path for path in (runtime / "trainsub").glob("*") if path.is_socket()]


def master(runtime: Path) -> int:
    """The process id of the only master."""
    (path,) = sockets(runtime)
    conversation = Mux(path, 5)
    try:
        return conversation.alive()
    finally:
        conversation.close()


def other_process(config: Path, *argv: str, **options: object) -> subprocess.Popen[str]:
    """Another trainsub."""
    program = PROGRAM.format(tests=str(Path(__file__).parents[1]))
    started: subprocess.Popen[str] = subprocess.Popen(
        [sys.executable, "-c", program, str(config), *argv], stdout=subprocess.PIPE, text=True, **options
    )  # type: ignore[call-overload] # its options are many
    return started


def logins(server: Server) -> int:
    """How often somebody logged in."""
    return (server.directory / "sshd.log").read_text().count("Accepted publickey")


def refusal(transport: Transport, kind: type[TransportError]) -> TransportError:
    """The error of an open that must fail."""
    with pytest.raises(kind) as caught:
        transport.open(["true"])
    assert type(caught.value) is kind
    return caught.value


# -- one connection ---------------------------------------------------------------------------------------------------


def test_one_connection_for_all_commands(sshd: Server, tmp_path: Path, ssh: Open) -> None:
    """Another transport to the same cluster, and another process, ride on the connection of the first."""
    config = sshd.config(tmp_path / "config")
    before = logins(sshd)
    first = ssh(config)
    assert output(first, "echo", "one") == b"one\n"
    first.close()
    second = ssh(config)
    assert output(second, "echo", "two") == b"two\n"
    assert (first.connections, second.connections) == (1, 0)
    third = other_process(config, "echo", "three")
    assert third.communicate(timeout=20)[0] == "three\n 0\n"
    assert logins(sshd) == before + 1


def test_two_at_once_make_one(sshd: Server, tmp_path: Path) -> None:
    """Several processes that start together make one connection."""
    config = sshd.config(tmp_path / "config")
    before = logins(sshd)
    others = [other_process(config, "echo", "x") for _ in range(4)]
    made = [int(other.communicate(timeout=30)[0].split()[1]) for other in others]
    assert sum(made) == 1
    assert logins(sshd) == before + 1


def test_what_the_way_depends_on_makes_another(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """Another user, port, key or setting is another connection; another name for the same file is not."""
    config = sshd.config(tmp_path / "config")
    output(ssh(config), "true")
    output(ssh(sshd.config(tmp_path / "same")), "true")
    assert len(sockets(runtime)) == 1
    output(ssh(config, identity_file=sshd.key), "true")
    output(ssh(sshd.config(tmp_path / "other", "Compression yes")), "true")
    assert len(sockets(runtime)) == 3


def test_its_own_settings_win(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """A configuration that shares, forwards or runs something by itself does not disturb."""
    busy = free_port()
    config = sshd.config(
        tmp_path / "config",
        "ControlMaster auto",
        f"ControlPath {tmp_path}/theirs",
        f"LocalForward {busy} 127.0.0.1:1",
        "RemoteCommand echo hijacked",
        "RequestTTY force",
        "PermitLocalCommand yes",
        f"LocalCommand touch {tmp_path}/ran",
        "ForwardAgent yes",
    )
    assert output(ssh(config), "echo", "ok") == b"ok\n"
    assert not (tmp_path / "theirs").exists()
    assert not (tmp_path / "ran").exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", busy)) != 0
    assert len(sockets(runtime)) == 1


def test_send_env(sshd_with: Callable[..., Server], tmp_path: Path, ssh: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """SendEnv and SetEnv reach the program, as with ssh itself; nothing else does."""
    server = sshd_with("AcceptEnv *")
    monkeypatch.setenv("MY_WORD", "ünï")
    monkeypatch.setenv("OTHER_WORD", "no")
    config = server.config(tmp_path / "config", "SendEnv MY_*", "SetEnv SET_WORD=two")
    printed = output(ssh(config), "sh", "-c", 'echo "$MY_WORD $SET_WORD $OTHER_WORD"')
    assert printed == "ünï two \n".encode()


def test_jump_host(sshd: Server, tmp_path: Path, ssh: Open) -> None:
    """ProxyJump leads through other hosts."""
    config = sshd.config(tmp_path / "config", "ProxyJump first,second")
    for name in ("first", "second"):
        config.write_text(config.read_text() + sshd.config(tmp_path / name, host=name).read_text())
    data = bytes(range(256)) * 10000
    transport = ssh(config)
    assert output(transport, "cat", stdin=data) == data
    assert transport.connections == 1
    assert transport.description.endswith(f"@127.0.0.1:{sshd.port})")


def test_proxy_command(sshd: Server, tmp_path: Path, ssh: Open) -> None:
    """A ProxyCommand is the connection."""
    (tmp_path / "relay.py").write_text(RELAY)
    config = sshd.config(tmp_path / "config", f"ProxyCommand {sys.executable} {tmp_path}/relay.py %h %p")
    assert output(ssh(config), "echo", "ok") == b"ok\n"


def test_the_wrapper_is_killed(sshd: Server, tmp_path: Path, ssh: Open) -> None:
    """An end without an exit status is told as one; the connection lives."""
    transport = ssh(sshd.config(tmp_path / "config"))
    channel = transport.open(["sh", "-c", "kill -9 $PPID $$"])
    assert channel.exit_status(10) is None
    channel.close()
    assert output(transport, "echo", "ok") == b"ok\n"
    assert transport.connections == 1


# -- who may reach it -------------------------------------------------------------------------------------------------


def test_folder_is_private(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """The folder and what is in it are for their owner alone."""
    output(ssh(sshd.config(tmp_path / "config")), "true")
    folder = runtime / "trainsub"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_open_folder_is_refused(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """A folder that others can enter is not used."""
    folder = runtime / "trainsub"
    folder.mkdir()
    folder.chmod(0o750)
    error = refusal(ssh(sshd.config(tmp_path / "config")), TransportError)
    assert "its mode is 0750" in error.message
    assert f"rm -r {folder}" in str(error.hint)


def test_symlink_is_refused(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """A link is not followed, even to a folder of ours."""
    (runtime / "real").mkdir(mode=0o700)
    (runtime / "trainsub").symlink_to(runtime / "real")
    assert "symbolic link" in refusal(ssh(sshd.config(tmp_path / "config")), TransportError).message


def test_file_is_refused(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """What is no folder is not used."""
    (runtime / "trainsub").write_text("")
    assert "it is no folder" in refusal(ssh(sshd.config(tmp_path / "config")), TransportError).message


@pytest.mark.skipif(os.getuid() != 0, reason="NOT TESTED: only root can give a folder to another user")
def test_foreign_folder_is_refused(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """A folder that somebody else has put there is not used."""
    folder = runtime / "trainsub"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, -1)
    assert "it belongs to user 12345" in refusal(ssh(sshd.config(tmp_path / "config")), TransportError).message


def test_long_runtime_directory(
    sshd: Server, tmp_path: Path, ssh: Open, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is named and too long for a socket's name is refused: another one would not be what was wanted."""
    long = runtime / ("x" * 80)
    long.mkdir(mode=0o700)
    monkeypatch.setenv("TRAINSUB_RUNTIME_DIR", str(long))
    error = refusal(ssh(sshd.config(tmp_path / "config")), TransportError)
    assert "TRAINSUB_RUNTIME_DIR is too long" in error.message


# -- what breaks ------------------------------------------------------------------------------------------------------


def test_master_killed_between_commands(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """What a killed master has left behind is removed, and another one made."""
    transport = ssh(sshd.config(tmp_path / "config"))
    output(transport, "true")
    os.kill(master(runtime), signal.SIGKILL)
    assert len(sockets(runtime)) == 1
    assert output(transport, "echo", "ok") == b"ok\n"
    assert transport.connections == 2


def test_stale_file(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """Anything that stands in the socket's place and does not answer is removed."""
    config = sshd.config(tmp_path / "config")
    transport = ssh(config)
    output(transport, "true")
    (path,) = sockets(runtime)
    assert isinstance(transport, KeepsLogin)
    assert transport.log_out()
    path.write_text("not a socket")
    assert output(transport, "echo", "ok") == b"ok\n"


def test_master_killed_during_a_command(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """It is a lost connection for the reader, the writer, and whoever waits for the end."""
    transport = ssh(sshd.config(tmp_path / "config"))
    channel = transport.open(["sh", "-c", "echo started; sleep 30"])
    assert channel.read(10) == b"started\n"
    killer = threading.Timer(0.3, os.kill, (master(runtime), signal.SIGKILL))
    killer.start()
    with pytest.raises(ConnectionLostError):
        channel.read(10)
    with pytest.raises(ConnectionLostError):
        channel.exit_status(10)
    with pytest.raises(ConnectionLostError):
        channel.write(b"x" * 1_000_000)
    channel.close()
    killer.join()
    assert output(transport, "echo", "again") == b"again\n"


def test_master_killed_after_the_end_of_stdout(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """A program that has only closed its stdout has not ended."""
    channel = ssh(sshd.config(tmp_path / "config")).open(["sh", "-c", "sleep 30"])
    os.kill(master(runtime), signal.SIGTERM)
    with pytest.raises(ConnectionLostError):
        channel.exit_status(10)
    channel.close()


def test_server_dies(sshd: Server, tmp_path: Path, ssh: Open) -> None:
    """A login node that dies is a lost connection for a writer that waits, and the next open connects again."""
    transport = ssh(sshd.config(tmp_path / "config"))
    channel = transport.open(["sleep", "30"])
    killer = threading.Timer(0.5, sshd.kill_sessions)
    killer.start()
    with pytest.raises(ConnectionLostError):
        channel.write(b"x" * 32_000_000)
    killer.join()
    channel.close()
    assert output(transport, "echo", "again") == b"again\n"
    assert transport.connections == 2


def test_black_hole(sshd: Server, tmp_path: Path, ssh: Open) -> None:
    """A connection on which nothing comes back is found out during a command, and before one."""
    relay = Relay(sshd.port)
    with listener(relay) as port:
        known = tmp_path / "known"
        known.write_text(f"[127.0.0.1]:{port} {sshd.host_key()}\n")
        alive = ("ServerAliveInterval 1", "ServerAliveCountMax 2")
        config = sshd.config(tmp_path / "config", f"Port {port}", f"UserKnownHostsFile {known}", *alive)
        transport = ssh(config)
        channel = transport.open(["cat"])
        relay.swallow = True
        started = time.monotonic()
        with pytest.raises(ConnectionLostError):
            channel.read(15)
        assert time.monotonic() - started < 6
        channel.close()


def test_black_hole_before_a_command(sshd: Server, tmp_path: Path, ssh: Open) -> None:
    """A laptop that wakes up with another address: the old connection is given up, its sessions are not touched."""
    relays: list[Relay] = []

    def behave(client: socket.socket) -> None:
        relays.append(Relay(sshd.port))
        relays[-1](client)

    with listener(behave) as port:
        known = tmp_path / "known"
        known.write_text(f"[127.0.0.1]:{port} {sshd.host_key()}\n")
        config = sshd.config(tmp_path / "config", f"Port {port}", f"UserKnownHostsFile {known}")
        transport = ssh(config, connect_timeout=1)
        output(transport, "true")
        relays[0].swallow = True
        assert output(transport, "echo", "ok") == b"ok\n"
        assert transport.connections == 2


def test_master_that_hangs(
    sshd: Server, tmp_path: Path, ssh: Open, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped master holds nobody up for long, neither in a command nor before one."""
    monkeypatch.setattr("trainsub.transport.master.PATIENCE", 0.5)
    monkeypatch.setattr("trainsub.transport.openssh.PATIENCE", 0.5)
    monkeypatch.setattr("trainsub.transport.mux_channel._WATCH", 0.5)
    transport = ssh(sshd.config(tmp_path / "config"))
    channel = transport.open(["cat"])
    pid = master(runtime)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ConnectionLostError):
            channel.read()
        channel.close()
        assert output(transport, "echo", "ok") == b"ok\n"
        assert transport.connections == 2
    finally:
        os.kill(pid, signal.SIGKILL)


def test_no_session(sshd_with: Callable[..., Server], tmp_path: Path, ssh: Open) -> None:
    """Sessions that the server does not open are told apart from a lost connection."""
    server = sshd_with("MaxSessions 1")
    transport = ssh(server.config(tmp_path / "config"))
    channel = transport.open(["cat"])
    error = refusal(transport, TransportError)
    assert "opens no session" in error.message
    assert "MaxSessions" in str(error.hint)
    channel.close_write()
    assert channel.exit_status(10) == 0
    channel.close()


def test_ctrl_c(sshd: Server, tmp_path: Path, runtime: Path) -> None:
    """Ctrl-C at the terminal ends the command, and not the connection that others use."""
    other = other_process(
        sshd.config(tmp_path / "config"), "sh", "-c", "echo >&2; sleep 30", start_new_session=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not sockets(runtime):
        time.sleep(0.05)
    pid = master(runtime)
    time.sleep(0.3)
    os.killpg(other.pid, signal.SIGINT)
    other.communicate(timeout=10)
    assert other.returncode != 0
    assert master(runtime) == pid


def test_a_pipe_ends(sshd: Server, tmp_path: Path, runtime: Path) -> None:
    """The ssh in the background holds no stream of the command that made it."""
    with other_process(sshd.config(tmp_path / "config"), "echo", "ok", stderr=subprocess.STDOUT) as other:
        started = time.monotonic()
        printed, _ = other.communicate(timeout=20)
        assert time.monotonic() - started < 15
    assert printed == "ok\n 1\n"
    assert master(runtime)


def test_commands_need_no_folder_of_ours(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """The ssh in the background keeps no folder busy."""
    output(ssh(sshd.config(tmp_path / "config")), "true")
    if sys.platform == "linux":
        assert Path(f"/proc/{master(runtime)}/cwd").readlink() == Path("/")


# -- what is said -----------------------------------------------------------------------------------------------------


def test_wrong_key(sshd: Server, tmp_path: Path, ssh: Open) -> None:
    """A missing login is named, with the command that helps; nobody is asked."""
    key = make_key(tmp_path / "other")
    config = sshd.config(tmp_path / "config", f"IdentityFile {key}")
    config.write_text(config.read_text().replace(f"IdentityFile {sshd.key}", ""))
    error = refusal(ssh(config), AuthError)
    assert error.message.startswith("login needed: hpc (")
    assert "Permission denied (publickey)" in error.message
    assert str(error.hint).startswith("the server takes nothing but keys")
    assert str(error.hint).endswith(
        "If it has a passphrase or a PIN, log in once at a terminal: trainsub cluster login hpc"
    )


def test_locked_key(sshd: Server, tmp_path: Path, ssh: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key with a passphrase is not asked for, not even by a graphical program."""
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("SSH_ASKPASS", f"{tmp_path}/askpass")
    (tmp_path / "askpass").write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
    (tmp_path / "askpass").chmod(0o755)
    key = make_key(tmp_path / "locked", passphrase="secret")
    config = sshd.config(tmp_path / "config", f"IdentityFile {key}")
    config.write_text(config.read_text().replace(f"IdentityFile {sshd.key}", ""))
    refusal(ssh(config), AuthError)
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("weaker", ["no", "accept-new"])
def test_unknown_host_key(sshd: Server, tmp_path: Path, ssh: Open, weaker: str) -> None:
    """A host key that is not known is refused, whatever the configuration says."""
    lines = (f"StrictHostKeyChecking {weaker}", f"UserKnownHostsFile {tmp_path}/none")
    error = refusal(ssh(sshd.config(tmp_path / "config", *lines)), HostKeyError)
    assert "is not known" in error.message
    assert "ssh -o StrictHostKeyChecking=ask" in str(error.hint)
    assert not (tmp_path / "none").exists()


def test_changed_host_key(sshd: Server, tmp_path: Path, ssh: Open) -> None:
    """Another host key than the known one is shouted, with what was shown, where the known one is, and what to do."""
    other = make_key(tmp_path / "other")
    known = tmp_path / "known"
    known.write_text(f"# mine\n[127.0.0.1]:{sshd.port} {Path(f'{other}.pub').read_text()}")
    error = refusal(ssh(sshd.config(tmp_path / "config", f"UserKnownHostsFile {known}")), HostKeyError)
    first, showed, is_known = error.message.splitlines()
    assert first.startswith("THE HOST KEY OF hpc (")
    assert first.endswith(f"@127.0.0.1:{sshd.port}) HAS CHANGED: somebody may be standing in its place")
    assert re.fullmatch(r"  it showed  ED25519 SHA256:[A-Za-z0-9+/]{43}", showed)
    assert is_known == f"  known is   the ED25519 key in {known}:2"
    assert f"ssh-keygen -f {known} -R '[127.0.0.1]:{sshd.port}', then: ssh -o Strict" in str(error.hint)
    assert "|" not in error.message


def test_changed_host_key_of_a_jump_host() -> None:
    """It is not said to be the cluster's."""
    said = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\r\nHost key for jump.org has changed and you"
    error = connection_error("hpc", "hpc (me@login.org:22)", "ssh hpc", said, asked=False)
    assert error.message.startswith("THE HOST KEY OF jump.org, ON THE WAY TO hpc (me@login.org:22), HAS CHANGED")
    assert "ssh-keygen -R jump.org" in str(error.hint)


def test_many_words_are_cut_between_words() -> None:
    """Of what ssh says at length, the end counts."""
    error = connection_error("hpc", "hpc", "ssh hpc", "\n".join(f"word{n}" for n in range(500)), asked=False)
    assert re.fullmatch(r"ssh could not connect to hpc: … ((word\d+|\|) )+word499", error.message)


def test_a_configuration_that_ssh_refuses(tmp_path: Path, ssh: Open) -> None:
    """The hint shows the same to whoever types it: the file is in it."""
    config = tmp_path / "my config"
    config.write_text("Nonsense yes\n")
    with pytest.raises(ConfigError) as caught:
        output(ssh(config), "true")
    assert caught.value.hint == f"try: ssh -F '{config}' -G -- hpc"


def test_refused(ssh: Open) -> None:
    """A closed port."""
    port = free_port()
    error = refusal(ssh(Path("/dev/null"), host="127.0.0.1", port=port), UnreachableError)
    assert "Connection refused" in error.message
    assert f"127.0.0.1:{port}" in error.message


def test_unknown_host(ssh: Open) -> None:
    """A name without an address."""
    error = refusal(ssh(Path("/dev/null"), host="no-such-host.invalid"), UnreachableError)
    assert "Could not resolve hostname" in error.message


def test_silent_server(ssh: Open) -> None:
    """A server that says nothing costs the timeout."""

    def say_nothing(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(1000)
            time.sleep(5)

    with listener(say_nothing) as port:
        started = time.monotonic()
        error = refusal(ssh(Path("/dev/null"), host="127.0.0.1", port=port, connect_timeout=1), UnreachableError)
        assert time.monotonic() - started < 4
    assert "timed out" in error.message


def test_hangs_after_its_greeting(ssh: Open) -> None:
    """ssh has no limit of its own for the rest of the handshake; there is one all the same."""

    def greet(connection: socket.socket) -> None:
        with connection:
            connection.sendall(b"SSH-2.0-slow\r\n")
            time.sleep(6)

    with listener(greet) as port:
        started = time.monotonic()
        error = refusal(ssh(Path("/dev/null"), host="127.0.0.1", port=port, connect_timeout=1), UnreachableError)
        assert time.monotonic() - started < 5
    assert "timed out after 3 s" in error.message


def test_bad_configuration(sshd: Server, tmp_path: Path, ssh: Open) -> None:
    """A mistake in the OpenSSH configuration is one of configuration."""
    with pytest.raises(ConfigError, match=r"(?i)NoSuchOption"):
        ssh(sshd.config(tmp_path / "config", "NoSuchOption yes")).open(["true"])


def test_host_is_no_option(ssh: Open) -> None:
    """A host cannot smuggle an option in."""
    with pytest.raises(ConfigError, match="cannot be a host"):
        ssh(None, host="-oProxyCommand=touch /tmp/x").open(["true"])


def test_ssh_is_not_installed(sshd: Server, tmp_path: Path, ssh: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ssh the message says what else works."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="ssh is not installed"):
        ssh(sshd.config(tmp_path / "config")).open(["true"])


def test_the_lock_cannot_be_taken(sshd: Server, tmp_path: Path, ssh: Open, runtime: Path) -> None:
    """What is wrong with the folder of control sockets is told."""
    transport = ssh(sshd.config(tmp_path / "config"))
    output(transport, "true")
    assert isinstance(transport, KeepsLogin)
    assert transport.log_out()
    (lock,) = (runtime / "trainsub").glob("*.lock")
    lock.unlink()
    lock.mkdir()
    assert str(lock) in refusal(transport, TransportError).message
