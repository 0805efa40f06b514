"""A server that asks for passwords and codes: the other party for logins by keyboard-interactive, without PAM or root."""
# ruff: noqa: ARG002 - the signatures are paramiko's

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_PARTIALLY_SUCCESSFUL, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.server import InteractiveQuery

Round = tuple[str, tuple[tuple[str, bool, str], ...]]
"""What is said, and the prompts: each with whether it is echoed, and the right answer."""

CODE: tuple[Round, ...] = (("", (("Password: ", False, "secret"),)), ("Your token", (("Code: ", True, "123456"),)))
"""Password first, then a one-time code that may be seen."""


@dataclass
class Rules:
    """How one logs in.

    Attributes:
        steps: The methods that must all succeed, in order.
        rounds: What keyboard-interactive asks, round by round.
        password: For the method ``password``.
        tries: Wrong answers after which the server hangs up.
    """

    steps: Sequence[str] = ("keyboard-interactive",)
    rounds: Sequence[Round] = CODE
    password: str = "secret"
    tries: int = 6


@dataclass
class Door(paramiko.ServerInterface):
    """One connection's login, and the programs that it runs."""

    rules: Rules
    transport: paramiko.Transport
    done: int = 0
    round: int = 0
    wrong: int = 0

    def get_allowed_auths(self, username: str) -> str:
        """The next step."""
        return self.rules.steps[self.done]

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """Any key is right."""
        return self._step("publickey")

    def check_auth_password(self, username: str, password: str) -> int:
        """The password."""
        return self._step("password") if password == self.rules.password else self._wrong()

    def check_auth_interactive(self, username: str, submethods: str) -> int | InteractiveQuery:
        """The first question."""
        self.round = 0
        return self._query() if self.rules.steps[self.done] == "keyboard-interactive" else AUTH_FAILED

    def check_auth_interactive_response(self, responses: list[str]) -> int | InteractiveQuery:
        """The next question, or the end."""
        _, prompts = self.rules.rounds[self.round]
        if responses != [answer for _, _, answer in prompts]:
            return self._wrong()
        self.round += 1
        return self._query() if self.round < len(self.rules.rounds) else self._step("keyboard-interactive")

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Sessions only."""
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """Run it in a shell, as sshd does."""
        threading.Thread(target=_serve, args=(channel, command), daemon=True).start()
        return True

    def _step(self, method: str) -> int:
        if self.rules.steps[self.done] != method:
            return AUTH_FAILED
        self.done += 1
        return AUTH_SUCCESSFUL if self.done == len(self.rules.steps) else AUTH_PARTIALLY_SUCCESSFUL

    def _wrong(self) -> int:
        self.wrong += 1
        if self.wrong >= self.rules.tries:
            self.transport.close()
        return AUTH_FAILED

    def _query(self) -> InteractiveQuery:
        words, prompts = self.rules.rounds[self.round]
        query = InteractiveQuery("", words)
        for prompt, echo, _ in prompts:
            query.add_prompt(prompt, echo)
        return query


def _serve(channel: paramiko.Channel, command: bytes) -> None:
    with subprocess.Popen(
        ["/bin/sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        feeder = threading.Thread(target=_pass_on, args=(channel.recv, program.stdin), daemon=True)
        feeder.start()
        while data := os.read(program.stdout.fileno(), 65536):
            channel.sendall(data)
        channel.send_exit_status(program.wait())
        channel.close()
        feeder.join()


def _pass_on(read: "Callable[[int], bytes]", sink: object) -> None:
    with contextlib.suppress(OSError, ValueError):
        while data := read(65536):
            sink.write(data)  # type: ignore[attr-defined]
            sink.flush()  # type: ignore[attr-defined]
    with contextlib.suppress(OSError):
        sink.close()  # type: ignore[attr-defined]


class CodeServer:
    """The listening server.

    Args:
        rules: How one logs in.
        key: Its host key.
    """

    def __init__(self, rules: Rules, key: paramiko.PKey) -> None:
        self.rules = rules
        self.logins = 0
        self._key = key
        self._open: list[paramiko.Transport] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def host_key(self) -> str:
        """Type and blob, as in known_hosts."""
        return f"{self._key.get_name()} {self._key.get_base64()}"

    def close(self) -> None:
        """Hang up on everybody."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for transport in self._open:
            transport.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                transport = paramiko.Transport(client)
                transport.add_server_key(self._key)
                self._open.append(transport)
                with contextlib.suppress(paramiko.SSHException):
                    transport.start_server(server=Door(self.rules, transport), event=threading.Event())
                    self.logins += 1
