import socket

import pytest

from trainsub.transport import sockets
from trainsub.transport.sockets import WatchedStream


class Clock:
    """The time, as the stream is told it."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """See time."""
        return self.now


def quiet(clock: Clock, stream: WatchedStream, seconds: float) -> None:
    """Let time pass in which nothing comes."""
    clock.now += seconds
    with pytest.raises(TimeoutError):
        stream.recv(10)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that only the test moves."""
    made = Clock()
    monkeypatch.setattr(sockets, "time", made)
    return made


def test_who_is_silent_is_asked_and_then_given_up(clock: Clock) -> None:
    """After each interval a question; after so many without an answer the connection is lost."""
    ours, theirs = socket.socketpair()
    asked: list[float] = []
    with ours, theirs:
        stream = WatchedStream(ours, 10, 2)
        stream.settimeout(0.01)
        stream.ask = lambda: asked.append(clock.now)
        for _ in range(5):
            quiet(clock, stream, 5)
        assert asked == [110, 120]
        theirs.send(b"x")
        assert stream.recv(10) == b"x"
        quiet(clock, stream, 10)
        quiet(clock, stream, 10)
        clock.now += 10
        with pytest.raises(OSError, match="silent for too long"):
            stream.recv(10)


def test_after_a_long_sleep_there_is_time_to_answer(clock: Clock) -> None:
    """A laptop wakes after hours, and the other side is still there: it is asked, and waited for."""
    ours, theirs = socket.socketpair()
    asked: list[float] = []
    with ours, theirs:
        stream = WatchedStream(ours, 10, 2)
        stream.settimeout(0.01)
        stream.ask = lambda: asked.append(clock.now)
        quiet(clock, stream, 10_000)
        quiet(clock, stream, 1)
        theirs.send(b"x")
        assert stream.recv(10) == b"x"
        assert asked == [10_100]
