"""Logging in with a password and a one-time code over paramiko; what is asked, how often, and what nobody can answer."""

import getpass
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest
from codes import CODE, CodeServer, Rules
from paramiko.common import AUTH_FAILED
from sshd import Server, make_key, output

from trainsub.errors import AuthError, UnreachableError
from trainsub.transport import Transport

Connect = Callable[..., Transport]
Start = Callable[..., tuple[CodeServer, Path]]


@pytest.fixture
def start(sshd: Server, tmp_path: Path) -> Iterator[Start]:
    """Start a server that asks, and write a configuration with the alias hpc for it."""
    started: list[CodeServer] = []
    host_key = paramiko.Ed25519Key.from_private_key_file(str(sshd.directory / "host_ed25519"))

    def make(*lines: str, **rules: object) -> tuple[CodeServer, Path]:
        server = CodeServer(Rules(**rules), host_key)  # type: ignore[arg-type]
        started.append(server)
        known = tmp_path / "known_codes"
        known.write_text(f"[127.0.0.1]:{server.port} {server.host_key}\n")
        return server, sshd.config(tmp_path / "config", f"Port {server.port}", f"UserKnownHostsFile {known}", *lines)

    yield make
    for server in started:
        server.close()


class Person:
    """Answers in a fixed order, and remembers what was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, bool]] = []
        self.threads: set[threading.Thread] = set()

    def __call__(self, prompt: str, *, echo: bool = False) -> str:
        """Answer."""
        self.asked.append((prompt, echo))
        self.threads.add(threading.current_thread())
        return self.answers.pop(0)


@pytest.mark.parametrize("prepared", [False, True])
def test_password_and_code(start: Start, connect: Connect, *, prepared: bool) -> None:
    """Two rounds of questions log in; the thread that waits asks, and only what may be seen is echoed."""
    server, config = start()
    person = Person("secret", "123456")
    transport = connect(config, ask=person)
    if prepared:
        transport.prepare()
    assert output(transport, "echo", "in") == b"in\n"
    who = f"({getpass.getuser()}@127.0.0.1:{server.port})"
    assert person.asked == [(f"{who} Password: ", False), (f"Your token\n{who} Code: ", True)]
    assert person.threads == {threading.current_thread()}


def test_key_then_code(start: Start, connect: Connect) -> None:
    """A key is the first step, the questions are the second."""
    _, config = start(steps=("publickey", "keyboard-interactive"))
    person = Person("secret", "123456")
    assert output(connect(config, ask=person), "echo", "in") == b"in\n"
    assert len(person.asked) == 2


def test_code_then_key_is_told(start: Start, connect: Connect) -> None:
    """A key that is wanted after the answers cannot be given any more, and that is said."""
    _, config = start(steps=("keyboard-interactive", "publickey"))
    with pytest.raises(AuthError, match="wants a second step: publickey"):
        connect(config, ask=Person("secret", "123456")).open(["true"])


def test_several_prompts_in_a_round(start: Start, connect: Connect) -> None:
    """One round may ask several things, and one may ask nothing but tell something."""
    rounds = (("Maintenance on Friday", ()), ("", (("User's PIN: ", False, "1"), ("Token: ", False, "2"))))
    _, config = start(rounds=rounds)
    person = Person("1", "2")
    assert output(connect(config, ask=person), "echo", "in") == b"in\n"
    assert person.asked[0][0].startswith("Maintenance on Friday\n(")


def test_password_only(start: Start, connect: Connect) -> None:
    """The method password is used where the server offers nothing better."""
    _, config = start(steps=("password",))
    person = Person("wrong", "secret")
    assert output(connect(config, ask=person), "echo", "in") == b"in\n"
    assert [prompt.rpartition(") ")[2] for prompt, _ in person.asked] == ["Password: "] * 2


def test_password_then_code(start: Start, connect: Connect) -> None:
    """Methods that both ask follow each other."""
    _, config = start(steps=("password", "keyboard-interactive"), rounds=CODE[1:])
    assert output(connect(config, ask=Person("secret", "123456")), "echo", "in") == b"in\n"


def test_a_wrong_code_is_asked_again(start: Start, connect: Connect) -> None:
    """A mistyped code is no failed command."""
    _, config = start(rounds=CODE[1:])
    assert output(connect(config, ask=Person("1", "2", "123456")), "echo", "in") == b"in\n"


def test_wrong_codes(start: Start, connect: Connect) -> None:
    """It is asked as often as OpenSSH does, and then it is an error."""
    _, config = start("NumberOfPasswordPrompts 2", rounds=CODE[1:])
    person = Person(*"1234567")
    with pytest.raises(AuthError, match="did not accept the answers") as caught:
        connect(config, ask=person).open(["true"])
    assert len(person.asked) == 2
    assert not any(answer in str(caught.value.__dict__) for answer in ("secret", "123456"))


def test_the_server_hangs_up(start: Start, connect: Connect) -> None:
    """A server that allows fewer tries is understood."""
    _, config = start(rounds=CODE[1:], tries=1)
    with pytest.raises(AuthError, match="closed the connection during the login"):
        connect(config, ask=Person(*"1234567")).open(["true"])


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (("keyboard-interactive",), "accepts none of the keys; the server allows: keyboard-interactive"),
        (("publickey", "keyboard-interactive"), "wants a second step: keyboard-interactive"),
        (("password",), "the server allows: password"),
    ],
)
def test_without_a_terminal(start: Start, connect: Connect, steps: tuple[str, ...], words: str) -> None:
    """Nobody is asked, and the message says that a login is needed and how to have one."""
    _, config = start(steps=steps)
    with pytest.raises(AuthError, match="login needed") as caught:
        connect(config).open(["true"])
    assert words in caught.value.message
    assert "there is no terminal to ask on" in caught.value.message
    assert "trainsub cluster login" in str(caught.value.hint)


def test_the_configuration_forbids_questions(start: Start, connect: Connect) -> None:
    """BatchMode and the like are honoured."""
    _, config = start("BatchMode yes")
    person = Person()
    with pytest.raises(AuthError):
        connect(config, ask=person).open(["true"])
    assert person.asked == []


def test_no_key_at_all(start: Start, connect: Connect, tmp_path: Path) -> None:
    """Who has no key can still answer."""
    _, config = start()
    config.write_text(config.read_text().replace("IdentityFile", "#"))
    config.write_text(config.read_text() + f"  IdentityFile {tmp_path}/none\n")
    assert output(connect(config, ask=Person("secret", "123456")), "echo", "in") == b"in\n"


def test_a_person_may_take_longer_than_the_network(start: Start, connect: Connect) -> None:
    """The limit for the server's answers does not count while somebody types."""
    _, config = start(rounds=CODE[1:])

    def slow(prompt: str, *, echo: bool = False) -> str:
        assert "Code" in prompt
        assert echo
        time.sleep(2)
        return "123456"

    assert output(connect(config, ask=slow, connect_timeout=1), "echo", "in") == b"in\n"


def test_an_interrupted_question(start: Start, connect: Connect) -> None:
    """Ctrl-C at a question reaches the caller."""
    _, config = start()

    def interrupt(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        connect(config, ask=interrupt).open(["true"])


def test_the_terminal_is_safe(start: Start, connect: Connect) -> None:
    """A server's words cannot move the cursor."""
    _, config = start(rounds=(("\x1b[2Jfake", (("\x1b]0;x\x07Code: ", False, "1"),)),))
    person = Person("1")
    assert output(connect(config, ask=person), "echo", "in") == b"in\n"
    assert "\x1b" not in person.asked[0][0]
    assert "\x07" not in person.asked[0][0]


def test_a_server_that_stops_answering(start: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence after an answer costs the timeout, and is no refusal."""
    _, config = start(rounds=CODE[1:])

    def never(*_: object) -> int:
        time.sleep(4)
        return AUTH_FAILED

    monkeypatch.setattr("codes.Door.check_auth_interactive_response", never)
    with pytest.raises(UnreachableError, match="did not answer the login in 1 s"):
        connect(config, ask=Person("123456"), connect_timeout=1).open(["true"])


def test_two_keys(sshd_with: Callable[..., Server], tmp_path: Path, connect: Connect) -> None:
    """A server that wants two keys gets two."""
    server = sshd_with("AuthenticationMethods publickey,publickey")
    second = make_key(tmp_path / "second")
    with (server.directory / "authorized_keys").open("a") as file:
        file.write(Path(f"{second}.pub").read_text())
    config = server.config(tmp_path / "config", f"IdentityFile {second}")
    assert output(connect(config), "echo", "in") == b"in\n"
