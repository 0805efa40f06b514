import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.errors import OutputError
from trainsub.remote.frames import Frame, FrameParser

NONCE = "0123456789abcdef0123456789abcdef"
MARK = b"\n" + NONCE.encode()

# Bodies made of the pieces that could confuse: parts of the mark, newlines, and the mark before the wrong byte.
PIECES = st.sampled_from([b"\n", MARK[:5], MARK[:-1], MARK + b"x", NONCE.encode(), b" ", b".", b"a", b"\0", b"\xff"])
BODIES = (
    st.lists(PIECES, max_size=8).map(b"".join).filter(lambda body: MARK + b" " not in body and MARK + b"." not in body)
)
WORDS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters=" \n"), min_size=1, max_size=4), max_size=3)
FRAMES = st.lists(st.tuples(st.sampled_from(["out", "rc", "x"]), WORDS, st.none() | BODIES), max_size=6)


def stream(frames: list[tuple[str, list[str], bytes | None]], noise: bytes) -> bytes:
    """What a program would print."""
    data = noise
    for tag, words, body in frames:
        header = " ".join([tag, *words]).encode()
        data += MARK + (b"." + header + b"\n" if body is None else b" " + header + b"\n" + body)
    return data + MARK + b".bye\n"


@given(frames=FRAMES, noise=BODIES, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_any_split_gives_the_same_frames(
    frames: list[tuple[str, list[str], bytes | None]], noise: bytes, cuts: list[int]
) -> None:
    """However the stream is cut into reads, the frames are those that were sent."""
    data = stream(frames, noise)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    parser = FrameParser(NONCE)
    got = [frame for start, end in pairwise(edges) for frame in parser.feed(data[start:end])]
    expected = [Frame(tag, tuple(words), body or b"") for tag, words, body in frames]
    assert got == [*expected, Frame("bye")]


@given(data=st.binary(max_size=300), step=st.integers(1, 50))
def test_any_bytes_give_no_frame_without_the_nonce(data: bytes, step: int) -> None:
    """Noise is never a frame, and is kept for messages."""
    parser = FrameParser(NONCE)
    assert [frame for at in range(0, len(data), step) for frame in parser.feed(data[at : at + step])] == []
    assert parser.noise + parser.rest() == data


def test_a_large_body_in_small_pieces_is_not_quadratic() -> None:
    """64 MiB in 4 KiB pieces, full of newlines, are parsed at some 100 MB/s."""
    parser = FrameParser(NONCE)
    piece = b"\n" * 4096
    begin = time.process_time()
    parser.feed(MARK + b" out\n")
    for _ in range(16384):
        parser.feed(piece)
    (frame,) = parser.feed(MARK + b".end\n")[:1]
    assert len(frame.body) == 64 << 20
    assert time.process_time() - begin < 10


def test_an_endless_header_is_an_error() -> None:
    """A header without an end does not fill the memory."""
    with pytest.raises(OutputError, match="endless"):
        FrameParser(NONCE).feed(MARK + b" " + b"x" * 5000)


def test_endless_noise_is_an_error() -> None:
    """A login shell that never stops talking is told so."""
    parser = FrameParser(NONCE)
    for _ in range(63):
        parser.feed(b"x" * (1 << 20))
    with pytest.raises(OutputError, match="did not ask for"):
        parser.feed(b"x" * (2 << 20))
