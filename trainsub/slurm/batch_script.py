"""A batch script as sbatch reads it: its interpreter, and the options in its ``#SBATCH`` lines. Pure.

sbatch reads the lines that begin with ``#SBATCH`` above the first command, splits them into words by rules of its own
(blanks separate, quotes of both kinds group, a backslash escapes the next character, ``#`` ends the line), and hands
the words to getopt_long: long options may be cut short while they stay unique, ``--a=b`` and ``--a b`` are the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

MAX_BYTES = 4 * 1024 * 1024
"""Longer ones Slurm refuses, where its ``max_script_size`` is not set otherwise (slurm.conf(5))."""
_BLANKS = " \t\v\f\r"
_MARK = "#SBATCH"
_NO_VALUE = (
    "contiguous help hold ignore-pbs no-requeue overcommit oversubscribe parsable quiet reboot requeue spread-job "
    "stepmgr test-only usage use-min-nodes verbose version wait"
)
_MAYBE_VALUE = "exclusive get-user-env nice no-kill oom-kill-step propagate resv-ports"
_VALUE = (
    "account acctg-freq array autocomplete batch bb bbf begin chdir cluster cluster-constraint clusters comment "
    "constraint container container-id context core-spec cores-per-socket cpu-freq cpus-per-gpu cpus-per-task "
    "deadline delay-boot dependency distribution error exclude export export-file extra extra-node-info gid gpu-bind "
    "gpu-freq gpus gpus-per-node gpus-per-socket gpus-per-task gres gres-flags hint input job-name kill-on-invalid-dep "
    "licenses mail-type mail-user mcs-label mem mem-bind mem-per-cpu mem-per-gpu mincpus network nodefile nodelist "
    "nodes ntasks ntasks-per-core ntasks-per-gpu ntasks-per-node ntasks-per-socket ntasks-per-tres open-mode output "
    "partition prefer priority profile qos reservation segment signal sockets-per-node switches tasks-per-node "
    "thread-spec threads-per-core time time-min tmp tres-bind tres-per-task uid wait-all-nodes wckey wrap"
)
_FLAGS, _WITH_VALUE = frozenset(_NO_VALUE.split()), frozenset(_VALUE.split())
OPTIONS = _FLAGS | _WITH_VALUE | frozenset(_MAYBE_VALUE.split())
"""The long options of sbatch 24.11, from its manual."""
_LETTERS = {
    "A": "account", "a": "array", "B": "extra-node-info", "b": "begin", "C": "constraint", "c": "cpus-per-task",
    "D": "chdir", "d": "dependency", "e": "error", "F": "nodefile", "G": "gpus", "H": "hold", "h": "help",
    "i": "input", "J": "job-name", "k": "no-kill", "L": "licenses", "M": "clusters", "m": "distribution",
    "N": "nodes", "n": "ntasks", "O": "overcommit", "o": "output", "p": "partition", "Q": "quiet", "q": "qos",
    "S": "core-spec", "s": "oversubscribe", "t": "time", "V": "version", "v": "verbose", "W": "wait",
    "w": "nodelist", "x": "exclude",
}  # fmt: skip
ALIASES = {"cluster": "clusters", "tasks-per-node": "ntasks-per-node"}
"""Other names of long options."""


class DirectiveError(ValueError):
    """A ``#SBATCH`` line cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Directive:
    """One option in a ``#SBATCH`` line.

    Attributes:
        line: The line, from 1.
        option: The long option, written in full.
        value: Its value; None where it has none.
    """

    line: int
    option: str
    value: str | None


def interpreter(script: str) -> list[str]:
    """Return the command that the kernel runs for the first line: a program, and at most one argument.

    Raises:
        ValueError: The first line names none; sbatch refuses such a script.
    """
    first = script.partition("\n")[0].rstrip(_BLANKS)
    words = first.removeprefix("#!").strip(_BLANKS).split(None, 1)
    if not first.startswith("#!") or not words:
        raise ValueError("the first line names no interpreter; sbatch wants one, such as #!/bin/bash")
    return words


def directive_lines(script: str) -> Iterator[tuple[int, str, int]]:
    """Yield the ``#SBATCH`` lines: the number, what follows the mark, and the line of an earlier first command, or 0.

    sbatch does not read those that follow a command.
    """
    command = 0
    for number, line in enumerate(script.split("\n"), 1):
        bare = line.lstrip(_BLANKS)
        if not command and bare and not bare.startswith("#"):
            command = number
        if line.startswith(_MARK):
            yield number, line.removeprefix(_MARK), command


def read_line(number: int, text: str) -> list[Directive]:
    """Return the options of one line.

    Args:
        number: The line, from 1.
        text: What follows ``#SBATCH``.

    Raises:
        DirectiveError: It cannot be read.
    """
    words = _words(text)
    found: list[Directive] = []
    while words:
        word = words.pop(0)
        if word.startswith("--") and word != "--":
            found.append(_long(number, word[2:], words))
        elif word.startswith("-") and word not in {"-", "--"}:
            found += _short(number, word[1:], words)
        else:
            raise DirectiveError(f"{word!r} is no option")
    return found


def _long(number: int, text: str, rest: list[str]) -> Directive:
    name, equals, value = text.partition("=")
    fitting = {name} if name in OPTIONS else {one for one in OPTIONS if one.startswith(name)}
    if len(fitting) > 1:
        raise DirectiveError(f"--{name} may be {' or '.join(f'--{one}' for one in sorted(fitting))}")
    if not fitting and not equals:
        raise DirectiveError(f"--{name} is not known; with its value behind a = it can be passed on")
    full = fitting.pop() if fitting else name
    if full in _FLAGS and equals:
        raise DirectiveError(f"--{full} takes no value")
    if full in _WITH_VALUE and not equals:
        value = _next(f"--{full}", rest)
        equals = "="
    return Directive(number, ALIASES.get(full, full), value if equals else None)


def _short(number: int, letters: str, rest: list[str]) -> list[Directive]:
    found = []
    while letters:
        letter, letters = letters[0], letters[1:]
        option = _LETTERS.get(letter)
        if option is None:
            raise DirectiveError(f"-{letter} is no option of sbatch")
        if option in _FLAGS:
            found.append(Directive(number, option, None))
            continue
        value = letters or (_next(f"-{letter}", rest) if option in _WITH_VALUE else None)
        return [*found, Directive(number, option, value)]
    return found


def _next(option: str, rest: list[str]) -> str:
    if not rest:
        raise DirectiveError(f"{option} lacks its value")
    return rest.pop(0)


def _words(line: str) -> list[str]:
    found: list[str] = []
    rest = line
    while (bare := rest.lstrip(_BLANKS)) and not bare.startswith("#"):
        word, rest = _word(bare)
        found.append(word)
    return found


def _word(text: str) -> tuple[str, str]:
    """The first word, its quotes and backslashes resolved, and what follows it."""
    word, quote = "", ""
    characters = iter(enumerate(text))
    for index, character in characters:
        if character == "\\":
            word += next(characters, (0, ""))[1]
        elif quote:
            word += "" if character == quote else character
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _BLANKS or character == "#":
            return word, text[index:]
        else:
            word += character
    if quote:
        raise DirectiveError(f"the quote {quote} is not closed")
    return word, ""
