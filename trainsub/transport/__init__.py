"""Runs programs on a cluster: over SSH, or on this machine.  The door to paramiko and ssh; knows nothing of Slurm.

``open_transport`` gives a ``Transport``, whose ``open(argv)`` gives a ``Channel``: write, read, exit status.  Nothing
of paramiko is loaded before it is needed.
"""

from collections.abc import Callable

from trainsub.errors import ConfigError
from trainsub.transport.audit import Audit, AuditRecord
from trainsub.transport.base import Ask, Channel, ClusterSettings, KeepsLogin, Stay, Transport

__all__ = [
    "Ask",
    "Audit",
    "AuditRecord",
    "Channel",
    "ClusterSettings",
    "KeepsLogin",
    "Stay",
    "Transport",
    "open_transport",
]


def open_transport(
    name: str,
    cluster: ClusterSettings,
    *,
    audit: Audit | None = None,
    ask: Ask | None = None,
    before: Callable[[], None] | None = None,
) -> Transport:
    """Make the transport that a cluster's configuration asks for; it connects when it is first needed.

    Args:
        name: The cluster's name, for messages and the audit log.
        cluster: Its configuration.
        audit: Where each program that is started is recorded.
        ask: Asks the user for a passphrase or a code; None where there is no terminal.  Not used by openssh, where
            nothing is asked but by ``KeepsLogin.log_in``.
        before: For a local cluster: called once before the first program is started there.

    Raises:
        ConfigError: There is no such transport.
    """
    if cluster.transport == "local":
        from trainsub.transport.local import LocalTransport  # noqa: PLC0415 - load only what is used

        return LocalTransport(name, audit, before)
    if cluster.transport == "paramiko":
        from trainsub.transport.ssh import ParamikoTransport  # noqa: PLC0415

        return ParamikoTransport(name, cluster, audit, ask)
    if cluster.transport == "openssh":
        from trainsub.transport.openssh import OpenSSHTransport  # noqa: PLC0415

        return OpenSSHTransport(name, cluster, audit)
    raise ConfigError(
        f"cluster {name}: there is no transport {cluster.transport!r}", hint="transport is paramiko, openssh or local"
    )
