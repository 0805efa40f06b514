"""Proves to a server who we are: by public key, and then by what a person knows (see ``questions``).

Asks for a passphrase only when no other key has helped.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trainsub.errors import AuthError, UnreachableError
from trainsub.transport.base import Ask
from trainsub.transport.identities import KeyFile, agent_order, certificates, certifies, key_files, type_of
from trainsub.transport.known_hosts import fingerprint, type_label
from trainsub.transport.questions import answer_questions, choose
from trainsub.transport.ssh_config import Target

if TYPE_CHECKING:
    import paramiko

    from trainsub.transport.wire import AgentAt, Wire

_TRIES = 3
_CERTIFICATE = "-cert-v01@openssh.com"
_OPENSSH = (
    'with transport = "openssh" for this cluster, `trainsub cluster login` asks once at a terminal, and later commands'
    " use that connection"
)


@dataclass(slots=True)
class _Attempt:
    """What was tried, for the message when nothing helped."""

    offered: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)


def authenticate(wire: "Wire", target: Target, ask: Ask | None, timeout: float) -> None:
    """Log in: by key, and by what a person knows where the server wants that, instead or besides.

    Raises:
        AuthError: The server accepts none of the keys, or wants answers that nobody can give.
        UnreachableError: The server does not answer any more.
    """
    attempt = _Attempt()
    more = _by_key(wire, target, ask, timeout, attempt)
    if more is None and not attempt.offered:
        more = _by_nothing(wire, target)
    if more is not None and not more:
        return
    methods = wire.allowed_methods if more is None else more
    if choose(target, methods) is None:
        raise _refused(wire, target, attempt) if more is None else _second_step(target, attempt, more, asking=False)
    if ask is None:
        if more is not None and attempt.offered:
            raise _second_step(target, attempt, more, asking=True)
        raise _refused(wire, target, attempt)
    more = answer_questions(wire, target, ask, methods, timeout)
    if more:
        raise _second_step(target, attempt, more, asking=False)


def _by_nothing(wire: "Wire", target: Target) -> list[str] | None:
    """Learn what the server allows; None if it does not say, an empty list if it lets everybody in."""
    import paramiko  # noqa: PLC0415

    try:
        return wire.auth_none(target.user)
    except paramiko.AuthenticationException:
        return None


def _by_key(wire: "Wire", target: Target, ask: Ask | None, timeout: float, attempt: _Attempt) -> list[str] | None:
    """Offer the keys.

    Returns:
        What the server wants besides; an empty list if it lets us in; None if it accepts no key.
    """
    import paramiko  # noqa: PLC0415 - is loaded by now; at the top it would cost every start

    wanted: list[str] | None = None
    for label, key in _keys(target, ask, timeout, attempt):
        attempt.offered.append(label)
        try:
            more = wire.auth_publickey(target.user, key)
        except paramiko.AuthenticationException as error:
            if not wire.is_active():
                raise _dropped(wire, target, attempt) from error
            if not wire.answered:
                raise UnreachableError(
                    f"{target.address} did not answer the login in {timeout:g} s", hint="it may be overloaded"
                ) from error
        except (paramiko.SSHException, ValueError, OSError) as error:  # the agent refused, or no common algorithm
            if not wire.is_active():
                raise _dropped(wire, target, attempt) from error
            attempt.skipped.append(f"{label}: {error}")
        else:
            attempt.accepted.append(label)
            wanted = more
            if "publickey" not in more:
                return more
    return wanted


def _keys(target: Target, ask: Ask | None, timeout: float, attempt: _Attempt) -> Iterator[tuple[str, "paramiko.PKey"]]:
    """The keys in OpenSSH's order: the agent's first, then the files', those that need a passphrase last."""
    if not target.pubkey:
        attempt.skipped.append("PubkeyAuthentication is off in the OpenSSH configuration")
        return
    files = key_files(target)
    agent = _agent(target, timeout, attempt)
    held: set[bytes] = set()
    try:
        if agent is not None:
            keys = list(agent.get_keys())
            held = {key.blob for key in keys}
            yield from _agent_keys(keys, target, files)
    finally:
        if agent is not None:
            agent.close()
    usable = [file for file in files if file.private and file.blob not in held]
    certs = certificates(target, files)
    for file in sorted(usable, key=lambda file: file.encrypted):
        key = _load(file, ask, attempt)
        if key is not None:
            label = f"{file.path} {_shown(key.asbytes())}"
            yield from _with_certificates(label, key, certs)


def _agent(target: Target, timeout: float, attempt: _Attempt) -> "AgentAt | None":
    import paramiko  # noqa: PLC0415

    from trainsub.transport.wire import AgentAt  # noqa: PLC0415 - imports paramiko

    path = target.identity_agent or os.environ.get("SSH_AUTH_SOCK", "none")
    if path in ("", "none"):
        return None
    try:
        return AgentAt(path, timeout)
    except (OSError, paramiko.SSHException) as error:
        attempt.skipped.append(f"agent {path}: {error}")
        return None


def _agent_keys(
    keys: list["paramiko.AgentKey"], target: Target, files: list[KeyFile]
) -> Iterator[tuple[str, "paramiko.PKey"]]:
    from paramiko.message import Message  # noqa: PLC0415
    from paramiko.pkey import PublicBlob  # noqa: PLC0415

    # A certificate in the agent belongs to the key that it certifies; OpenSSH offers it before the key.
    certified = [key for key in keys if key.name.endswith(_CERTIFICATE)]
    plain = [key for key in keys if not key.name.endswith(_CERTIFICATE)]
    for index in agent_order([key.blob for key in plain], files, only=target.identities_only):
        key = plain[index]
        for other in certified:
            if certifies(other.blob, key.blob):
                blob = PublicBlob.from_message(Message(other.blob))
                other.public_blob = blob  # type: ignore[assignment] # its types say None
                yield f"agent: {other.comment} {_shown(other.blob)} (certificate)", other
        yield f"agent: {key.comment} {_shown(key.blob)}", key


def _with_certificates(label: str, key: "paramiko.PKey", certs: list[str]) -> Iterator[tuple[str, "paramiko.PKey"]]:
    for cert in certs:
        try:
            key.load_certificate(cert)
        except ValueError:  # the certificate of another key
            continue
        yield f"{label} with {cert}", key
    key.public_blob = None
    yield label, key


def _load(file: KeyFile, ask: Ask | None, attempt: _Attempt) -> "paramiko.PKey | None":
    import paramiko  # noqa: PLC0415

    classes: dict[str, type[paramiko.PKey]] = {
        "ssh-rsa": paramiko.RSAKey,
        "ssh-ed25519": paramiko.Ed25519Key,
        "ecdsa": paramiko.ECDSAKey,
    }
    key_class = classes.get("ecdsa" if file.key_type.startswith("ecdsa") else file.key_type)
    if key_class is None:
        hint = (
            "use it through ssh-agent"
            if file.key_type.startswith("sk-")
            else f"convert it: ssh-keygen -p -f {file.path}"
        )
        attempt.skipped.append(f"{file.path}: a kind of key that cannot be read here; {hint}")
        return None
    if file.encrypted and ask is None:
        attempt.locked.append(file.path)
        return None
    reason = ""
    for _ in range(_TRIES if file.encrypted else 1):
        passphrase = ask(f"Passphrase for {file.path}: ") if file.encrypted and ask is not None else None
        try:
            return key_class.from_private_key_file(file.path, passphrase)
        except (paramiko.SSHException, ValueError, OSError) as error:
            reason = str(error)
    attempt.skipped.append(f"{file.path}: {'wrong passphrase' if file.encrypted else reason}")
    return None


def _shown(blob: bytes) -> str:
    return f"{type_label(type_of(blob))} {fingerprint(blob)}"


def _dropped(wire: "Wire", target: Target, attempt: _Attempt) -> AuthError:
    words = f": {wire.last_words}" if wire.last_words else ""
    return AuthError(
        f"{target.address} closed the connection after {len(attempt.offered)} keys{words}{_listed(attempt)}",
        hint="servers allow few tries: set `IdentityFile` and `IdentitiesOnly yes` for this host in the OpenSSH"
        " configuration, or identity_file for the cluster",
    )


def _second_step(target: Target, attempt: _Attempt, more: list[str], *, asking: bool) -> AuthError:
    what = ", ".join(attempt.accepted) or "the answers"
    message = f"{target.user}@{target.address} accepts {what}, but wants a second step: {', '.join(more)}"
    if asking:
        return AuthError(f"login needed: {message}, and there is no terminal to ask on", hint=_OPENSSH)
    return AuthError(
        message, hint=f'transport = "openssh" knows every kind of login; what works is to see by: {target.ssh_command}'
    )


def _refused(wire: "Wire", target: Target, attempt: _Attempt) -> AuthError:
    who = f"{target.user}@{target.address}"
    allowed = f"; the server allows: {', '.join(wire.allowed_methods)}" if wire.allowed_methods else ""
    if attempt.locked:
        keys = ", ".join(attempt.locked)
        return AuthError(
            f"no key for {who}: {keys} needs a passphrase, and there is no terminal to ask on{_listed(attempt)}",
            hint=f"put it into the agent: ssh-add {attempt.locked[0]}",
        )
    if choose(target, wire.allowed_methods):
        return AuthError(
            f"login needed: {who} accepts none of the keys{allowed}, and there is no terminal to ask on"
            f"{_listed(attempt)}",
            hint=_OPENSSH,
        )
    if not attempt.offered:
        return AuthError(
            f"there is no key to offer to {who}{_listed(attempt)}",
            hint=f"make one: ssh-keygen -t ed25519, then: ssh-copy-id {target.alias}; looked for: "
            + (", ".join(target.identity_files) or "no identity file is configured"),
        )
    return AuthError(
        f"{who} accepts none of the keys{allowed}{_listed(attempt)}",
        hint=f"check the user and the key; what OpenSSH does shows: {target.ssh_command.replace('ssh ', 'ssh -v ', 1)}",
    )


def _listed(attempt: _Attempt) -> str:
    lines = [f"\n  tried    {label}" for label in attempt.offered]
    return "".join([*lines, *(f"\n  skipped  {label}" for label in attempt.skipped)])
