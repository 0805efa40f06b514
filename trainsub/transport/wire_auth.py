"""The client's side of SSH authentication, with what paramiko's does not do.  Importing this imports paramiko.

Questions of the server are answered by the thread that logs in, not by the one that reads the network.
"""

import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import paramiko
from paramiko.auth_handler import AuthOnlyHandler
from paramiko.common import cMSG_USERAUTH_INFO_RESPONSE, cMSG_USERAUTH_REQUEST

if TYPE_CHECKING:
    from trainsub.transport.wire import Wire

_MOST_PROMPTS = 100


@dataclass(frozen=True, slots=True)
class Questions:
    """What a server wants to know, in one round of keyboard-interactive (RFC 4256).

    Attributes:
        words: What it says first; may be empty.
        prompts: What it asks, each with whether the answer may be seen; may be none.
    """

    words: str
    prompts: tuple[tuple[str, bool], ...]


class AuthHandler(AuthOnlyHandler):
    """Authentication that remembers what the server would allow."""

    transport: "Wire"

    def __init__(self, transport: "Wire") -> None:
        super().__init__(transport)
        self.answer: Callable[[Questions], list[str]] | None = None
        self._asked: queue.SimpleQueue[Questions] = queue.SimpleQueue()

    def send_auth_request(
        self, username: str, method: str, finish_message: Callable[[paramiko.Message], None] | None = None
    ) -> list[str]:
        """Send a request and wait for the answer.

        paramiko makes the event after it has sent the request: a fast server's answer is then waited for in vain.
        """
        self.auth_method = method
        self.username = username
        message = paramiko.Message()
        message.add_byte(cMSG_USERAUTH_REQUEST)
        message.add_string(username)
        message.add_string("ssh-connection")
        message.add_string(method)
        if finish_message is not None:
            finish_message(message)
        self.auth_event = event = threading.Event()
        with self.transport.lock:
            self.transport._send_message(message)  # noqa: SLF001
        return self.wait_for_response(event)

    def wait_for_response(self, event: threading.Event) -> list[str]:
        """Wait for the answer to a request, and answer questions meanwhile; a person may take any time for those."""
        while True:
            deadline = time.monotonic() + (self.transport.auth_timeout or math.inf)
            while not event.wait(0.1) and self.transport.is_active():
                if time.monotonic() > deadline:
                    raise paramiko.AuthenticationException("no answer in time")
            if not self._asked.qsize() or self.answer is None or not self.transport.is_active():
                return super().wait_for_response(event)
            questions = self._asked.get()
            event.clear()  # before the answer, which the server replies to
            answers = self.answer(questions)
            message = paramiko.Message()
            message.add_byte(cMSG_USERAUTH_INFO_RESPONSE)
            message.add_int(len(answers))
            for one in answers:
                message.add_string(one)
            with self.transport.lock:
                self.transport._send_message(message)  # noqa: SLF001

    def _parse_userauth_info_request(self, message: paramiko.Message) -> None:
        if self.auth_method != "keyboard-interactive" or self.auth_event is None:
            raise paramiko.SSHException("the server asks what nobody wants to answer")
        title, words = _read(message), _read(message)
        message.get_string()  # the language
        count = message.get_int()
        if count > _MOST_PROMPTS:
            raise paramiko.SSHException(f"the server asks {count} things at once")
        prompts = tuple((_read(message), message.get_boolean()) for _ in range(count))
        self._asked.put(Questions("\n".join(filter(None, (title, words))), prompts))
        self.auth_event.set()  # wakes who waits in wait_for_response

    def _parse_userauth_failure(self, message: paramiko.Message) -> None:
        position = len(message.get_so_far())
        self.transport.allowed_methods = tuple(message.get_list())
        message.rewind()
        message.get_bytes(position)
        super()._parse_userauth_failure(message)  # type: ignore[misc]


def _read(message: paramiko.Message) -> str:
    return message.get_string().decode("utf-8", "replace").strip("\r\n")
