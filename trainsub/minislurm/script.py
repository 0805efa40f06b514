"""Batch scripts: whether sbatch takes one, and the options in its ``#SBATCH`` lines. Pure."""

from collections.abc import Iterator

from trainsub.minislurm.errors import RefusedError

_BLANKS = b" \t\n\v\f\r"
_MARK = b"#SBATCH"
_OTHERS = (b"#PBS", b"#BSUB")


def wrapped(command: bytes) -> bytes:
    """Return the script that ``--wrap`` makes of a command."""
    return b"#!/bin/sh\n\n# This script was created by sbatch --wrap.\n\n" + command + b"\n\n"


def check(script: bytes) -> None:
    """Refuse what is no script.

    Raises:
        RefusedError: It is none.
    """
    if not script:
        raise RefusedError("error: Batch script is empty!")
    if not script.strip(_BLANKS):
        raise RefusedError("error: Batch script contains only whitespace!")
    if not script.startswith(b"#!"):
        raise RefusedError(
            "error: This does not look like a batch script.  The first",
            "error: line must start with #! followed by the path to an interpreter.",
            "error: For instance: #!/bin/sh",
        )
    if b"\0" in script:
        raise RefusedError(
            "error: The Slurm controller does not allow scripts that", "error: contain a NULL character '\\0'."
        )
    if b"\r\n" in script:
        raise RefusedError(
            "error: Batch script contains DOS line breaks (\\r\\n)",
            "error: instead of expected UNIX line breaks (\\n).",
        )


def has_other_directives(script: bytes) -> bool:
    """Whether it has lines for other schedulers, which Slurm would read as well."""
    return any(line.startswith(_OTHERS) for line in _head(script))


def words(script: bytes, name: str) -> list[bytes]:
    """Return the words of all ``#SBATCH`` lines above the first command, in order.

    Args:
        script: The script.
        name: What messages call it.

    Raises:
        RefusedError: A line cannot be read.
    """
    found: list[bytes] = []
    for number, line in enumerate(_head(script), 1):
        if line.startswith(_MARK):
            found += _words(line[len(_MARK) :], f"fatal: {name}: line {number}")
    return found


def _head(script: bytes) -> Iterator[bytes]:
    """Return the lines above the first command."""
    for line in script.split(b"\n"):
        bare = line.lstrip(_BLANKS)
        if bare and not bare.startswith(b"#"):
            return
        yield line


def _words(line: bytes, where: str) -> list[bytes]:
    found: list[bytes] = []
    rest = line
    while (bare := rest.lstrip(_BLANKS)) and not bare.startswith(b"#"):
        shown = f"in [{rest.decode(errors='replace')}]"
        if bare.startswith(b":"):
            raise RefusedError(f"{where}: Unexpected `:` {shown}")
        word, rest, quote = _word(bare)
        if quote:
            raise RefusedError(f"{where}: Unmatched `{quote}` {shown}")
        found.append(word)
    return found


def _word(text: bytes) -> tuple[bytes, bytes, str]:
    """Return the first word, its quotes and backslashes resolved, what follows, and the quote that was left open."""
    word = bytearray()
    quote = 0
    index = 0
    while index < len(text):
        byte = text[index]
        index += 1
        if byte == ord("\\"):
            word += text[index : index + 1]
            index += 1
        elif quote:
            if byte == quote:
                quote = 0
            else:
                word.append(byte)
        elif byte in b"\"'":
            quote = byte
        elif byte in _BLANKS or byte == ord("#"):
            return bytes(word), text[index - 1 :], ""
        else:
            word.append(byte)
    return bytes(word), b"", chr(quote) if quote else ""
