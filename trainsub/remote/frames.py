r"""The frames that remote programs print. Pure: bytes in, frames out.

A frame begins with a line that nothing else can print, because the nonce in it is drawn anew for each talk::

    \n<nonce> <tag> <words…>\n   and then its body: all bytes up to the next header
    \n<nonce>.<tag> <words…>\n   and nothing else: such a frame is complete at once

So login noise before the first frame, with or without a newline at its end, does not matter, a body may hold anything,
and nobody needs to know a body's length before it is sent.
"""

from dataclasses import dataclass

from trainsub.errors import OutputError

_LONGEST_HEADER = 4096
_NOISE_KEPT = 2000
_NOISE_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """One thing that a remote program said.

    Attributes:
        tag: What it is.
        words: The rest of its header.
        body: What followed the header.
    """

    tag: str
    words: tuple[str, ...] = ()
    body: bytes = b""


class FrameParser:
    """Cut a stream of bytes into frames, however it arrives; each byte is looked at a bounded number of times.

    Args:
        nonce: The word that headers begin with.
    """

    def __init__(self, nonce: str) -> None:
        self._mark = b"\n" + nonce.encode("ascii")
        self._pending = bytearray()
        self._open: Frame | None = None
        self._body: list[bytes] = []
        self._noise = b""
        self._noise_size = 0

    @property
    def noise(self) -> bytes:
        """The last of what was printed outside of frames."""
        return self._noise

    def rest(self) -> bytes:
        """Return what came and is not part of a complete frame: for messages."""
        return b"".join(self._body) + bytes(self._pending)

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes and return the frames that they complete.

        Args:
            data: The next bytes of the stream.

        Raises:
            OutputError: This is no talk of ours.
        """
        self._pending += data
        frames: list[Frame] = []
        while (header := self._next_header()) is not None:
            if self._open is not None:
                frames.append(Frame(self._open.tag, self._open.words, b"".join(self._body)))
                self._body.clear()
                self._open = None
            words = header[1:].decode("utf-8", "replace").split(" ")
            frame = Frame(words[0], tuple(words[1:]))
            if header[:1] == b".":
                frames.append(frame)
            else:
                self._open = frame
        return frames

    def _next_header(self) -> bytes | None:
        """Return the next header without its mark and newline, and put aside all that comes before it."""
        while True:
            mark = len(self._mark)
            start = self._pending.find(self._mark)
            if start < 0:
                # The last bytes may be the beginning of a mark.
                self._put_aside(len(self._pending) - mark + 1)
                return None
            self._put_aside(start)
            if len(self._pending) == mark:
                return None
            if bytes(self._pending[mark : mark + 1]) not in {b" ", b"."}:
                self._put_aside(1)
                continue
            end = self._pending.find(b"\n", mark)
            if end < 0:
                if len(self._pending) > _LONGEST_HEADER:
                    raise OutputError(f"the remote program sent an endless header: {bytes(self._pending[:200])!r}")
                return None
            header = bytes(self._pending[mark:end])
            del self._pending[: end + 1]
            return header

    def _put_aside(self, count: int) -> None:
        """Move bytes that belong to no header to the open body, or to the noise."""
        if count <= 0:
            return
        piece = bytes(self._pending[:count])
        del self._pending[:count]
        if self._open is not None:
            self._body.append(piece)
            return
        self._noise = (self._noise + piece[-_NOISE_KEPT:])[-_NOISE_KEPT:]
        self._noise_size += count
        if self._noise_size > _NOISE_LIMIT:
            raise OutputError(
                f"the login shell printed more than {_NOISE_LIMIT // 2**20} MiB that trainsub did not ask for",
                hint="Look at the shell's startup files (.bashrc, .profile, .cshrc) on the login node.",
            )
