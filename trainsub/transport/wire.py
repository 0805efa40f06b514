"""paramiko's protocol engine, with what trainsub needs of it that it does not do.  Importing this imports paramiko.

Everything that touches paramiko's inside is here and in ``wire_auth``, and nothing else is:

- the service request and the first authentication request go out together, and the exec request is not waited for:
  two round trips less, and nothing that RFC 4252 and 4254 do not allow;
- no host certificates are asked for, because paramiko takes them without checking their authority;
- the signal that killed a program, the server's allowed methods and its last words are kept.
"""

import logging
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import paramiko
from paramiko.agent import AgentSSH
from paramiko.common import (
    MSG_CHANNEL_REQUEST,
    cMSG_CHANNEL_REQUEST,
    cMSG_GLOBAL_REQUEST,
    cMSG_SERVICE_REQUEST,
)
from paramiko.transport import ServiceRequestingTransport

from trainsub.transport.sockets import GREETING, Stream
from trainsub.transport.wire_auth import AuthHandler, Questions

# Without a handler, logging prints paramiko's errors on stderr; trainsub raises them in its own words.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
"""AES-GCM first: it needs no separate MAC, which paramiko computes in Python."""
MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha1",
)
HOST_KEY_ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
WINDOW = 16 << 20
"""How much a program may write ahead of its reader: 320 MB/s at a round trip of 50 ms."""


class Wire(ServiceRequestingTransport):
    """One SSH connection.

    Args:
        stream: The byte stream that it goes over.
        host_key_algorithms: Those to ask for, in order.
    """

    # The parts of paramiko's inside that are used; its types do not show them.
    _send_message: Callable[[paramiko.Message], None]
    _send_user_message: Callable[[paramiko.Message], None]
    _channel_handler_table: dict[int, Callable[[Any, paramiko.Message], None]]

    def __init__(self, stream: Stream, host_key_algorithms: Sequence[str]) -> None:
        super().__init__(stream, default_window_size=WINDOW)  # type: ignore[arg-type] # asks for less than it says
        self.local_version = GREETING.decode()
        self.allowed_methods: tuple[str, ...] = ()
        self.last_words = ""
        options = self.get_security_options()
        options.ciphers = tuple(name for name in CIPHERS if name in options.ciphers)
        options.digests = tuple(name for name in MACS if name in options.digests)
        self._host_key_algorithms = tuple(host_key_algorithms)
        self._channel_handler_table = {
            **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined] # noqa: SLF001
            MSG_CHANNEL_REQUEST: _channel_request,
        }

    @property
    def preferred_keys(self) -> Sequence[str]:
        """The host key algorithms; paramiko would add the certificate variants of each."""
        return self._host_key_algorithms

    def ensure_session(self) -> None:
        """Ask for authentication, but do not wait for the permission: the request follows in the same packet."""
        if not self.is_active() or not self.initial_kex_done:
            raise paramiko.SSHException("the connection is closed")
        if self.auth_handler is not None:
            return
        self.auth_handler = self.get_auth_handler()
        message = paramiko.Message()
        message.add_byte(cMSG_SERVICE_REQUEST)
        message.add_string("ssh-userauth")
        self._send_message(message)

    def get_auth_handler(self) -> AuthHandler:
        """See paramiko."""
        return AuthHandler(self)

    @property
    def answered(self) -> bool:
        """Whether the server has answered the last authentication request."""
        event = None if self.auth_handler is None else self.auth_handler.auth_event
        return event is not None and event.is_set()

    def auth_questions(self, user: str, answer: Callable[[Questions], list[str]]) -> list[str]:
        """Log in by answering what the server asks, in as many rounds as it wants; the caller's thread answers.

        Returns:
            The methods of which the server wants one more; none if it lets us in.
        """
        self.ensure_session()
        handler = self.auth_handler
        if not isinstance(handler, AuthHandler):
            raise paramiko.SSHException("authentication was begun by somebody else")
        handler.answer = answer

        def finish(message: paramiko.Message) -> None:
            message.add_string("")  # the language, which RFC 4256 has given up
            message.add_string("")  # no submethods: the server knows its own

        return handler.send_auth_request(user, "keyboard-interactive", finish)

    def ask_alive(self) -> None:
        """Send a question that every server answers, if only with a refusal."""
        if not self.clear_to_send.is_set():
            return  # keys are being exchanged: the other side is busy, and so are we
        message = paramiko.Message()
        message.add_byte(cMSG_GLOBAL_REQUEST)
        message.add_string("keepalive@openssh.com")
        message.add_boolean(True)
        self._send_user_message(message)

    def exec(self, command: bytes, timeout: float) -> paramiko.Channel:
        """Open a session and start a command in it, without waiting for the answer to the latter."""
        channel = self.open_session(window_size=WINDOW, timeout=timeout)
        message = paramiko.Message()
        message.add_byte(cMSG_CHANNEL_REQUEST)
        message.add_int(channel.remote_chanid)
        message.add_string("exec")
        message.add_boolean(True)
        message.add_string(command)
        channel.event.clear()
        channel.event_ready = False
        self._send_user_message(message)
        return channel

    def wait_to_send(self, channel: paramiko.Channel, timeout: float | None) -> bool:
        """Wait until the other side takes more, or the channel has ended, which sending will find.

        Args:
            channel: One of this connection's.
            timeout: Seconds to wait; None waits for ever.

        Returns:
            Whether sending does not have to wait for the program.
        """
        room = channel.out_buffer_cv
        with room:
            return room.wait_for(lambda: bool(channel.out_window_size or channel.closed or channel.eof_sent), timeout)

    def _parse_disconnect(self, message: paramiko.Message) -> None:
        message.get_int()
        self.last_words = message.get_text()
        message.rewind()
        super()._parse_disconnect(message)  # type: ignore[misc]


def _channel_request(channel: paramiko.Channel, message: paramiko.Message) -> None:
    """Take the exit signal, which paramiko drops, as the exit status that a shell would give."""
    position = len(message.get_so_far())
    kind = message.get_text()
    if kind == "exit-signal":
        message.get_boolean()
        name = "SIG" + message.get_text()
        number = signal.Signals[name].value if name in signal.Signals.__members__ else 0
        channel.exit_status = 128 + number
        channel.status_event.set()
        return
    message.rewind()
    message.get_bytes(position)
    channel._handle_request(message)  # type: ignore[attr-defined] # noqa: SLF001


class AgentAt(AgentSSH):
    """The keys of the agent behind a socket.

    Raises:
        OSError: Nothing answers there.
        paramiko.SSHException: What answers is no agent.
    """

    _connect: Callable[[socket.socket], None]

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(timeout)
            self._socket.connect(str(Path(path)))
            self._connect(self._socket)
        except BaseException:
            self._socket.close()
            raise
        self._socket.settimeout(None)  # the agent may ask its owner before it signs

    def close(self) -> None:
        """Let go of the agent."""
        self._socket.close()
