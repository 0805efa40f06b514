"""Logging in by key, and what is said when it fails."""

import getpass
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sshd import Server, make_key, output, public, run

from trainsub.errors import AuthError, ConfigError
from trainsub.transport import Transport

Connect = Callable[..., Transport]


def refusal(transport: Transport) -> AuthError:
    """The error of a login that must fail."""
    with pytest.raises(AuthError) as caught:
        transport.open(["true"])
    return caught.value


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty ssh-agent of one's own."""
    path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    while not path.exists():
        time.sleep(0.01)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    yield path
    process.terminate()
    process.wait()


def allow(server: Server, key: Path) -> None:
    """Let a key log in."""
    with (server.directory / "authorized_keys").open("a") as file:
        file.write(public(key) + "\n")


def test_wrong_key(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """The message lists what was tried and what the server allows."""
    key = make_key(tmp_path / "other")
    error = refusal(connect(sshd.config(tmp_path / "config"), identity_file=key))
    assert f"{key} ED25519 {run('ssh-keygen', '-lf', key).split()[1]}" in error.message
    assert "the server allows: publickey" in error.message
    assert f"{getpass.getuser()}@127.0.0.1:{sshd.port}" in error.message


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_kinds_of_keys(sshd: Server, tmp_path: Path, connect: Connect, kind: str) -> None:
    """Each usual kind of key logs in, and a wrong key before it does no harm."""
    key = make_key(tmp_path / "key", kind)
    allow(sshd, key)
    wrong = make_key(tmp_path / "wrong")
    config = sshd.config(tmp_path / "config", f"IdentityFile {wrong}", f"IdentityFile {key}")
    config.write_text(config.read_text().replace(f"IdentityFile {sshd.key}", "IdentityFile /nowhere"))
    assert output(connect(config), "echo", "ok") == b"ok\n"


def test_old_pem_key(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """RSA keys in the old PEM format still work."""
    key = tmp_path / "pem"
    run("ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", key)
    allow(sshd, key)
    assert output(connect(sshd.config(tmp_path / "config"), identity_file=key), "echo", "ok") == b"ok\n"


def test_pkcs8_key(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A format that cannot be read is said to be one, with the command that converts it."""
    key = tmp_path / "pkcs8"
    run("ssh-keygen", "-q", "-t", "rsa", "-m", "PKCS8", "-N", "", "-f", key)
    key_pub = Path(f"{key}.pub")
    key_pub.unlink()
    error = refusal(connect(sshd.config(tmp_path / "config"), identity_file=key))
    assert f"ssh-keygen -p -f {key}" in error.message


def test_encrypted_key_without_a_terminal(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """The message names the key and the way out."""
    key = make_key(tmp_path / "locked", passphrase="secret")
    error = refusal(connect(sshd.config(tmp_path / "config"), identity_file=key))
    assert str(key) in error.message
    assert error.hint == f"put it into the agent: ssh-add {key}"


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_encrypted_key_with_a_terminal(sshd: Server, tmp_path: Path, connect: Connect, kind: str) -> None:
    """The passphrase is asked for, again after a wrong one."""
    key = make_key(tmp_path / "locked", kind, passphrase="secret")
    allow(sshd, key)
    answers = ["wrong", "secret"]
    asked = []

    def ask(prompt: str, *, echo: bool = False) -> str:
        assert not echo
        asked.append(prompt)
        return answers.pop(0)

    transport = connect(sshd.config(tmp_path / "config"), identity_file=key, ask=ask)
    assert output(transport, "echo", "ok") == b"ok\n"
    assert asked == [f"Passphrase for {key}: "] * 2


def test_wrong_passphrase(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """After three wrong passphrases it is an error."""
    key = make_key(tmp_path / "locked", passphrase="secret")
    transport = connect(sshd.config(tmp_path / "config"), identity_file=key, ask=lambda *_, **__: "wrong")
    assert "wrong passphrase" in refusal(transport).message


def test_passphrase_is_asked_for_last(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """Nobody is asked while another key logs in."""
    key = make_key(tmp_path / "locked", passphrase="secret")
    config = sshd.config(tmp_path / "config", f"IdentityFile {key}")
    assert output(connect(config, ask=None), "echo", "ok") == b"ok\n"


def test_agent(sshd: Server, tmp_path: Path, connect: Connect, agent: Path) -> None:
    """A key in the agent logs in, although its file is locked."""
    key = make_key(tmp_path / "key")
    allow(sshd, key)
    run("ssh-add", "-q", key)
    run("ssh-keygen", "-q", "-p", "-N", "secret", "-f", key)
    config = sshd.config(tmp_path / "config", f"IdentityAgent {agent}", f"IdentityFile {key}")
    config.write_text(config.read_text().replace(f"IdentityFile {sshd.key}", ""))
    assert output(connect(config), "echo", "ok") == b"ok\n"
    Path(key).unlink()  # the public half is enough to find it in the agent
    assert output(connect(config), "echo", "ok") == b"ok\n"


def test_identities_only(sshd: Server, tmp_path: Path, connect: Connect, agent: Path) -> None:
    """With IdentitiesOnly, the agent's other keys are not offered; without it they are."""
    key = make_key(tmp_path / "key")
    allow(sshd, key)
    run("ssh-add", "-q", key)
    wrong = make_key(tmp_path / "wrong")
    only = connect(sshd.config(tmp_path / "only", f"IdentityAgent {agent}"), identity_file=wrong)
    assert "agent" not in refusal(only).message
    config = sshd.config(tmp_path / "config", "IdentityAgent SSH_AUTH_SOCK", "IdentitiesOnly no")
    config.write_text(config.read_text().replace(f"IdentityFile {sshd.key}", f"IdentityFile {wrong}"))
    assert output(connect(config), "echo", "ok") == b"ok\n"


def test_too_many_keys(sshd: Server, tmp_path: Path, connect: Connect, agent: Path) -> None:
    """A server that loses patience is understood, and the hint says what helps."""
    for number in range(8):
        run("ssh-add", "-q", make_key(tmp_path / f"key{number}"))
    config = sshd.config(tmp_path / "config", f"IdentityAgent {agent}", "IdentitiesOnly no")
    config.write_text(config.read_text().replace(f"IdentityFile {sshd.key}", ""))
    error = refusal(connect(config))
    assert "Too many authentication failures" in error.message
    assert error.hint is not None
    assert "IdentitiesOnly yes" in error.hint


def test_dead_agent(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """An agent that is gone is no error while a key file logs in."""
    config = sshd.config(tmp_path / "config", f"IdentityAgent {tmp_path}/gone")
    assert output(connect(config), "echo", "ok") == b"ok\n"


def test_no_keys(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """Without any key the message says where was looked."""
    config = sshd.config(tmp_path / "config")
    config.write_text(config.read_text().replace(str(sshd.key), f"{tmp_path}/none"))
    error = refusal(connect(config))
    assert "no key to offer" in error.message
    assert error.hint is not None
    assert f"{tmp_path}/none" in error.hint


def test_missing_identity_file(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A key that the cluster's configuration names must exist."""
    with pytest.raises(ConfigError, match="does not exist"):
        connect(sshd.config(tmp_path / "config"), identity_file=tmp_path / "none").open(["true"])


def test_certificate(sshd_with: Callable[..., Server], tmp_path: Path, connect: Connect, agent: Path) -> None:
    """A user certificate logs in, from its file and from the agent."""
    ca = make_key(tmp_path / "ca")
    server = sshd_with(f"TrustedUserCAKeys {ca}.pub")
    key = make_key(tmp_path / "key")
    run("ssh-keygen", "-q", "-s", ca, "-I", "me", "-n", getpass.getuser(), f"{key}.pub")
    assert output(connect(server.config(tmp_path / "config"), identity_file=key), "echo", "ok") == b"ok\n"
    run("ssh-add", "-q", key)
    Path(key).unlink()
    Path(f"{key}-cert.pub").unlink()
    config = server.config(tmp_path / "by_agent", f"IdentityAgent {agent}")
    assert output(connect(config, identity_file=f"{key}.pub"), "echo", "ok") == b"ok\n"


def test_second_factor(sshd_with: Callable[..., Server], tmp_path: Path, connect: Connect) -> None:
    """A server that wants more than a key is told apart from one that refuses the key."""
    server = sshd_with("AuthenticationMethods publickey,publickey")
    error = refusal(connect(server.config(tmp_path / "config")))
    assert "second step: publickey" in error.message


def test_wrong_user(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """The cluster's user overrules that of the OpenSSH configuration."""
    error = refusal(connect(sshd.config(tmp_path / "config"), user="nobody-of-that-name"))
    assert "nobody-of-that-name@" in error.message


def test_pubkey_off(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """PubkeyAuthentication=no is honoured, and named."""
    assert (
        "PubkeyAuthentication" in refusal(connect(sshd.config(tmp_path / "config", "PubkeyAuthentication no"))).message
    )


def test_passphrase_in_the_background(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """What fails while preparing is raised by open."""
    key = make_key(tmp_path / "locked", passphrase="secret")
    transport = connect(sshd.config(tmp_path / "config"), identity_file=key)
    transport.prepare()
    refusal(transport)
    assert os.environ.get("SSH_ASKPASS") is None
