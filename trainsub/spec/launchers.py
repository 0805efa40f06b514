"""Programs that start ranks themselves, as the kinds of launch do. Pure."""

import re
from collections.abc import Mapping, Sequence

PYTHON = re.compile(r"python(\d+(\.\d+)?)?")
"""The names of an interpreter."""

_PROGRAMS = frozenset({"torchrun", "deepspeed", "accelerate-launch", "ft_launcher"})
_MODULES = frozenset(
    {
        "torch.distributed.run",
        "torch.distributed.launch",
        "accelerate.commands.launch",
        "deepspeed",
        "deepspeed.launcher.runner",
    }
)
_OF_KIND: Mapping[str, tuple[str, ...]] = {"accelerate": ("accelerate", "launch"), "deepspeed": ("deepspeed",)}
"""How a command may begin under a kind, which takes these words away and starts the launcher in its own way."""
_WITH_VALUE = frozenset({"-W", "-X"})
"""Options of Python that take the next word."""


def nested(kind: str, command: Sequence[str]) -> tuple[str, str] | None:
    """Return text and hint where a launch kind would start a launcher once for each rank: many trainings, not one.

    Args:
        kind: The launch kind.
        command: The command of the job spec, not empty.
    """
    found, own = _launcher(command), _own_kind(command)
    if not found or kind in {"command", own}:
        return None
    text = f"{found} starts ranks itself, and launch.kind {kind} would start it once for each rank"
    hint = (
        'Give the program that a rank runs, such as command = ["python", "train.py"]: the kind starts it. '
        'Or start the ranks yourself, with launch.kind = "command".'
    )
    return text, f'{hint} Or keep it, with launch.kind = "{own}".' if own else hint


def beside(command: Sequence[str]) -> str:
    """Return what must be said behind a command that a hint proposes: the kind that goes with a launcher, if it is one.

    Args:
        command: The words of the command, not empty.
    """
    if not _launcher(command):
        return ""
    kind = _own_kind(command) or "command"
    return (
        f' with launch.kind = "{kind}"; any other kind starts the ranks itself, and takes the program alone: '
        'command = ["python", "train.py"]'
    )


def _own_kind(command: Sequence[str]) -> str | None:
    return next((kind for kind, words in _OF_KIND.items() if tuple(command[: len(words)]) == words), None)


def _launcher(command: Sequence[str]) -> str:
    """The words of a command that start ranks, without a path; empty if none do."""
    program, following = _name(command[0]), list(command[1:])
    if PYTHON.fullmatch(program):
        interpreter = program
        while following and following[0].startswith("-") and following[0] not in {"-m", "-c"}:
            following = following[2 if following[0] in _WITH_VALUE else 1 :]
        if following[:1] == ["-m"]:
            module = following[1] if len(following) > 1 else ""
            return f"{interpreter} -m {module}" if module in _MODULES else ""
        program, following = _name(following[0]) if following else "", following[1:]
    if program == "accelerate" and following[:1] == ["launch"]:
        return "accelerate launch"
    return program if program in _PROGRAMS else ""


def _name(path: str) -> str:
    return path.rpartition("/")[2]
