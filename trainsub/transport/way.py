"""The way to a cluster as the system's ssh sees it, and the control socket that belongs to it."""

import hashlib
import shlex
from dataclasses import dataclass

from trainsub.errors import ConfigError
from trainsub.transport import whoami
from trainsub.transport.base import ClusterSettings
from trainsub.transport.control_folder import NAME_LENGTH
from trainsub.transport.ssh_program import ask_settings, check_host, file_options, find_ssh, identity, own_options

_ALIVE_INTERVAL = 10
_ALIVE_COUNT = 3


@dataclass(frozen=True, slots=True)
class Way:
    """How ssh reaches a cluster.

    Attributes:
        program: The path of ``ssh``.
        options: What it is told of the configuration: files, port, user, key.
        host: The host or alias, which is no option.
        who: ``user@host:port`` as ssh resolved them, for messages.
        socket_name: The control socket's name: a hash of all settings in force, so whatever changes the way makes
            another connection.
        keepalive: Options that let a dead connection be noticed, where the configuration has none.
        send_env: The patterns of ``SendEnv``.
        hops: Machines on the way, the last included; a ProxyCommand counts for one.
    """

    program: str
    options: tuple[str, ...]
    host: str
    who: str
    socket_name: str
    keepalive: tuple[str, ...]
    send_env: tuple[str, ...]
    hops: int

    @property
    def command(self) -> str:
        """The command with which the user reaches the cluster."""
        return shlex.join(("ssh", *self.options, self.host))


def find_way(cluster: ClusterSettings) -> Way:
    """Ask ssh for the settings that it would use.

    Raises:
        ConfigError: ssh is not installed or does not understand its configuration; or the cluster's own is wrong.
        UnreachableError: ssh gave no answer.
    """
    if not cluster.host:
        raise ConfigError("the cluster has no host", hint="set clusters.NAME.host to a host or an OpenSSH alias")
    check_host(cluster.host)
    program = find_ssh()
    if program is None:
        raise ConfigError(
            'ssh is not installed here, or does not know this user, and the cluster has transport = "openssh"',
            hint='install the OpenSSH client, or set transport = "paramiko"',
        )
    key = identity(cluster)
    chosen = () if key is None else ("-i", str(key), "-o", "IdentitiesOnly=yes")
    options = (*file_options(cluster), *own_options(cluster), *chosen)
    text = ask_settings(program, cluster.host, options)
    settings: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        settings.setdefault(keyword, []).append(value)

    def last(keyword: str, default: str) -> str:
        return settings.get(keyword, [default])[-1] or default

    address, port = last("hostname", cluster.host), last("port", "22")
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    jumps = last("proxyjump", "none")
    dead = ("-o", f"ServerAliveInterval={_ALIVE_INTERVAL}", "-o", f"ServerAliveCountMax={_ALIVE_COUNT}")
    return Way(
        program=program,
        options=options,
        host=cluster.host,
        who=f"{last('user', whoami.user())}@{where}",
        socket_name=hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:NAME_LENGTH],
        keepalive=dead if last("serveraliveinterval", "0") == "0" else (),
        send_env=tuple(settings.get("sendenv", [])),
        hops=1 + (0 if jumps == "none" else len(jumps.split(","))) + (last("proxycommand", "none") != "none"),
    )
