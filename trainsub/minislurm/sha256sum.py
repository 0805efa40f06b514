"""``sha256sum``, for machines that have none: of files, or of standard input."""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1024 * 1024


def main(_: Path, words: Sequence[str]) -> int:
    """Print the sum of each file.

    Returns:
        1 if a file cannot be read.
    """
    if any(word.startswith("-") and word != "-" for word in words):
        sys.stderr.write("sha256sum: takes files only, no options\n")
        return 1
    code = 0
    for name in words or ("-",):
        try:
            if name == "-":
                total = _sum(sys.stdin.buffer)
            else:
                with Path(name).open("rb") as file:
                    total = _sum(file)
        except OSError as error:
            sys.stderr.write(f"sha256sum: {name}: {error.strerror}\n")
            code = 1
        else:
            sys.stdout.write(f"{total}  {name}\n")
    return code


def _sum(file: BinaryIO) -> str:
    total = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        total.update(chunk)
    return total.hexdigest()
