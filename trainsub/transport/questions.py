"""Proves to a server who we are by what a person knows: keyboard-interactive (passwords, one-time codes) and password.

Answers are sent to the server whose host key was verified, and are kept nowhere.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainsub.errors import AuthError, UnreachableError
from trainsub.transport.base import Ask
from trainsub.transport.ssh_config import Target

if TYPE_CHECKING:
    from trainsub.transport.wire import Wire
    from trainsub.transport.wire_auth import Questions

_MOST_STEPS = 20
"""Steps of one login; a server that wants more plays a game."""


class _Person:
    """Answers a server's questions by asking; notes whether there was anything to ask."""

    def __init__(self, target: Target, ask: Ask) -> None:
        self._who = f"{target.user}@{target.address}"
        self._ask = ask
        self._words = ""
        self.asked = False

    def answer(self, questions: "Questions") -> list[str]:
        """Ask one round of questions."""
        self._words = "\n".join(filter(None, (self._words, _plain(questions.words))))
        answers = []
        for prompt, echo in questions.prompts:
            # Who asks stands before what is asked: a server could word its prompt as another one's.
            said = f"{self._words}\n" if self._words else ""
            self._words = ""
            self.asked = True
            answers.append(self._ask(f"{said}({self._who}) {_plain(prompt)}", echo=echo))
        return answers

    def password(self) -> str:
        """Ask for the password."""
        self.asked = True
        return self._ask(f"({self._who}) Password: ")


def answer_questions(wire: "Wire", target: Target, ask: Ask, methods: Sequence[str], timeout: float) -> list[str]:
    """Log in by the methods of these that ask a person.

    Args:
        wire: The connection.
        target: Who we are there.
        ask: Asks the person.
        methods: What the server allows now.
        timeout: Seconds for each answer of the server.

    Returns:
        The methods of which the server wants one more that asks nobody; none if it lets us in.

    Raises:
        AuthError: The answers were not accepted.
        UnreachableError: The server does not answer any more.
    """
    import paramiko  # noqa: PLC0415 - is loaded by now; at the top it would cost every start

    useless: set[str] = set()
    tries = target.prompts
    for _ in range(_MOST_STEPS):
        method = choose(target, [name for name in methods if name not in useless])
        if method is None or tries <= 0:
            break
        person = _Person(target, ask)
        try:
            if method == "password":
                more = wire.auth_password(target.user, person.password())
            else:
                more = wire.auth_questions(target.user, person.answer)
        except paramiko.AuthenticationException as error:
            _check(wire, target, timeout, error)
            tries -= 1
            methods = wire.allowed_methods
            if not person.asked:
                useless.add(method)
            continue
        if not more or choose(target, more) is None:
            return more
        methods, tries = more, target.prompts  # one step is done
    raise AuthError(
        f"{target.user}@{target.address} did not accept the answers; it allows: {', '.join(methods)}",
        hint=f"what OpenSSH does shows: {target.ssh_command.replace('ssh ', 'ssh -v ', 1)}",
    )


def choose(target: Target, methods: Sequence[str]) -> str | None:
    """Return the method of these that asks a person, and that the configuration allows."""
    return next((name for name in target.methods if name in methods), None)


def _check(wire: "Wire", target: Target, timeout: float, error: Exception) -> None:
    """Tell an answer that was not accepted from a server that is gone."""
    if not wire.is_active():
        words = f": {wire.last_words}" if wire.last_words else ""
        raise AuthError(
            f"{target.user}@{target.address} closed the connection during the login{words}",
            hint="the server gives little time, and allows few tries; try again",
        ) from error
    if not wire.answered:
        raise UnreachableError(
            f"{target.address} did not answer the login in {timeout:g} s", hint="it may be overloaded"
        ) from error


def _plain(text: str) -> str:
    """A server's words without what would move the terminal's cursor."""
    return "".join(one for one in text if one.isprintable() or one in "\n\t")
