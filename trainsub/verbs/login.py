"""Log in to a cluster once, where its connection outlives the command; else see that the login works."""

from dataclasses import dataclass

from trainsub.session import Session
from trainsub.transport import KeepsLogin

_PATIENCE = 60.0
"""Seconds for a program that does nothing: login shells may start slowly."""


@dataclass(frozen=True, slots=True)
class Login:
    """What became of a login.

    Attributes:
        cluster: The cluster's name.
        where: Where it leads, for messages.
        kept: Whether later commands use it.
        new: Whether it was made now.
        idle: Seconds without a command after which it ends; None where it is not kept, or that is not known.
    """

    cluster: str
    where: str
    kept: bool
    new: bool
    idle: int | None = None


def log_in(session: Session, name: str, *, terminal: bool) -> Login:
    """Log in, and keep the connection where the transport can.

    Args:
        session: What to work with.
        name: The cluster.
        terminal: Whether a person can be asked.

    Raises:
        TransportError: The login failed, or it takes a person and there is none.
    """
    transport = session.transport(name)
    if isinstance(transport, KeepsLogin):
        stay = transport.log_in(terminal=terminal)
        return Login(name, transport.description, kept=True, new=stay.new, idle=stay.idle)
    channel = transport.open(["true"], what="login")
    try:
        channel.exit_status(_PATIENCE)
    finally:
        channel.close()
    return Login(name, transport.description, kept=False, new=True)


def log_out(session: Session, name: str) -> bool:
    """End the connection that is kept; False where there is none.

    Raises:
        TransportError: It cannot be looked for.
    """
    transport = session.transport(name)
    return isinstance(transport, KeepsLogin) and transport.log_out()
