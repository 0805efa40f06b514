"""Makes one trusted, authenticated SSH connection, through jump hosts where the configuration says so."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from trainsub.errors import TransportError, UnreachableError
from trainsub.transport.auth import authenticate
from trainsub.transport.base import Ask
from trainsub.transport.host_keys import HostKeys
from trainsub.transport.sockets import GreetedStream, ProxyCommand, Stream, WatchedStream, connect_tcp
from trainsub.transport.ssh_config import Target

if TYPE_CHECKING:
    from trainsub.transport.wire import Wire


class Connection:
    """An open way to the last of some machines, each reached through the one before it.

    Args:
        targets: The jump hosts in order, and the machine itself.
        timeout: Seconds for each step: TCP, handshake, authentication.
        ask: Asks for a passphrase; None where there is no terminal.

    Raises:
        TransportError: It cannot be made, trusted or used.
    """

    def __init__(self, targets: Sequence[Target], timeout: float, ask: Ask | None) -> None:
        self._timeout = timeout
        self._ask = ask
        self._wires: list[Wire] = []
        self._outermost: WatchedStream | None = None
        try:
            for target in targets:
                self._wires.append(self._connect(target))
        except BaseException:
            self.close()
            raise

    @property
    def wire(self) -> "Wire":
        """The connection to the machine itself."""
        return self._wires[-1]

    @property
    def raw_bytes(self) -> tuple[int, int]:
        """Bytes sent and received on the network, SSH's own included."""
        stream = self._outermost
        return (0, 0) if stream is None else (stream.sent, stream.received)

    def close(self) -> None:
        """Close every connection on the way, the last first."""
        for wire in reversed(self._wires):
            wire.close()

    def _connect(self, target: Target) -> "Wire":
        inner = self._stream(target)
        stream = WatchedStream(GreetedStream(inner), target.keepalive_interval, target.keepalive_count)
        if self._outermost is None:
            self._outermost = stream
        try:
            wire = self._handshake(target, stream)
        except TransportError as error:
            complaint = _complaint(inner)
            inner.close()
            if complaint:
                raise type(error)(f"{error.message}{complaint}", hint=error.hint) from error
            raise
        except BaseException:
            inner.close()
            raise
        try:
            self._authenticate(wire, target)
        except BaseException:
            wire.close()
            raise
        stream.ask = wire.ask_alive
        return wire

    def _authenticate(self, wire: "Wire", target: Target) -> None:
        import paramiko  # noqa: PLC0415 - is loaded by now; at the top it would cost every start

        try:
            authenticate(wire, target, self._ask, self._timeout)
        except (paramiko.SSHException, OSError, EOFError) as error:
            why = wire.last_words or str(error) or "it was closed"
            raise UnreachableError(
                f"the connection to {target.address} broke during the login: {why}",
                hint="Try again; nothing was sent.",
            ) from error

    def _stream(self, target: Target) -> Stream:
        if self._wires:
            return self._through(self._wires[-1], target)
        if target.proxy_command is not None:
            return ProxyCommand(target.proxy_command)
        return connect_tcp(target.host, target.port, self._timeout)

    def _through(self, jump: "Wire", target: Target) -> Stream:
        import paramiko  # noqa: PLC0415 - is loaded by now; at the top it would cost every start

        try:
            channel = jump.open_channel(
                "direct-tcpip", (target.host, target.port), ("127.0.0.1", 0), timeout=self._timeout
            )
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise UnreachableError(
                f"the jump host cannot connect to {target.address}: {error}",
                hint=f"check the address, and whether the jump host may forward connections: {target.ssh_command}",
            ) from error
        return cast("Stream", channel)

    def _handshake(self, target: Target, stream: WatchedStream) -> "Wire":
        from trainsub.transport.wire import HOST_KEY_ALGORITHMS, Wire  # noqa: PLC0415 - imports paramiko

        host_keys = HostKeys(target)
        wire = Wire(stream, host_keys.algorithms(HOST_KEY_ALGORITHMS))
        # Ours ends first, below, so that an error of paramiko's means that the server ended it.
        wire.banner_timeout = wire.handshake_timeout = 2 * self._timeout
        wire.auth_timeout = self._timeout
        done = threading.Event()
        try:
            wire.start_client(event=done)
            finished = done.wait(self._timeout)
            if not finished or not wire.is_active() or wire.host_key is None:
                raise _no_handshake(wire, target, self._timeout)  # noqa: TRY301 - closes what is open
            key = wire.host_key
            host_keys.verify(key.get_name(), key.asbytes())
        except BaseException:
            wire.close()
            raise
        return wire


def _no_handshake(wire: "Wire", target: Target, timeout: float) -> TransportError:
    from paramiko.ssh_exception import IncompatiblePeer  # noqa: PLC0415

    error = wire.get_exception()
    if isinstance(error, IncompatiblePeer):
        return TransportError(
            f"{target.address} and trainsub have no common SSH algorithm: {error}",
            hint="the server may be very old, or allow only algorithms that paramiko does not know",
        )
    if not wire.remote_version:
        how = "hung up without a greeting of SSH" if error else f"did not greet as an SSH server in {timeout:g} s"
        return UnreachableError(
            f"{target.address} accepts connections, but {how}",
            hint="check the port; if it is right, the login node may be overloaded: try again later",
        )
    return UnreachableError(
        f"{target.address} broke off the SSH handshake: {wire.last_words or error or f'no answer in {timeout:g} s'}",
        hint="the login node may limit connections: try again in a minute",
    )


def _complaint(stream: Stream) -> str:
    if not isinstance(stream, ProxyCommand):
        return ""
    said = stream.complaint()
    return f" (through ProxyCommand `{stream.command}`{f', which said: {said}' if said else ''})"
