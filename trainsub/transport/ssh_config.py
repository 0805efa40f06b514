"""A host's SSH settings, as OpenSSH itself resolves them: asks ``ssh -G``.  Reading its answer is pure; no network.

Settings that would weaken the check of host keys (``StrictHostKeyChecking no``) are not read at all: whoever can
answer in the cluster's place would get the code, the secrets and the credentials for whatever is submitted next.
"""

import os
import re
import shlex
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainsub.errors import ConfigError
from trainsub.transport import whoami
from trainsub.transport.base import ClusterSettings
from trainsub.transport.ssh_program import ask_settings, check_host, file_options, find_ssh, identity, own_options

_MOST_HOPS = 8
_ASKING = (("keyboard-interactive", "kbdinteractiveauthentication"), ("password", "passwordauthentication"))
_KEEPALIVE_INTERVAL = 10
_KEEPALIVE_COUNT = 3
_JUMP = re.compile(r"^(?:ssh://)?(?:(?P<user>.+)@)?(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]/]+))(?::(?P<port>\d+))?/?$")
_TOKEN = re.compile(r"%(.)")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PATH = re.compile(r"[/~%$]")
_NEXT_FILE = re.compile(r"\s+(?=[/~%$])")


@dataclass(frozen=True, slots=True)
class Target:
    """One machine to log in to.

    Attributes:
        alias: The name that the user gave.
        host: The address to connect to (``HostName``).
        port: Its port.
        user: The user there.
        identity_files: Private keys to try, in this order; not all of them exist.
        certificate_files: Certificates named in the configuration.
        identities_only: Use no key of the agent but those of ``identity_files``.
        identity_agent: The agent's socket; None: ``$SSH_AUTH_SOCK``; ``none``: no agent.
        known_hosts_files: Where host keys are known, the user's files first.
        host_key_alias: The name that the host key is known by, if not the host's.
        host_key_algorithms: Accepted algorithms in order; empty: all that are supported.
        proxy_jump: Jump hosts in the order of the way there.
        proxy_command: A program whose stdin and stdout are the connection.
        keepalive_interval: Seconds of silence before the server is asked whether it is still there.
        keepalive_count: Unanswered questions after which the connection is lost.
        pubkey: Whether public keys may be used at all.
        methods: The ways to log in that ask a person, in order.
        prompts: How often a person is asked again.
        ssh_args: The arguments with which the user's own ``ssh`` reaches it.
    """

    alias: str
    host: str
    port: int = 22
    user: str = ""
    identity_files: tuple[str, ...] = ()
    certificate_files: tuple[str, ...] = ()
    identities_only: bool = False
    identity_agent: str | None = None
    known_hosts_files: tuple[str, ...] = ()
    host_key_alias: str | None = None
    host_key_algorithms: tuple[str, ...] = ()
    proxy_jump: tuple[str, ...] = ()
    proxy_command: str | None = None
    keepalive_interval: int = _KEEPALIVE_INTERVAL
    keepalive_count: int = _KEEPALIVE_COUNT
    pubkey: bool = True
    methods: tuple[str, ...] = ("keyboard-interactive", "password")
    prompts: int = 3
    ssh_args: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``host:port`` as OpenSSH writes it in messages."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def ssh_command(self) -> str:
        """The command with which the user reaches it."""
        return shlex.join(("ssh", *self.ssh_args))


@dataclass(frozen=True, slots=True)
class Here:
    """What the tokens of an OpenSSH configuration can stand for on this side."""

    home: str
    user: str
    hostname: str
    uid: int
    environ: Mapping[str, str]

    @classmethod
    def now(cls) -> "Here":
        """Look around."""
        return cls(
            str(whoami.home() or whoami.NOWHERE), whoami.user(), socket.gethostname(), os.getuid(), dict(os.environ)
        )


def parse_ssh_g(text: str, alias: str) -> Target:
    """Read the output of ``ssh -G``; tokens and ``~`` stay as they are.

    Unknown keywords are skipped: OpenSSH has many, and new ones in each release.
    """
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, _, value = line.strip().partition(" ")
        if value.strip():
            values.setdefault(keyword.lower(), []).append(value.strip())

    def last(keyword: str) -> str | None:
        found = values.get(keyword, [""])[-1]
        return None if found in ("", "none") and keyword != "identityagent" else found or None

    def files(keyword: str) -> tuple[str, ...]:
        return tuple(name for value in values.get(keyword, []) for name in _file_names(value) if name != "none")

    return Target(
        alias=alias,
        host=last("hostname") or alias,
        port=_number(last("port"), 22),
        user=last("user") or "",
        identity_files=tuple(value for value in values.get("identityfile", []) if value != "none"),
        certificate_files=tuple(value for value in values.get("certificatefile", []) if value != "none"),
        identities_only=_yes(last("identitiesonly")),
        identity_agent=last("identityagent"),
        known_hosts_files=files("userknownhostsfile") + files("globalknownhostsfile"),
        host_key_alias=last("hostkeyalias"),
        host_key_algorithms=tuple(filter(None, (last("hostkeyalgorithms") or "").split(","))),
        proxy_jump=tuple(filter(None, (last("proxyjump") or "").split(","))),
        proxy_command=last("proxycommand"),
        keepalive_interval=_number(last("serveraliveinterval"), 0) or _KEEPALIVE_INTERVAL,
        keepalive_count=_number(last("serveralivecountmax"), 0) or _KEEPALIVE_COUNT,
        pubkey=last("pubkeyauthentication") not in ("no", "false"),
        methods=tuple(name for name, keyword in _ASKING if not _yes(last("batchmode")) and last(keyword) != "no"),
        prompts=_number(last("numberofpasswordprompts"), 3),
    )


def _file_names(value: str) -> list[str]:
    """Split a list of files.  ``ssh -G`` prints blanks in names as they are; a new name begins like a path."""
    return _NEXT_FILE.split(value) if _PATH.match(value) else value.split()


def expand(target: Target, here: Here) -> Target:
    """Replace ``~``, ``${VARIABLE}`` and the ``%`` tokens, which ``ssh -G`` leaves in paths and commands."""
    tokens = {
        "%": "%",
        "d": here.home,
        "h": target.host,
        "i": str(here.uid),
        "k": target.host_key_alias or target.alias,
        "L": here.hostname.partition(".")[0],
        "l": here.hostname,
        "n": target.alias,
        "p": str(target.port),
        "r": target.user,
        "u": here.user,
    }

    def fill(text: str) -> str:
        return _TOKEN.sub(lambda match: tokens.get(match[1], match[0]), text)

    def path(text: str) -> str:
        text = _VARIABLE.sub(lambda match: here.environ.get(match[1], ""), fill(text))
        if text == "~" or text.startswith("~/"):
            return here.home + text[1:]
        return text

    agent = target.identity_agent
    if agent is not None and agent.startswith("$") and not agent.startswith("${"):
        agent = here.environ.get(agent[1:], "none")
    return replace(
        target,
        user=target.user or here.user,
        identity_files=tuple(map(path, target.identity_files)),
        certificate_files=tuple(map(path, target.certificate_files)),
        identity_agent=None if agent in (None, "SSH_AUTH_SOCK") else path(agent),
        known_hosts_files=tuple(map(path, target.known_hosts_files)),
        proxy_command=None if target.proxy_command is None else fill(target.proxy_command),
    )


def route(cluster: ClusterSettings) -> tuple[Target, ...]:
    """Resolve a cluster's host and every jump host on the way, in the order in which they are connected to.

    Raises:
        ConfigError: OpenSSH does not understand its configuration, or jump hosts lead in a circle.
    """
    if not cluster.host:
        raise ConfigError("the cluster has no host", hint="set clusters.NAME.host to a host or an OpenSSH alias")
    options = file_options(cluster)
    target = _resolve(cluster.host, options, own_options(cluster))
    only = identity(cluster)
    if only is not None:
        target = replace(target, identity_files=(str(only),), certificate_files=(), identities_only=True)
    return (*_way_to(target, options, seen=(target.alias,)), target)


def _way_to(target: Target, options: Sequence[str], seen: tuple[str, ...]) -> tuple[Target, ...]:
    """The jump hosts before a target.  As in OpenSSH, one that is named first may have jump hosts of its own."""
    hops: list[Target] = []
    for position, text in enumerate(target.proxy_jump):
        match = _JUMP.match(text)
        if match is None:
            raise ConfigError(f"{target.alias}: cannot read the jump host {text!r} of its ProxyJump")
        own = [
            *(("-p", match["port"]) if match["port"] else ()),
            *(("-l", match["user"]) if match["user"] else ()),
        ]
        hop = _resolve(match["six"] or match["host"], options, own)
        if hop.alias in seen or len(seen) > _MOST_HOPS:
            raise ConfigError(
                f"ProxyJump leads in a circle: {' → '.join((*seen, hop.alias))}",
                hint=f"give {hop.alias} `ProxyJump none` in the OpenSSH configuration, before the general rule",
            )
        seen = (*seen, hop.alias)
        if position == 0:
            hops.extend(_way_to(hop, options, seen))
        else:
            hop = replace(
                hop, proxy_command=None, ssh_args=("-J", ",".join(target.proxy_jump[:position]), *hop.ssh_args)
            )
        hops.append(hop)
    return tuple(hops)


def _resolve(host: str, options: Sequence[str], own: Sequence[str]) -> Target:
    check_host(host)
    args = (*options, *own)
    program = find_ssh()
    text = ask_settings(program, host, args) if program else _ask_paramiko(host, options, own)
    return replace(expand(parse_ssh_g(text, host), Here.now()), ssh_args=(*args, host))


def _ask_paramiko(host: str, options: Sequence[str], own: Sequence[str]) -> str:
    """Stand in for ``ssh -G`` where ssh is not installed; refuses what paramiko reads differently."""
    import paramiko  # noqa: PLC0415 - costs 0.2 s, and is needed here only without ssh

    os.environ.setdefault("LOGNAME", whoami.user())  # paramiko asks for it, and fails where there is none
    mine = (whoami.home() or whoami.NOWHERE) / ".ssh/config"
    files = [Path(options[1])] if options else [mine, Path("/etc/ssh/ssh_config")]
    text = "\n".join(file.read_text() for file in files if file.exists())
    hard = re.search(r"^\s*(Include|Match|CanonicalizeHostname)\b.*$", text, re.IGNORECASE | re.MULTILINE)
    if hard is not None:
        raise ConfigError(
            f"the OpenSSH configuration has `{hard[0].strip()}`, and ssh is not installed here to resolve it",
            hint="install the OpenSSH client, or give the cluster a simple ssh_config of its own",
        )
    flags = dict(zip(own[::2], own[1::2], strict=True))
    found: dict[str, Any] = dict(
        paramiko.SSHConfig.from_text(text).lookup(host)
    )  # values are lists, whatever the types say
    defaults = {
        "user": whoami.user(),
        "userknownhostsfile": "~/.ssh/known_hosts ~/.ssh/known_hosts2",
        "globalknownhostsfile": "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
    }
    lines = [f"{key} {value}" for key, value in {**defaults, **found}.items() if isinstance(value, str)]
    keys = found.get("identityfile") or [f"~/.ssh/{name}" for name in ("id_rsa", "id_ecdsa", "id_ed25519")]
    lines += [f"identityfile {key}" for key in keys]
    lines += [f"certificatefile {key}" for key in found.get("certificatefile") or ()]
    lines += [f"port {flags['-p']}"] if "-p" in flags else []
    lines += [f"user {flags['-l']}"] if "-l" in flags else []
    return "\n".join(lines)


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else default  # noqa: PLR2004


def _yes(text: str | None) -> bool:
    return text in ("yes", "true")
