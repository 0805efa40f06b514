"""Compose what the remote shell is fed: one constant command line, and a head on its standard input.

The command line crosses the user's login shell, whatever that is (csh, fish), so it is one constant without a value
in it.  All values travel on stdin, quoted, as assignments on top of the program's text.

The text is put in braces.  A shell runs a compound command only when it has read its end, so a connection that is cut
within the head runs nothing at all instead of the first half of a program.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

Value = str | int | bool | Sequence[str]

Values = Mapping[str, Value]
"""Shell variables: a text, a number, a truth value (``1`` or empty), or a list of words."""

_BOOT = (
    'if [ "$(uname)" = Darwin ]; then take() { dd bs=1 count="$1" 2>/dev/null; }; '
    'else take() { timeout 300 head -c "$1"; }; fi; n=$(take 8) && [ "$n" ] && eval "$(take $n)"'
)
BOOT = ("/bin/sh", "-c", _BOOT)
"""The command that every exec runs: read a length of eight characters, then run so many bytes of shell text.

No byte too much is read (on macOS as in prelude.sh), and a client that has vanished is not waited for.
"""

PARTS: Mapping[str, tuple[str, ...]] = {
    "submit": ("prelude.sh", "root.sh", "submit.sh"),
    "ask": ("prelude.sh", "root.sh", "ask.sh", "serve.sh"),
    "inventory": ("prelude.sh", "root.sh", "ask.sh", "inventory.sh", "serve.sh"),
    "settle": ("prelude.sh", "root.sh", "ask.sh", "settle.sh", "serve.sh"),
}
"""The files that make up each program, in their order."""

_NAME = re.compile(r"TS_[A-Z]+(?:_[A-Z]+)*")
_COMMENT = re.compile(r"^[ \t]*#.*\n|^[ \t]+|(?<=[{};]) # .*$", re.MULTILINE)


@cache
def program_text(name: str) -> str:
    """Return the text of a program, without comments and indentation: it is sent with every exec.

    Args:
        name: ``submit``, ``ask``, ``inventory`` or ``settle``.
    """
    files = resources.files("trainsub.remote")
    text = "".join(files.joinpath(part).read_text(encoding="utf-8") for part in PARTS[name])
    return _COMMENT.sub("", text)


def quote(value: str) -> str:
    """Quote a value for the shell.

    Raises:
        ValueError: It holds NUL, which no shell can carry.
    """
    if "\0" in value:
        raise ValueError(f"NUL cannot be passed to a shell: {value!r}")
    return shlex.quote(value)


def word_list(words: Sequence[str]) -> str:
    """Return words as one text, to be taken apart by ``eval "set -- $TEXT"``."""
    return " ".join(quote(word) for word in words)


def compose(text: str, values: Values) -> bytes:
    """Return the head: its length in eight characters, and the program with its values on top.

    Args:
        text: The program.
        values: Their names begin with ``TS_``.

    Raises:
        ValueError: A name is not one of ours, or a value holds NUL.
    """
    lines = ["{"]
    for name, value in values.items():
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"not a name for a value: {name!r}")
        lines.append(f"{name}={quote(_as_text(value))}")
    lines.append(f"{text}\n}}\n")
    return frame_text("\n".join(lines))


def frame_text(text: str) -> bytes:
    """Return shell text behind its length in eight characters."""
    data = text.encode("utf-8", "surrogateescape")
    return b"%-8d%s" % (len(data), data)


def _as_text(value: Value) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, str | int):
        return str(value)
    return word_list(value)
