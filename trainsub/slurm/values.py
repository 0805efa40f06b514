"""Values that several commands share. Pure."""

import re
from dataclasses import dataclass

from trainsub.errors import OutputError

_EXIT_CODE = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class ExitCode:
    """How a job ended, as sacct prints it: ``0:9`` is code 0, signal 9; ``0:125`` is out of memory."""

    code: int
    signal: int


def parse_exit_code(text: str) -> ExitCode:
    """Return the value of ``code:signal``.

    Raises:
        OutputError: The text has another form.
    """
    match = _EXIT_CODE.fullmatch(text)
    if match is None:
        raise OutputError(f"not an exit code of sacct: {text[:200]!r}")
    return ExitCode(code=int(match.group(1)), signal=int(match.group(2)))
