"""How a launcher is told what to start. Pure."""

from collections.abc import Sequence

from trainsub.errors import SpecError
from trainsub.spec.launchers import PYTHON


def words(kind: str, command: Sequence[str], world_size: int) -> tuple[str, list[str]]:
    """Split a command for the agent of a launch kind, which runs as a Python module.

    Args:
        kind: The launch kind; those without an agent are told the same as torchrun.
        command: The command of the job spec; empty only for a script of the user's own.
        world_size: Ranks in all.

    Returns:
        The Python interpreter, and the agent's last arguments.

    Raises:
        SpecError: The command brings options of a launcher that is not used.
    """
    if kind == "accelerate":
        return accelerate(command, world_size)
    if kind == "deepspeed" and command[0] == "deepspeed":
        command = ["python3", *command[1:]]
        if command[1:2] == [] or command[1].startswith("-"):
            raise SpecError(
                "command: options of the deepspeed launcher have no meaning here: torchrun starts the ranks",
                hint='Give the program: command = ["python", "train.py"]; [slurm] and [launch] say how many.',
            )
    return torchrun(command) if command else ("python3", [])


def accelerate(command: Sequence[str], world_size: int) -> tuple[str, list[str]]:
    """Split a command for ``accelerate launch``.

    ``accelerate launch OPTIONS train.py`` keeps its options, such as ``--config_file``. Other commands train plainly in
    parallel: without ``--multi_gpu``, Accelerate starts one process on a node with one GPU.

    Args:
        command: The command of the job spec.
        world_size: Ranks in all.
    """
    if list(command[:2]) == ["accelerate", "launch"]:
        return "python3", list(command[2:])
    python, target = torchrun(command)
    several = ["--multi_gpu"] if world_size > 1 else []
    return python, [
        *several,
        *("--no_python" if word == "--no-python" and not at else word for at, word in enumerate(target)),
    ]


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
    if not PYTHON.fullmatch(program.rpartition("/")[2]):
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
