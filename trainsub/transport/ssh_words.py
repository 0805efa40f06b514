"""What ssh says on its stderr when it cannot connect, as an error of trainsub.  Pure: words in, error out."""

import re
import shlex

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
_LONGEST = 600
"""Characters of ssh's words in a message."""
_OFFERED = re.compile(r"Permission denied \((?P<methods>[a-z0-9,@.-]+)\)")
_OF_KEYS = frozenset({"publickey", "hostbased"})
"""Methods that ask a person nothing, but for a key's own passphrase."""
_CHANGED_HOST = re.compile(r"^Host key for (?P<host>\S+) has changed", re.MULTILINE)
_SHOWN_KEY = re.compile(
    r"^The fingerprint for the (?P<type>\S+) key sent by the remote host is\s+(?P<fingerprint>\S+?)\.?$", re.MULTILINE
)
_KNOWN_KEY = re.compile(r"^Offending (?P<type>\S+) key in (?P<file>.+):(?P<line>\d+)\s*$", re.MULTILINE)
"""Words of ssh 9; what another one says differently is left out of the message."""


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
    told = "" if asked else f": {words}"  # at a terminal ssh has just said so itself
    for known, kind, hint in _KINDS:
        if known in said:
            return kind(f"{_OPENINGS[kind]} {where}{told}", hint=f"{hint}; what ssh does shows: {_loud(command)}")
    if "HOST IDENTIFICATION HAS CHANGED" in said:
        return _changed_host_key(where, command, said)
    if "Host key verification failed" in said:
        return HostKeyError(
            f"the host key of {where}, or of a jump host on the way, is not known{told}",
            hint="compare the fingerprint with the one that the cluster's administrators publish, and let OpenSSH store"
            f" it: {_asking(command)}",
        )
    if "Permission denied" in said:
        return _refused(name, where, command, words, asked=asked)
    return UnreachableError(
        f"ssh could not connect to {where}{told if words else ', and did not say why'}",
        hint=f"what ssh does shows: {_loud(command)}",
    )


def _refused(name: str, where: str, command: str, words: str, *, asked: bool) -> AuthError:
    if asked:
        return AuthError(f"{where} did not accept the login", hint=f"what ssh does shows: {_loud(command)}")
    offered = _OFFERED.search(words)
    at_terminal = f"trainsub cluster login {name}"
    if offered is not None and set(offered["methods"].split(",")) <= _OF_KEYS:
        hint = (
            "the server takes nothing but keys: name yours (IdentityFile, or identity_file for the cluster), and see"
            f" that the cluster knows it. If it has a passphrase or a PIN, log in once at a terminal: {at_terminal}"
        )
    else:
        hint = f"log in once at a terminal, and later commands use that connection: {at_terminal}"
    return AuthError(f"login needed: {where} accepts none of the keys that need no question: {words}", hint=hint)


def _changed_host_key(where: str, command: str, said: str) -> HostKeyError:
    """What ssh says in fifteen lines, in the words of host_keys.py; the key may be that of a jump host."""
    text = said.replace("\r", "\n")
    host, shown, known = _CHANGED_HOST.search(text), _SHOWN_KEY.search(text), _KNOWN_KEY.search(text)
    whose = f"{host['host']}, ON THE WAY TO {where}," if host else f"{where}, OR OF A JUMP HOST ON THE WAY,"
    if host and _address(host["host"]) in where:
        whose = where
    lines = [f"THE HOST KEY OF {whose} HAS CHANGED: somebody may be standing in its place"]
    if shown:
        lines.append(f"  it showed  {shown['type']} {shown['fingerprint']}")
    if known:
        lines.append(f"  known is   the {known['type']} key in {known['file']}:{known['line']}")
    file = f" -f {shlex.quote(known['file'])}" if known else ""
    remove = f"ssh-keygen{file} -R {shlex.quote(host['host']) if host else 'HOST'}"
    return HostKeyError(
        "\n".join(lines),
        hint="ask the cluster's administrators. If they confirm the new fingerprint, remove the known key:"
        f" {remove}, then: {_asking(command)}",
    )


def _address(host: str) -> str:
    """The host of ``host`` or ``[host]:port``."""
    return host[1 : host.index("]")] if host.startswith("[") and "]" in host else host


def _asking(command: str) -> str:
    return command.replace("ssh ", "ssh -o StrictHostKeyChecking=ask ", 1) + " true"


def _loud(command: str) -> str:
    return command.replace("ssh ", "ssh -v ", 1) + " true"


def _short(said: str) -> str:
    """The lines that say something, in one; of very many, the last whole words."""
    lines = [line.strip() for line in said.replace("\r", "\n").split("\n")]
    words = " | ".join(line for line in lines if line and not _NOISE.match(line))
    return words if len(words) <= _LONGEST else f"… {words[-_LONGEST:].partition(' ')[2]}"
