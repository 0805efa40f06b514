"""Reading known_hosts, and judging a key by it."""

import base64
import hashlib
import hmac
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.transport.known_hosts import (
    Verdict,
    fingerprint,
    judge,
    known_types,
    names_of,
    parse,
    type_label,
)

A, B = b"key a", b"key b"


def line(names: str, blob: bytes = A, key_type: str = "ssh-ed25519") -> str:
    """A line of a known_hosts file."""
    return f"{names} {key_type} {base64.b64encode(blob).decode()}"


def hashed(name: str) -> str:
    """A name as HashKnownHosts writes it."""
    salt = b"12345678901234567890"
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("host", "host", True),
        ("host", "other", False),
        ("HOST", "host", True),
        ("host", "HOST", True),
        ("a,host,b", "host", True),
        ("*.example.org", "login.example.org", True),
        ("login?", "login1", True),
        ("login?", "login12", False),
        ("*,!login1", "login1", False),
        ("*,!login1", "login2", True),
        ("[host]:22*", "[host]:2222", True),
        ("[host]:2222", "host", False),
        ("h.st", "host", False),
        (hashed("host"), "host", True),
        (hashed("host"), "other", False),
        ("|1|!!|!!", "host", False),
        ("|1|only", "host", False),
    ],
)
def test_patterns(pattern: str, name: str, *, matches: bool) -> None:
    """Names match as OpenSSH says."""
    (entry,) = parse(line(pattern), "f")
    assert entry.matches(name) is matches


def test_lines_that_are_skipped() -> None:
    """Comments, broken lines and unknown markers say nothing."""
    text = "\n".join(
        ["# host x y", "", "host", "host ssh-rsa", "host ssh-rsa ***", "@other " + line("host"), line("host")]
    )
    (entry,) = parse(text, "f")
    assert (entry.origin, entry.line) == ("f", 7)


@pytest.mark.parametrize(
    ("text", "verdict", "number"),
    [
        ("", Verdict.UNKNOWN, None),
        (line("host"), Verdict.KNOWN, 1),
        (line("host", B), Verdict.CHANGED, 1),
        (line("host", B) + "\n" + line("host"), Verdict.KNOWN, 2),
        ("@revoked " + line("*") + "\n" + line("host"), Verdict.REVOKED, 1),
        ("@revoked " + line("*", B) + "\n" + line("host"), Verdict.KNOWN, 2),
        ("@cert-authority " + line("*", B), Verdict.AUTHORITY, 1),
        ("@cert-authority " + line("*", A), Verdict.AUTHORITY, 1),
        ("@cert-authority " + line("*", B) + "\n" + line("host"), Verdict.KNOWN, 2),
    ],
)
def test_judge(text: str, verdict: Verdict, number: int | None) -> None:
    """Every verdict, and the line that it rests on."""
    judgement = judge(parse(text, "f"), ["host"], A)
    assert judgement.verdict is verdict
    assert (judgement.entry.line if judgement.entry else None) == number


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (line("host"), Verdict.KNOWN),
        (line("host", B), Verdict.UNKNOWN),
        ("@revoked " + line("host"), Verdict.REVOKED),
        (line("[host]:2222", B) + "\n" + line("host"), Verdict.CHANGED),
    ],
)
def test_plain_name_on_another_port(text: str, verdict: Verdict) -> None:
    """The plain name may confirm a key on another port, but never contradict it."""
    assert judge(parse(text, "f"), names_of("host", 2222, None), A).verdict is verdict


def test_names() -> None:
    """The port is part of the name unless it is 22; an alias stands alone."""
    assert names_of("host", 22, None) == ("host",)
    assert names_of("host", 2222, None) == ("[host]:2222", "host")
    assert names_of("host", 2222, "alias") == ("alias",)


def test_known_types() -> None:
    """The types to ask the server for, each once."""
    text = "\n".join([line("host"), line("host", B), line("host", B, "ssh-rsa"), "@revoked " + line("host", B, "x")])
    assert known_types(parse(text, "f"), ["host"]) == ("ssh-ed25519", "ssh-rsa")


def test_labels() -> None:
    """Types and fingerprints look as OpenSSH prints them."""
    assert [
        type_label(name)
        for name in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa", "sk-ssh-ed25519@openssh.com", "x")
    ] == [
        "ED25519",
        "ECDSA",
        "RSA",
        "ED25519-SK",
        "x",
    ]
    assert fingerprint(b"") == "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"


@given(st.text(), st.text(), st.binary())
def test_any_file_is_read(text: str, name: str, blob: bytes) -> None:
    """No file makes the parser fail, and only the very key is accepted."""
    entries = parse(text, "f")
    judgement = judge(entries, [name], blob)
    assert (judgement.verdict is Verdict.KNOWN) <= any(entry.blob == blob for entry in entries)


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), st.binary(min_size=1), st.binary())
def test_round_trip(name: str, blob: bytes, other: bytes) -> None:
    """A key that is known is accepted; another one is a change."""
    packed = struct.pack(">I", len(blob)) + blob
    entries = parse(line(name, packed) + "\n" + line(hashed(name), packed), "f")
    assert judge(entries, [name], packed).verdict is Verdict.KNOWN
    assert judge(entries, [name], other + packed + b"x").verdict is Verdict.CHANGED
