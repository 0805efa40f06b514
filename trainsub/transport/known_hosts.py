"""OpenSSH's known_hosts: which host keys are known, and what that says of one that a server shows.  Pure."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

_SSH_PORT = 22


class Verdict(Enum):
    """What the known host keys say of a server's key."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"
    AUTHORITY = "authority"
    """Known only through a certificate authority, and the server showed a plain key."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a known_hosts file.

    Attributes:
        origin: The file.
        line: Its line number, from 1.
        marker: ``@revoked``, ``@cert-authority`` or nothing.
        patterns: The host patterns, as written.
        key_type: Such as ``ssh-ed25519``.
        blob: The public key.
    """

    origin: str
    line: int
    marker: str
    patterns: tuple[str, ...]
    key_type: str
    blob: bytes

    def matches(self, name: str) -> bool:
        """Whether the line is about a host of that name; a negated pattern overrules."""
        name = name.lower()
        found = False
        for pattern in self.patterns:
            if _pattern_matches(pattern.removeprefix("!"), name):
                if pattern.startswith("!"):
                    return False
                found = True
        return found


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and the line that it rests on."""

    verdict: Verdict
    entry: Entry | None = None


def parse(text: str, origin: str) -> list[Entry]:
    """Read a known_hosts file; lines that OpenSSH would not understand are skipped, as it does."""
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in ("", "@revoked", "@cert-authority"):  # noqa: PLR2004
            continue
        try:
            blob = base64.b64decode(words[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        entries.append(Entry(origin, number, marker, tuple(words[0].split(",")), words[1], blob))
    return entries


def names_of(host: str, port: int, alias: str | None) -> tuple[str, ...]:
    """The names under which a host's key may be known; all but the first can only confirm a key."""
    if alias is not None:
        return (alias,)
    if port == _SSH_PORT:
        return (host,)
    return (f"[{host}]:{port}", host)


def judge(entries: Sequence[Entry], names: Sequence[str], blob: bytes) -> Judgement:
    """Compare a server's key with what is known of it."""
    first, *others = names
    judgement = _judge(entries, first, blob)
    if judgement.verdict is not Verdict.UNKNOWN:
        return judgement
    # OpenSSH: a key known for the plain name serves on another port too, but a different one is no contradiction.
    for name in others:
        other = _judge(entries, name, blob)
        if other.verdict in (Verdict.KNOWN, Verdict.REVOKED):
            return other
    return judgement


def known_types(entries: Iterable[Entry], names: Sequence[str]) -> tuple[str, ...]:
    """The types of the keys that are known for the host, without repetition: those to ask the server for."""
    plain = [entry for entry in entries if not entry.marker]
    return tuple(dict.fromkeys(entry.key_type for name in names for entry in plain if entry.matches(name)))


def fingerprint(blob: bytes) -> str:
    """A public key's fingerprint, as OpenSSH prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def type_label(key_type: str) -> str:
    """A key type as OpenSSH prints it in messages: ED25519, ECDSA, RSA."""
    for label in ("ed25519", "ecdsa", "rsa"):
        if label in key_type:
            return label.upper() + ("-SK" if key_type.startswith("sk-") else "")
    return key_type


def _judge(entries: Sequence[Entry], name: str, blob: bytes) -> Judgement:
    about = [entry for entry in entries if entry.matches(name)]
    for entry in about:
        if entry.marker == "@revoked" and entry.blob == blob:
            return Judgement(Verdict.REVOKED, entry)
    plain = [entry for entry in about if not entry.marker]
    for entry in plain:
        if entry.blob == blob:
            return Judgement(Verdict.KNOWN, entry)
    if plain:
        return Judgement(Verdict.CHANGED, plain[0])
    authority = next((entry for entry in about if entry.marker == "@cert-authority"), None)
    return Judgement(Verdict.UNKNOWN if authority is None else Verdict.AUTHORITY, authority)


def _pattern_matches(pattern: str, name: str) -> bool:
    if pattern.startswith("|1|"):
        return _hash_matches(pattern, name)
    parts = (
        ".*" if part == "*" else "." if part == "?" else re.escape(part)
        for part in re.split(r"([*?])", pattern.lower())
    )
    return re.fullmatch("".join(parts), name, re.DOTALL) is not None


def _hash_matches(pattern: str, name: str) -> bool:
    _, _, salt, *rest = pattern.split("|")
    try:
        digest = hmac.new(base64.b64decode(salt), name.encode(errors="surrogateescape"), hashlib.sha1).digest()
        return len(rest) == 1 and hmac.compare_digest(digest, base64.b64decode(rest[0]))
    except (binascii.Error, ValueError):
        return False
