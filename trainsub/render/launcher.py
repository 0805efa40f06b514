"""How torchrun is told what to start. Pure."""

import re
from collections.abc import Sequence

_PYTHON = re.compile(r"python(\d+(\.\d+)?)?")


def torchrun(command: Sequence[str]) -> tuple[str, list[str]]:
    """Split a command into the interpreter that runs torchrun and what torchrun starts.

    ``python train.py`` and ``python -m package`` become torchrun's own two forms. Everything else is started as it is
    (``--no-python``): other programs, and interpreters with flags, which torchrun would not hand to its workers.

    Args:
        command: The command of the job spec, not empty.

    Returns:
        The Python interpreter, and torchrun's last arguments.
    """
    program, *arguments = command
    if not _PYTHON.fullmatch(program.rpartition("/")[2]):
        return "python3", ["--no-python", *command]
    while arguments[:1] == ["-u"]:  # torchrun itself starts Python workers with -u
        arguments = arguments[1:]
    match arguments:
        case ["-m", module, *_] if not module.startswith("-"):
            return program, arguments
        case [script, *_] if script and not script.startswith("-"):
            return program, arguments
        case _:
            return program, ["--no-python", *command]
