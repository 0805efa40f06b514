"""Key files: what they are, told without their passphrase."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sshd import make_key, public, run

from trainsub.transport.identities import (
    KeyFile,
    agent_order,
    certificates,
    certifies,
    describe_key,
    key_files,
    public_blob,
    type_of,
)
from trainsub.transport.ssh_config import Target


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("passphrase", ["", "secret"])
def test_openssh_keys(tmp_path: Path, kind: str, passphrase: str) -> None:
    """Type, public key and encryption are seen without the .pub file and without the passphrase."""
    key = make_key(tmp_path / "key", kind, passphrase)
    described = describe_key(key.read_text(), str(key), None)
    assert described.encrypted is bool(passphrase)
    assert described.private
    assert described.key_type == public(key).split()[0]
    assert described.blob == public_blob(public(key))


@pytest.mark.parametrize("passphrase", ["", "secret"])
def test_pem_keys(tmp_path: Path, passphrase: str) -> None:
    """The old format says less: the public key is in the .pub file only."""
    key = tmp_path / "key"
    run("ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", passphrase, "-f", key)
    alone = describe_key(key.read_text(), str(key), None)
    assert (alone.key_type, alone.blob, alone.encrypted) == ("ssh-rsa", None, bool(passphrase))
    assert describe_key(key.read_text(), str(key), public(key)).blob == public_blob(public(key))


def test_public_key_only(tmp_path: Path) -> None:
    """A public key in place of the private one names a key of the agent."""
    key = make_key(tmp_path / "key")
    text = Path(f"{key}.pub").read_text()
    described = describe_key(text, f"{key}.pub", None)
    assert not described.private
    assert described.blob == public_blob(text)


def test_key_files(tmp_path: Path) -> None:
    """Files that do not exist are left out; certificates beside keys are found."""
    key = make_key(tmp_path / "key")
    target = Target(
        "h", "h", identity_files=(f"{tmp_path}/none", str(key)), certificate_files=(f"{tmp_path}/none.pub",)
    )
    files = key_files(target)
    assert [file.path for file in files] == [str(key)]
    assert certificates(target, files) == []
    run("ssh-keygen", "-q", "-s", key, "-I", "me", "-n", "me", f"{key}.pub")
    assert certificates(target, files) == [f"{key}-cert.pub"]


def test_certifies(tmp_path: Path) -> None:
    """A certificate belongs to its own key only."""
    key, other = make_key(tmp_path / "key"), make_key(tmp_path / "other")
    run("ssh-keygen", "-q", "-s", other, "-I", "me", "-n", "me", f"{key}.pub")
    certificate = public_blob(Path(f"{key}-cert.pub").read_text())
    mine, others = public_blob(public(key)), public_blob(public(other))
    assert certificate is not None
    assert mine is not None
    assert others is not None
    assert certifies(certificate, mine)
    assert not certifies(certificate, others)
    assert not certifies(b"", mine)


def test_agent_order() -> None:
    """The keys of the identity files come first; IdentitiesOnly leaves out the others."""
    files = [
        KeyFile("c", "t", b"c", encrypted=False, private=True),
        KeyFile("x", "t", None, encrypted=False, private=True),
        KeyFile("a", "t", b"a", encrypted=False, private=False),
    ]
    assert agent_order([b"a", b"b", b"c"], files, only=False) == [2, 0, 1]
    assert agent_order([b"a", b"b", b"c"], files, only=True) == [2, 0]


@given(st.text())
def test_any_file_is_described(text: str) -> None:
    """No file makes it fail, whatever it is."""
    assert describe_key(text, "f", text).path == "f"
    assert describe_key(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}\n-----END", "f", None).private


@given(st.binary(), st.binary())
def test_any_blob_is_read(one: bytes, other: bytes) -> None:
    """No blob makes it fail."""
    assert isinstance(type_of(one), str)
    assert certifies(one, other) in (True, False)
    assert type_of(struct.pack(">I", 4) + b"type" + one) == "type"
