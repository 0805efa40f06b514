"""Which keys to offer, and in which order; tells a key file's kind without its passphrase.  Reads files only."""

import base64
import binascii
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainsub.transport.ssh_config import Target

_MAGIC = b"openssh-key-v1\0"
_BEGIN = "-----BEGIN "
_KINDS = {
    "OPENSSH": "",
    "RSA": "ssh-rsa",
    "EC": "ecdsa",
}


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file, as far as it can be known without a passphrase.

    Attributes:
        path: The file.
        key_type: Such as ``ssh-ed25519``; ``""`` if it is not a private key that can be used.
        blob: Its public key, if known.
        encrypted: Whether it needs a passphrase.
        private: Whether the file holds the private key; else only an agent can sign with it.
    """

    path: str
    key_type: str
    blob: bytes | None
    encrypted: bool
    private: bool


def describe_key(text: str, path: str, public: str | None) -> KeyFile:
    """Tell what a key file is from its text and that of the ``.pub`` file beside it."""
    known = public_blob(public or "")
    lines = text.strip().splitlines()
    kind = lines[0].removeprefix(_BEGIN).split(" ")[0] if lines and lines[0].startswith(_BEGIN) else None
    if kind is None:
        blob = public_blob(text)
        return KeyFile(path, type_of(blob), blob, encrypted=False, private=False)
    if kind != "OPENSSH":
        key_type = type_of(known) or _KINDS.get(kind, "")
        return KeyFile(path, key_type, known, encrypted="ENCRYPTED" in text, private=True)
    cipher, blob = _openssh_header("".join(lines[1:-1]))
    blob = blob or known
    return KeyFile(path, type_of(blob), blob, encrypted=cipher not in ("", "none"), private=True)


def public_blob(text: str) -> bytes | None:
    """Return the key of an OpenSSH public key line, without its type and comment."""
    words = text.split()
    if len(words) < 2:  # noqa: PLR2004
        return None
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    return blob if type_of(blob) == words[0] else None


def type_of(blob: bytes | None) -> str:
    """Return the type that a public key or certificate says it has."""
    try:
        return "" if blob is None else _string(blob, 0)[0].decode("ascii")
    except (struct.error, UnicodeDecodeError):
        return ""


def key_files(target: Target) -> list[KeyFile]:
    """Look at the identity files that exist, in their order."""
    found = []
    for name in target.identity_files:
        text, public = _text(name), _text(f"{name}.pub")
        if text is not None or public is not None:
            found.append(describe_key(text or public or "", name, public))
    return found


def certificates(target: Target, files: Iterable[KeyFile]) -> list[str]:
    """Return the certificate files to try: those configured, and KEY-cert.pub beside each key."""
    beside = [f"{file.path}-cert.pub" for file in files]
    return [name for name in dict.fromkeys([*target.certificate_files, *beside]) if Path(name).is_file()]


def agent_order(blobs: Sequence[bytes], files: Sequence[KeyFile], *, only: bool) -> list[int]:
    """Order an agent's keys: those of the identity files first; with ``only``, no others."""
    wanted = [file.blob for file in files if file.blob is not None]
    first = [blobs.index(blob) for blob in dict.fromkeys(wanted) if blob in blobs]
    return first if only else [*first, *(index for index in range(len(blobs)) if index not in first)]


def certifies(certificate: bytes, key: bytes) -> bool:
    """Whether a certificate is one of a key: it holds type, nonce, then the key's own fields."""
    try:
        _, position = _string(certificate, 0)
        _, position = _string(certificate, position)
        _, start = _string(key, 0)
    except struct.error:
        return False
    return type_of(certificate).startswith(type_of(key)) and certificate.startswith(key[start:], position)


def _openssh_header(body: str) -> tuple[str, bytes | None]:
    """The cipher and the public key of a private key in OpenSSH's format: both stand before the secret part."""
    try:
        data = base64.b64decode(body)
        if not data.startswith(_MAGIC):
            return "", None
        cipher, position = _string(data, len(_MAGIC))
        _, position = _string(data, position)  # the key derivation
        _, position = _string(data, position)  # its options
        blob, _ = _string(data, position + 4)  # after the number of keys, which is 1
    except (binascii.Error, ValueError, struct.error):
        return "", None
    return cipher.decode("ascii", "replace"), blob


def _string(data: bytes, position: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">I", data, position)
    start = position + 4
    if start + size > len(data):
        raise struct.error("the string is cut off")
    return data[start : start + size], start + size


def _text(name: str) -> str | None:
    try:
        return Path(name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
