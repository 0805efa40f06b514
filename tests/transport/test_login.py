"""``trainsub cluster login``: asked once at a real terminal; later commands, without one, ride on that login."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest
from codes import CodeServer, Rules
from sshd import SSHD, Server, make_key, output, start_sshd, stop_sshd
from terminal import Terminal

from trainsub.transport import KeepsLogin, Transport

Connect = Callable[..., Transport]

TRAINSUB = [sys.executable, "-m", "trainsub"]


class Desk:
    """A user's machine: a configuration with the cluster hpc, and the commands that are given there."""

    def __init__(self, folder: Path, ssh_config: Path, runtime: Path, transport: str = "openssh") -> None:
        self.config = folder / "config.toml"
        self.config.write_text(
            f'[clusters.hpc]\ntransport = "{transport}"\nhost = "hpc"\nssh_config = "{ssh_config}"\n'
            'slurm_bin = "/nowhere"\n'
        )
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "HOME": str(folder),
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
            "TRAINSUB_RUNTIME_DIR": str(runtime),
            "TRAINSUB_CONFIG": str(self.config),
            "TRAINSUB_STATE_DIR": str(folder / "state"),
            "TRAINSUB_CACHE_DIR": str(folder / "cache"),
        }

    def at_terminal(self, *words: str) -> Terminal:
        """Give a command at a terminal."""
        return Terminal([*TRAINSUB, *words], self.environ)

    def without(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Give a command where there is no terminal."""
        return subprocess.run(
            [*TRAINSUB, *words],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            start_new_session=True,
            check=False,
        )

    def reaches(self) -> bool:
        """Whether a command without a terminal gets through; that Slurm is not there is another matter."""
        done = self.without("cluster", "check", "--json")
        assert done.returncode in {3, 4}, done.stderr
        return done.returncode != 4


@pytest.fixture
def locked(sshd: Server, tmp_path: Path) -> Path:
    """A configuration whose only key has a passphrase."""
    key = make_key(tmp_path / "locked", passphrase="open sesame")
    with (sshd.directory / "authorized_keys").open("a") as file:
        file.write(Path(f"{key}.pub").read_text())
    config = sshd.config(tmp_path / "config", f"IdentityFile {key}")
    config.write_text(config.read_text().replace(f"IdentityFile {sshd.key}", ""))
    return config


@pytest.fixture
def codes(sshd: Server, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Start a server that asks for a password and a code; the configuration for it."""
    started: list[CodeServer] = []
    host_key = paramiko.Ed25519Key.from_private_key_file(str(sshd.directory / "host_ed25519"))

    def start(**rules: object) -> Path:
        started.append(CodeServer(Rules(**rules), host_key))  # type: ignore[arg-type]
        known = tmp_path / "known_codes"
        known.write_text(f"[127.0.0.1]:{started[-1].port} {started[-1].host_key}\n")
        lines = (f"Port {started[-1].port}", f"UserKnownHostsFile {known}")
        return sshd.config(tmp_path / "config", *lines)

    yield start
    for server in started:
        server.close()


def test_passphrase_once(sshd: Server, locked: Path, tmp_path: Path, runtime: Path) -> None:
    """Without a login, exit code 4 and no prompt; after one, commands without a terminal use it until logout."""
    desk = Desk(tmp_path, locked, runtime)
    refused = desk.without("cluster", "check")
    assert refused.returncode == 4
    assert refused.stderr.startswith("error: login needed: hpc (")
    assert "log in once at a terminal: trainsub cluster login hpc" in refused.stderr
    assert refused.stderr.endswith("trainsub cluster login hpc\n")
    with desk.at_terminal("cluster", "login") as terminal:
        terminal.expect("Enter passphrase for key")
        assert not terminal.echoes()
        terminal.type("open sesame")
        terminal.expect("logged in to hpc (")
        terminal.expect(f"@127.0.0.1:{sshd.port}); the connection stays until no command has used it for 8 h")
        assert terminal.end() == 0
    assert "sesame" not in terminal.shown
    assert desk.reaches()
    again = desk.without("cluster", "login", "--json")
    said = json.loads(again.stdout)
    assert (said["kept"], said["new"], said["idle_seconds"]) == (True, False, 28800)
    assert desk.without("cluster", "logout").stderr == "trainsub: logged out of hpc\n"
    assert desk.without("cluster", "logout").stderr == "trainsub: there was no connection to hpc\n"
    assert not desk.reaches()


@pytest.mark.parametrize("steps", [("keyboard-interactive",), ("publickey", "keyboard-interactive")])
def test_password_and_code_once(
    codes: Callable[..., Path], tmp_path: Path, runtime: Path, connect: Connect, steps: tuple[str, ...]
) -> None:
    """A second factor is asked for by ssh itself, in its own words, once."""
    config = codes(steps=steps)
    desk = Desk(tmp_path, config, runtime)
    assert desk.without("cluster", "check").returncode == 4
    with desk.at_terminal("cluster", "login", "hpc") as terminal:
        terminal.expect("Password: ")
        terminal.type("secret")
        terminal.expect("Your token")
        terminal.expect("Code: ")
        terminal.type("123456")
        terminal.expect("logged in to hpc (")
        assert terminal.end() == 0
    transport = connect(config, transport="openssh")
    assert output(transport, "cat", stdin=b"rides\n") == b"rides\n"
    assert transport.connections == 0


def test_the_page_shows_what_is_seen(codes: Callable[..., Path], tmp_path: Path, runtime: Path) -> None:
    """The dialogue in docs/how-to/log-in-with-2fa.md, typed as it stands there."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "log-in-with-2fa.md").read_text()
    shown = page.partition("```text\n")[2].partition("```")[0].splitlines()
    rounds = (("", (("Password: ", False, "secret"),)), ("", (("Verification code: ", False, "123456"),)))
    desk = Desk(tmp_path, codes(rounds=rounds), runtime)
    with desk.at_terminal(*shown[0].removeprefix("$ trainsub ").split()) as terminal:
        for prompt, answer in (("Password: ", "secret"), ("Verification code: ", "123456")):
            terminal.expect(prompt)
            terminal.type(answer)
        assert terminal.end() == 0
    said = re.sub(r"[\w.-]+@127\.0\.0\.1:\d+", "me@login.example.org:22", terminal.shown)
    said = re.sub(r"[\w.-]+@127\.0\.0\.1", "me@login.example.org", said)
    assert [line.strip() for line in said.splitlines() if line.strip()] == shown[1:]


@pytest.fixture
def pam(_sshd_installed: None, tmp_path: Path) -> Iterator[Server]:
    """A real sshd that wants a key and then, by PAM, a code; PAM knows a service by its program's name."""
    modules = list(Path("/").glob("lib/*/security/pam_exec.so"))
    if os.getuid() != 0 or not modules:
        pytest.skip("NOT TESTED with PAM: it takes root and libpam-modules")
    check, name = tmp_path / "check", f"tstest{os.getpid()}"
    check.write_text('#!/bin/sh\nread -r code || :\n[ "$(printf %s "$code" | tr -d \'\\0\')" = 4711 ]\n')
    check.chmod(0o755)
    (tmp_path / name).symlink_to(SSHD)
    service = Path("/etc/pam.d") / name
    permit = "\n".join(f"{kind} required pam_permit.so" for kind in ("auth", "account", "session"))
    service.write_text(f"auth required pam_exec.so expose_authtok quiet {check}\n{permit}\n")
    steps = ("KbdInteractiveAuthentication yes", "AuthenticationMethods publickey,keyboard-interactive")
    try:
        server = start_sshd(tmp_path, "UsePAM yes", *steps, program=str(tmp_path / name))
        yield server
        stop_sshd(server)
    finally:
        service.unlink()


@pytest.mark.parametrize("kind", ["openssh", "paramiko"])
def test_key_and_pam(pam: Server, tmp_path: Path, runtime: Path, kind: str) -> None:
    """Key, wrong code, right code on a real sshd with PAM; then, with openssh, a command without a terminal."""
    desk = Desk(tmp_path, pam.config(tmp_path / "config"), runtime, kind)
    assert not desk.reaches()
    with desk.at_terminal("cluster", "login") as terminal:
        for answer in ("1111", "4711"):
            terminal.expect("Password: ")
            terminal.type(answer)
        assert terminal.end() == 0
    assert desk.reaches() == (kind == "openssh")


def test_wrong_code(codes: Callable[..., Path], tmp_path: Path, runtime: Path) -> None:
    """What ssh says of wrong answers stands above the error, once; exit code 4."""
    desk = Desk(tmp_path, codes(rounds=(("", (("Code: ", False, "1"),)),)), runtime)
    with desk.at_terminal("cluster", "login") as terminal:
        for _ in range(3):
            terminal.expect("Code: ")
            terminal.type("7")
        assert terminal.end() == 4
    by_ssh, ours = terminal.shown.split("error: ")
    assert "did not accept the login" in ours
    assert "Permission denied (keyboard-interactive)" in by_ssh
    assert "Permission denied" not in ours


def test_ctrl_c_at_the_prompt(locked: Path, tmp_path: Path, runtime: Path) -> None:
    """Exit code 130, the terminal as it was, and nothing left behind."""
    desk = Desk(tmp_path, locked, runtime)
    with desk.at_terminal("cluster", "login") as terminal:
        terminal.expect("Enter passphrase for key")
        time.sleep(0.2)
        terminal.press_ctrl_c()
        terminal.expect("interrupted")
        assert terminal.echoes()
        assert terminal.end() == 130
    assert not desk.reaches()


def test_unknown_host_key_is_refused_at_the_terminal(sshd: Server, tmp_path: Path, runtime: Path) -> None:
    """Even where a person could say yes: the hint tells how a key becomes known."""
    desk = Desk(tmp_path, sshd.config(tmp_path / "config", f"UserKnownHostsFile {tmp_path}/none"), runtime)
    with desk.at_terminal("cluster", "login") as terminal:
        assert terminal.end() == 4
    assert "is not known" in terminal.shown
    assert "StrictHostKeyChecking=ask" in terminal.shown
    assert "yes/no" not in terminal.shown


def test_no_terminal(locked: Path, tmp_path: Path, runtime: Path) -> None:
    """A login that takes a person is exit code 4 where there is none."""
    done = Desk(tmp_path, locked, runtime).without("cluster", "login")
    assert (done.returncode, done.stdout) == (4, "")
    assert "login needed" in done.stderr


def test_keys_need_no_terminal(sshd: Server, tmp_path: Path, runtime: Path) -> None:
    """A login that takes nobody works without a terminal."""
    done = Desk(tmp_path, sshd.config(tmp_path / "config"), runtime).without("cluster", "login")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("logged in to hpc (")


def test_a_short_connection_becomes_a_long_one(sshd: Server, tmp_path: Path, runtime: Path, connect: Connect) -> None:
    """A connection that a command made stays for minutes; a login replaces it, and does not disturb who uses it."""
    config = sshd.config(tmp_path / "config")
    transport = connect(config, transport="openssh")
    channel = transport.open(["cat"])
    said = json.loads(Desk(tmp_path, config, runtime).without("cluster", "login", "--json").stdout)
    assert (said["new"], said["idle_seconds"]) == (True, 28800)
    channel.write(b"still here\n")
    assert channel.read(10) == b"still here\n"
    channel.close_write()
    assert channel.read(10) == b""
    assert channel.exit_status(10) == 0
    channel.close()
    assert output(transport, "echo", "ok") == b"ok\n"
    assert transport.connections == 1
    assert isinstance(transport, KeepsLogin)
    assert not transport.log_in(terminal=False).new


def test_paramiko_keeps_none(sshd: Server, tmp_path: Path, runtime: Path) -> None:
    """The login is tried, and what it is good for is said."""
    desk = Desk(tmp_path, sshd.config(tmp_path / "config"), runtime, "paramiko")
    done = desk.without("cluster", "login")
    assert done.returncode == 0
    assert done.stdout.endswith("the login works; it is not kept, each command logs in by itself\n")
    assert desk.without("cluster", "logout").stderr == "trainsub: there was no connection to hpc\n"


def test_paramiko_asks_at_the_terminal(codes: Callable[..., Path], tmp_path: Path, runtime: Path) -> None:
    """The password is not shown, and the code is, as the server wants it."""
    desk = Desk(tmp_path, codes(), runtime, "paramiko")
    assert desk.without("cluster", "login").returncode == 4
    with desk.at_terminal("cluster", "login") as terminal:
        terminal.expect("Password: ")
        time.sleep(0.2)
        assert not terminal.echoes()
        terminal.type("secret")
        terminal.expect("Your token")
        terminal.expect("Code: ")
        assert terminal.echoes()
        terminal.type("123456")
        terminal.expect("the login works")
        assert terminal.end() == 0
    assert "secret" not in terminal.shown
