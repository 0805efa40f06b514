"""What squeue, sacct, sinfo, scancel and scontrol do alike: read the command line, and say what is wrong with it."""

import sys
from collections.abc import Callable, Iterable, Sequence

from trainsub.minislurm.options import Option, OptionError, Parsed, parse


class WrongError(Exception):
    """The command line cannot be followed; the message is what to print, with the command's name in it."""


def answer(
    command: str,
    words: Sequence[str],
    table: Iterable[Option],
    run: Callable[[Parsed], int],
    *,
    elsewhere: Iterable[str] = (),
    hint: bool = True,
) -> int:
    """Run a command on its command line, or say what is wrong with that.

    Args:
        command: Its name.
        words: The command line, without the name.
        table: The options that it knows.
        run: The command itself; it may raise WrongError.
        elsewhere: Options that Slurm's command knows and this one does not.
        hint: Whether Slurm's command points to its --help.

    Returns:
        The exit code.
    """
    try:
        return run(parse(words, table))
    except OptionError as error:
        unknown = next((name for name in elsewhere if str(error).startswith(f"unrecognized option '--{name}")), "")
        said = f"error: minislurm does not know --{unknown}" if unknown else str(error)
        more = f'Try "{command} --help" for more information\n' if hint else ""
        sys.stderr.write(f"{command}: {said}\n{more}")
    except WrongError as error:
        sys.stderr.write(f"{error}\n")
    return 1
