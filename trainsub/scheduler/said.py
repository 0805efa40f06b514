"""What a command said, as text."""

from trainsub.remote import Completed


def text(data: bytes) -> str:
    """Output as text; what is no UTF-8 is replaced."""
    return data.decode("utf-8", "replace")


def words(said: Completed) -> str:
    """What a command complained of, on one line."""
    line = " ".join(text(said.err).split()) or " ".join(text(said.out).split())
    return line or f"exit status {said.rc}"
