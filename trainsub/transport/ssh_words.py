"""What ssh says on its stderr when it cannot connect, as an error of trainsub.  Pure: words in, error out."""

import re

from trainsub.errors import AuthError, ConfigError, HostKeyError, TransportError, UnreachableError

_ROUTE = "check the address and the network (VPN)"
_LIMIT = "the login node may limit connections, try again in a minute"
_PROXY = "the ProxyJump or ProxyCommand of the OpenSSH configuration ended"
_FEW_TRIES = "servers allow few tries: set IdentityFile and IdentitiesOnly, or identity_file for the cluster"

_KINDS: tuple[tuple[str, type[TransportError] | type[ConfigError], str], ...] = (
    ("Too many authentication failures", AuthError, _FEW_TRIES),
    ("Bad configuration option", ConfigError, "mend the OpenSSH configuration"),
    ("no matching ", TransportError, "the server may be very old"),
    ("Could not resolve hostname", UnreachableError, "check the host's name, and whether its network (VPN) is up"),
    ("Connection refused", UnreachableError, "check the port, and whether the login node is up"),
    ("timed out", UnreachableError, "a firewall may drop the packets, check the network (VPN)"),
    ("stdio forwarding failed", UnreachableError, "check whether the jump host may forward connections"),
    ("UNKNOWN port 65535", UnreachableError, _PROXY),
    ("ssh: connect to host", UnreachableError, _ROUTE),
    ("kex_exchange_identification", UnreachableError, f"check the port; {_LIMIT}"),
    ("banner exchange", UnreachableError, f"check the port; {_LIMIT}"),
    ("Connection closed by", UnreachableError, _LIMIT),
    ("Connection reset by", UnreachableError, _LIMIT),
    ("Broken pipe", UnreachableError, _LIMIT),
)
"""Words of ssh, what they mean, and what helps; the first that fits."""
_OPENINGS = {
    AuthError: "the connection was closed by",
    ConfigError: "ssh refuses its configuration for",
    TransportError: "ssh has no algorithm in common with",
    UnreachableError: "cannot connect to",
}

_NOISE = re.compile(r"^(?:@+$|\*\* |debug\d|Warning: Permanently added|Control socket connect)")


def connection_error(name: str, where: str, command: str, said: str, *, asked: bool) -> TransportError | ConfigError:
    """Return the error that ssh's last words stand for.

    Args:
        name: The cluster's name.
        where: The other side, for messages.
        command: The command with which the user reaches it.
        said: What ssh wrote.
        asked: Whether ssh could ask a person.
    """
    words = _short(said)
    for known, kind, hint in _KINDS:
        if known in said:
            return kind(f"{_OPENINGS[kind]} {where}: {words}", hint=f"{hint}; what ssh does shows: {_loud(command)}")
    if "Host key verification failed" in said or "HOST IDENTIFICATION HAS CHANGED" in said:
        return _host_key(where, command, said, words)
    if "Permission denied" in said:
        return _refused(name, where, command, words, asked=asked)
    return UnreachableError(
        f"ssh could not connect to {where}{f': {words}' if words else ', and did not say why'}",
        hint=f"what ssh does shows: {_loud(command)}",
    )


def _refused(name: str, where: str, command: str, words: str, *, asked: bool) -> AuthError:
    if asked:
        return AuthError(f"{where} did not accept the login: {words}", hint=f"what ssh does shows: {_loud(command)}")
    return AuthError(
        f"login needed: {where} accepts none of the keys that need no question: {words}",
        hint=f"log in once at a terminal, and later commands use that connection: trainsub cluster login {name}",
    )


def _host_key(where: str, command: str, said: str, words: str) -> HostKeyError:
    if "HAS CHANGED" in said:
        return HostKeyError(
            f"THE HOST KEY OF {where} HAS CHANGED: somebody may be standing in its place: {words}",
            hint="ask the cluster's administrators. If they confirm the new fingerprint, remove the old key"
            f" (ssh-keygen -R), then: {_asking(command)}",
        )
    return HostKeyError(
        f"the host key of {where}, or of a jump host on the way, is not known: {words}",
        hint="compare the fingerprint with the one that the cluster's administrators publish, and let OpenSSH store it:"
        f" {_asking(command)}",
    )


def _asking(command: str) -> str:
    return command.replace("ssh ", "ssh -o StrictHostKeyChecking=ask ", 1) + " true"


def _loud(command: str) -> str:
    return command.replace("ssh ", "ssh -v ", 1) + " true"


def _short(said: str) -> str:
    """The lines that say something, in one."""
    lines = [line.strip() for line in said.replace("\r", "\n").split("\n")]
    return " | ".join(line for line in lines if line and not _NOISE.match(line))[-600:]
