"""Connecting in the background, and greeting before SSH's engine is loaded."""

import contextlib
import socket
import threading
from typing import cast

import pytest

from trainsub.errors import UnreachableError
from trainsub.transport.base import Ask
from trainsub.transport.connection import Connection
from trainsub.transport.preparation import Preparation
from trainsub.transport.sockets import GREETING, GreetedStream

LINE = GREETING + b"\r\n"


class FakeConnection:
    """As much of a connection as a preparation touches."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        """Close."""
        self.closed.set()


def made(connection: FakeConnection) -> Connection:
    """A connection by its name."""
    return cast("Connection", connection)


def test_questions_are_asked_by_the_thread_that_waits() -> None:
    """A passphrase is asked for where the caller waits, not in the background."""
    asked: list[tuple[str, threading.Thread]] = []
    answers: list[str] = []

    def ask(prompt: str, *, echo: bool = False) -> str:
        assert not echo
        asked.append((prompt, threading.current_thread()))
        return "secret"

    def connect(question: Ask | None) -> Connection:
        assert question is not None
        answers.append(question("Passphrase: "))
        return made(connection)

    connection = FakeConnection()
    assert Preparation(connect, ask).result() is made(connection)
    assert asked == [("Passphrase: ", threading.current_thread())]
    assert answers == ["secret"]
    assert not connection.closed.is_set()


def test_without_a_terminal_nothing_can_be_asked() -> None:
    """Who has nobody to ask is told so."""
    seen: list[Ask | None] = []

    def connect(question: Ask | None) -> Connection:
        seen.append(question)
        return made(FakeConnection())

    Preparation(connect, None).result()
    assert seen == [None]


def test_an_error_is_raised_where_it_is_waited_for() -> None:
    """What went wrong in the background is the caller's error."""

    def connect(_: Ask | None) -> Connection:
        raise UnreachableError("nobody there")

    with pytest.raises(UnreachableError, match="nobody there"):
        Preparation(connect, None).result()


def test_an_abandoned_connection_is_closed_when_it_has_been_made() -> None:
    """Giving up does not wait for the network, and leaves no connection open."""
    connection = FakeConnection()
    go_on = threading.Event()

    def connect(_: Ask | None) -> Connection:
        go_on.wait(10)
        return made(connection)

    preparation = Preparation(connect, None)
    preparation.abandon()
    assert not connection.closed.is_set()
    go_on.set()
    assert connection.closed.wait(10)


def test_an_interrupted_question_ends_the_preparation() -> None:
    """Ctrl-C at the passphrase reaches the caller, and the background ends."""
    ended = threading.Event()

    def ask(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    def connect(question: Ask | None) -> Connection:
        assert question is not None
        try:
            question("Passphrase: ")
        finally:
            ended.set()
        return made(FakeConnection())

    preparation = Preparation(connect, ask)
    with pytest.raises(KeyboardInterrupt):
        preparation.result()
    preparation.abandon()
    assert ended.wait(10)


def test_the_greeting_is_sent_at_once_and_only_once() -> None:
    """The engine's own greeting is swallowed; all else goes through."""
    ours, theirs = socket.socketpair()
    with theirs:
        stream = GreetedStream(ours)
        assert theirs.recv(100) == LINE
        assert stream.send(LINE) == len(LINE)
        assert stream.send(b"more") == 4
        assert stream.send(LINE) == len(LINE)
        stream.close()
        assert b"".join(iter(lambda: theirs.recv(100), b"")) == b"more" + LINE


def test_a_stream_that_is_broken_already_is_found_out_by_the_engine() -> None:
    """A connection that breaks at once gives the usual error, not one of its own."""
    ours, theirs = socket.socketpair()
    theirs.close()
    stream = GreetedStream(ours)
    with pytest.raises(OSError, match=r".+"):
        stream.send(LINE)
    stream.close()
    stream.close()


def test_closing_wakes_who_reads() -> None:
    """A program's end need not wait for a read that would time out."""
    ours, theirs = socket.socketpair()
    with theirs:
        stream = GreetedStream(ours)
        stream.settimeout(30)

        def read() -> None:
            with contextlib.suppress(OSError):  # it was closed before the read began
                assert stream.recv(10) == b""

        reader = threading.Thread(target=read)
        reader.start()
        stream.close()
        reader.join(10)
        assert not reader.is_alive()
