"""Host keys: only the known one is accepted, and the messages tell what to do."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sshd import Server, make_key, output, public, run

from trainsub.errors import HostKeyError
from trainsub.transport import Transport

Connect = Callable[..., Transport]


def fingerprint(path: Path) -> str:
    """A key's fingerprint by OpenSSH's own word."""
    return run("ssh-keygen", "-lf", f"{path}.pub").split()[1]


def known(tmp_path: Path, *lines: str) -> str:
    """A configuration line for a known_hosts file with these lines."""
    file = tmp_path / "known"
    file.write_text("".join(f"{line}\n" for line in lines))
    return f"UserKnownHostsFile {file}"


def refusal(connect: Connect, config: Path) -> HostKeyError:
    """The error of a connection that must be refused."""
    with pytest.raises(HostKeyError) as caught:
        connect(config).open(["true"])
    return caught.value


def test_unknown_key(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """An unknown key is refused with its fingerprint, and with the command that lets OpenSSH store it."""
    config = sshd.config(tmp_path / "config", known(tmp_path))
    error = refusal(connect, config)
    assert f"ED25519 {fingerprint(sshd.directory / 'host_ed25519')}" in error.message
    assert f"127.0.0.1:{sshd.port}" in error.message
    assert error.hint is not None
    assert error.hint.endswith(f"ssh -o StrictHostKeyChecking=ask -F {config} hpc true")


def test_unknown_key_despite_the_users_configuration(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """StrictHostKeyChecking=no is not honoured."""
    config = sshd.config(tmp_path / "config", known(tmp_path), "StrictHostKeyChecking no")
    assert "is not known" in refusal(connect, config).message


def test_the_hint_works(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """What OpenSSH stores is what is then accepted, hashed names included."""
    config = sshd.config(tmp_path / "config", known(tmp_path), "HashKnownHosts yes")
    refusal(connect, config)
    subprocess.run(
        ["ssh", "-o", "StrictHostKeyChecking=accept-new", "-F", config, "hpc", "true"], check=True, capture_output=True
    )
    assert (tmp_path / "known").read_text().startswith("|1|")
    assert output(connect(config), "echo", "ok") == b"ok\n"


def test_changed_key(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A changed key is refused with both fingerprints, the place of the old one and the way to remove it."""
    old = make_key(tmp_path / "old")
    line = f"[127.0.0.1]:{sshd.port} {public(old)}"
    error = refusal(connect, sshd.config(tmp_path / "config", known(tmp_path, "# comment", line)))
    assert "HAS CHANGED" in error.message
    assert fingerprint(old) in error.message
    assert fingerprint(sshd.directory / "host_ed25519") in error.message
    assert f"{tmp_path}/known:2" in error.message
    assert error.hint is not None
    assert f"ssh-keygen -f {tmp_path}/known -R '[127.0.0.1]:{sshd.port}'" in error.hint


def test_revoked_key(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A revoked key is refused even where it is also known."""
    name = f"[127.0.0.1]:{sshd.port}"
    lines = (f"{name} {sshd.host_key()}", f"@revoked * {sshd.host_key()}")
    assert "revoked" in refusal(connect, sshd.config(tmp_path / "config", known(tmp_path, *lines))).message


def test_certificate_authority(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A host that is known only by its authority is refused, and the message says why."""
    line = f"@cert-authority [127.0.0.1]:{sshd.port} {public(make_key(tmp_path / 'ca'))}"
    error = refusal(connect, sshd.config(tmp_path / "config", known(tmp_path, line)))
    assert "certificate authority" in error.message


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_the_known_type_is_asked_for(sshd: Server, tmp_path: Path, connect: Connect, kind: str) -> None:
    """Whatever type of key is known, the server is asked for that one."""
    line = f"[127.0.0.1]:{sshd.port} {sshd.host_key(kind)}"
    config = sshd.config(tmp_path / "config", known(tmp_path, line))
    assert output(connect(config), "echo", "ok") == b"ok\n"


def test_plain_name_serves_another_port(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """As in OpenSSH, a key known for the host serves on its other ports."""
    config = sshd.config(tmp_path / "config", known(tmp_path, f"127.0.0.1 {sshd.host_key()}"))
    assert output(connect(config), "echo", "ok") == b"ok\n"


def test_alias(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """HostKeyAlias names the key, without a port."""
    config = sshd.config(tmp_path / "config", known(tmp_path, f"login.hpc {sshd.host_key()}"), "HostKeyAlias login.hpc")
    assert output(connect(config), "echo", "ok") == b"ok\n"
    other = sshd.config(tmp_path / "other", known(tmp_path), "HostKeyAlias login.hpc")
    assert "(login.hpc)" in refusal(connect, other).message


def test_global_file(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """The system's known_hosts file counts too."""
    text = sshd.config(tmp_path / "config", "UserKnownHostsFile none").read_text()
    (tmp_path / "config").write_text(
        text.replace("GlobalKnownHostsFile none", f"GlobalKnownHostsFile {sshd.known_hosts}")
    )
    assert output(connect(tmp_path / "config"), "echo", "ok") == b"ok\n"


def test_unreadable_file(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """A known_hosts file that cannot be read is an error, not an empty one."""
    config = sshd.config(tmp_path / "config", f"UserKnownHostsFile {tmp_path}")
    assert str(tmp_path) in refusal(connect, config).message


def test_jump_host_is_verified(sshd: Server, tmp_path: Path, connect: Connect) -> None:
    """An unknown jump host is refused before anything is sent to it, and the hint is about it."""
    sshd.config(tmp_path / "config", "ProxyJump bastion")
    bastion = sshd.config(tmp_path / "bastion", f"UserKnownHostsFile {tmp_path}/empty", host="bastion").read_text()
    (tmp_path / "config").write_text((tmp_path / "config").read_text() + bastion)
    error = refusal(connect, tmp_path / "config")
    assert error.hint is not None
    assert error.hint.endswith(f"-F {tmp_path}/config bastion true")
