# ruff: noqa: D102 - the doubles' methods are those of what they stand for
from collections.abc import Sequence

import pytest

from trainsub.errors import ConnectionLostError, OutputError, RemoteTimeoutError
from trainsub.remote.fence import Claim, Discard, Look
from trainsub.remote.frames import Frame
from trainsub.remote.outcome import read_answer
from trainsub.remote.requests import Completed, FindRoot, ListDirectory, ReadTail, Request, RunCommand
from trainsub.remote.submission import SubmitRequest
from trainsub.remote.submit import submit
from trainsub.remote.talk import EndedError, Talk
from trainsub.tracker.values import UNKNOWN
from trainsub.transport.base import Channel

NONCE = "f" * 32


class Tape:
    """A channel that plays what a program might say, and then ends as told."""

    def __init__(self, *pieces: bytes, status: int | None = 0, errors: bytes = b"", deaf: bool = False) -> None:
        self.pieces = list(pieces)
        self.status = status
        self.errors = errors
        self.deaf = deaf
        self.closed = False

    def write(self, data: bytes, timeout: float | None = None) -> None:
        del timeout
        if self.deaf:
            raise ConnectionLostError(f"broken after {len(data)} bytes")

    def close_write(self) -> None:
        self.write(b"")

    def read(self, timeout: float | None = None) -> bytes:
        del timeout
        return self.pieces.pop(0) if self.pieces else b""

    def stderr(self) -> bytes:
        return self.errors

    def exit_status(self, timeout: float | None = None) -> int | None:
        del timeout
        return self.status

    def close(self) -> None:
        self.closed = True


class FullTape(Tape):
    """A channel to a program that has stopped reading, and goes on."""

    def write(self, data: bytes, timeout: float | None = None) -> None:
        raise RemoteTimeoutError(f"{len(data)} bytes were not taken in {timeout} s")

    def read(self, timeout: float | None = None) -> bytes:
        if not self.pieces:
            raise RemoteTimeoutError(f"silent for {timeout} s")
        return super().read(timeout)


class TapeTransport:
    """A way to one tape; the nonce in the tape is the one that was sent."""

    description = "tape"
    connections = execs = bytes_sent = bytes_received = 0

    def __init__(self, tape: Tape) -> None:
        self.tape = tape

    def prepare(self) -> None:
        raise NotImplementedError

    def open(self, argv: Sequence[str], *, what: str = "") -> Channel:
        del argv, what
        return self.tape

    def close(self) -> None:
        raise NotImplementedError


def talk(tape: Tape) -> Talk:
    """A talk with a tape."""
    return Talk(tape, NONCE, where="hpc")


def test_frames_come_one_by_one() -> None:
    """Also if many come at once, and one in many pieces."""
    mark = f"\n{NONCE}".encode()
    one = talk(Tape(b"noise" + mark + b".a 1\n" + mark + b" b\nbo", b"dy" + mark[:7], mark[7:] + b".c\n"))
    assert [one.read_frame(1) for _ in range(3)] == [Frame("a", ("1",)), Frame("b", (), b"body"), Frame("c")]
    assert one.received == len(mark) * 3 + len(b"noise.a 1\n b\nbody.c\n")


@pytest.mark.parametrize(("tape", "message"), [
    (Tape(status=127, errors=b"sh: not found\n"), "exit status 127: sh: not found"),
    (Tape(b"This account is\nnot available\n", status=1), "exit status 1: This account is | not available"),
    (Tape(status=0), "exit status 0"),
])  # fmt: skip
def test_an_early_end_is_told_with_its_last_words(tape: Tape, message: str) -> None:
    """What the other side said is in the message."""
    with talk(tape) as one, pytest.raises(EndedError) as caught:
        one.read_frame(1)
    assert caught.value.message.endswith(message)
    assert (caught.value.hint is not None) == ("127" in message)
    assert tape.closed


def test_an_end_without_status_is_a_lost_connection() -> None:
    """Nobody knows what happened there; the first loss is the one that is told."""
    with pytest.raises(ConnectionLostError, match="before the remote program had ended"):
        talk(Tape(status=None)).read_frame(1)
    deaf = talk(Tape(status=None, deaf=True))
    deaf.send(b"x")
    deaf.send(b"y")
    deaf.close_write()
    assert (deaf.hung_up, deaf.sent) == (True, 0)
    with pytest.raises(ConnectionLostError, match="broken after 1 bytes"):
        deaf.read_frame(1)
    late = talk(Tape(status=None, deaf=True))
    late.close_write()
    assert late.hung_up
    one = talk(Tape())
    one.send(b"abc")
    one.close_write()
    assert (one.hung_up, one.sent) == (False, 3)


def test_what_was_said_before_hanging_up_counts() -> None:
    """A program that has ended does not read; its last frame is read all the same."""
    one = talk(Tape(f"\n{NONCE}.a\n".encode(), deaf=True))
    one.send(b"x")
    assert one.read_frame(1) == Frame("a")


def test_a_program_that_stops_reading_is_lost() -> None:
    """What it said before is read; then it is told that it took nothing, without waiting as long once more."""
    one = Talk(FullTape(f"\n{NONCE}.a\n".encode()), NONCE, where="hpc", patience=7)
    one.send(b"xyz")
    one.send(b"never sent")
    assert (one.hung_up, one.sent) == (True, 0)
    assert one.read_frame(1) == Frame("a")
    with pytest.raises(RemoteTimeoutError, match="3 bytes were not taken in 7 s"):
        one.read_frame(1000)


def test_a_submit_that_cannot_send_on_is_unknown() -> None:
    """Nobody knows whether the program will read on; it is to be settled, and nobody is told to wait for words."""
    told: list[str] = []
    reply = submit(TapeTransport(FullTape()), SubmitRequest("~/x", "run", 1, {}), tell=told.append)
    assert (reply.outcome, told) == (UNKNOWN, [])
    assert reply.detail.endswith("bytes were not taken in 180.0 s")


@pytest.mark.parametrize("said", [".busy sbatch", ".busy sbatch\n\nNONCE.what", ".what", ".answer 0 1", ".error"])
def test_a_submit_that_hears_nonsense_is_unknown(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is not understood is to be settled."""
    monkeypatch.setattr("secrets.token_hex", lambda _: NONCE)
    data = f"\n{NONCE}{said}\n".replace("NONCE", NONCE).encode()
    request = SubmitRequest("~/x", "run", 1, {"script.sbatch": b""})
    assert submit(TapeTransport(Tape(data)), request).outcome == UNKNOWN


def test_an_archive_is_asked_for_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that wants what there is not makes no sense."""
    monkeypatch.setattr("secrets.token_hex", lambda _: NONCE)
    tape = Tape(f"\n{NONCE}.need\n\n{NONCE}.need\n".encode())
    assert submit(TapeTransport(tape), SubmitRequest("~/x", "run", 1, {})).outcome == UNKNOWN


@pytest.mark.parametrize("request_", [
    RunCommand(["x"]), ReadTail("x", 0, 1), ListDirectory("x"), FindRoot("x"),
])  # fmt: skip
def test_answers_to_other_questions_are_errors(request_: Request[object]) -> None:
    """Nothing is guessed from a frame that does not belong."""
    for frames in ([Frame("huh"), Frame("rc", ("0",))], [Frame("huh")]):
        with pytest.raises(OutputError):
            request_.answer(frames)


@pytest.mark.parametrize(("request_", "frames"), [
    (RunCommand(["x"]), [Frame("out"), Frame("rc")]),
    (RunCommand(["x"]), [Frame("out"), Frame("rc", ("x",))]),
    (ReadTail("x", 0, 1), [Frame("tail", ("0",))]),
    (ReadTail("x", 0, 1), [Frame("tail", ("0", "x"))]),
    (Look(), [Frame("state", ("1",))]),
    (Look(), [Frame("state", ("now", "-", "-", "-", "-", "-"))]),
    (Look(), [Frame("state", ("-", "-", "-", "-", "-", "-"))]),
    (Claim("void"), [Frame("owner")]),
    (Discard(b""), [Frame("huh")]),
])  # fmt: skip
def test_answers_of_another_form_are_errors(request_: Request[object], frames: list[Frame]) -> None:
    """Too few words, or others than numbers."""
    with pytest.raises(OutputError):
        request_.answer(frames)


def test_the_second_frame_of_a_command_counts_too() -> None:
    """Output without a status is no answer."""
    with pytest.raises(OutputError):
        RunCommand(["x"]).answer([Frame("out"), Frame("huh")])
    assert RunCommand(["x"]).answer([Frame("out"), Frame("rc", ("3",), b"e")]) == Completed(3, b"", b"e")


@pytest.mark.parametrize(
    "data", [b"", b" \n", b"nonsense", b"rc x\n", b"rc 0\n", b"\xff\xfe", b"rc 143\nerr Terminated\n"]
)
def test_answers_that_say_nothing_are_unknown(data: bytes) -> None:
    """In doubt it is to be settled."""
    verdict = read_answer(data)
    assert verdict.outcome == UNKNOWN
    assert verdict.detail
