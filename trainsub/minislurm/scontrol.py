"""scontrol: tells of jobs, steps, nodes, partitions and the configuration; holds, requeues and changes jobs."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from trainsub.minislurm import selection
from trainsub.minislurm.conf import load
from trainsub.minislurm.front import answer
from trainsub.minislurm.options import Option, Parsed
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.scontrol_call import ELSEWHERE, INVALID, Call, meant, shown_jobs
from trainsub.minislurm.selection import SelectionError
from trainsub.minislurm.version import VERSION

_OPTIONS = (
    Option("all", "a", "no"),
    Option("details", "d", "no"),
    Option("help", "h", "no"),
    Option("hide", argument="no"),
    Option("local", argument="no"),
    Option("oneliner", "o", "no"),
    Option("quiet", "Q", "no"),
    Option("verbose", "v", "no"),
    Option("version", "V", "no"),
)
_USAGE = """\
scontrol [-d|--details] [-o|--oneliner] [-Q|--quiet] COMMAND
    hold|uhold|release JOBS              keep jobs from starting, or let them start
    ping                                 whether the controller answers
    requeue|requeuehold JOBS             queue jobs again
    show config|job|node|partition|step [NAME]
    show hostnames|hostlist|hostlistsorted [LIST]
    update JobId=JOBS KEY=VALUE...       change jobs
    version
    write batch_script JOB [FILE]
"""
_KNOWN_ELSEWHERE = """
abort all cancel_reboot cluster completing create delete details errnumstr exit fsdampeningfactor getaddrs hide
listjobs listpids liststeps notify oneliner pidinfo power quiet quit reboot reconfigure resume setdebug
setdebugflags schedloglevel shutdown suspend top token takeover verbose wait_job
"""
_SHORTEST = 3


def main(home: Path, words: Sequence[str]) -> int:
    """Tell or do something.

    Returns:
        The exit code.
    """
    return answer("scontrol", words, _OPTIONS, lambda parsed: _told(home, parsed))


def _told(home: Path, parsed: Parsed) -> int:
    if parsed.has("version") or parsed.has("help"):
        sys.stdout.write(f"{VERSION}\n" if parsed.has("version") else _USAGE)
        return 0
    if not parsed.operands:
        sys.stderr.write("scontrol: error: minislurm's scontrol holds no conversation: name a command\n" + _USAGE)
        return 1
    return _run(home, parsed)


def _run(home: Path, parsed: Parsed) -> int:
    word, *rest = parsed.operands
    name = _command(word.lower())
    call = Call(home, tuple(rest), parsed.has("oneliner"), parsed.has("details"), parsed.has("quiet"))
    if name in _KNOWN_ELSEWHERE.split():
        return call.fail(ELSEWHERE.format(name))
    if name not in _COMMANDS:
        return call.fail(f"invalid keyword: {word}")
    least, most, command = _COMMANDS[name]
    if len(rest) < least:
        return call.fail(
            "too few arguments for update keyword" if name == "update" else f"too few arguments for keyword:{name}"
        )
    if most is not None and len(rest) > most:
        return call.fail(f"too many arguments for keyword:{name}")
    return command(call)


def _command(word: str) -> str:
    if word in _COMMANDS or word in _KNOWN_ELSEWHERE.split() or len(word) < _SHORTEST:
        return word
    return next((name for name in _COMMANDS if name.startswith(word)), word)


def _ping(_: Call) -> int:
    # Whoever can ask has the controller.
    sys.stdout.write(f"Slurmctld(primary) at {os.uname().nodename} is UP\n")
    return 0


def _version(_: Call) -> int:
    sys.stdout.write(f"{VERSION}\n")
    return 0


def _help(_: Call) -> int:
    sys.stdout.write(_USAGE)
    return 0


def _change(name: str) -> Callable[[Call], int]:
    def run(call: Call) -> int:
        from trainsub.minislurm import scontrol_change  # noqa: PLC0415 - most calls only ask

        code, complaints = scontrol_change.run(call.home, name, call.words)
        if complaints and not call.quiet:
            sys.stderr.writelines(f"{one}\n" for one in complaints)
        return code

    return run


def _show(call: Call) -> int:
    from trainsub.minislurm import scontrol_entities  # noqa: PLC0415

    return scontrol_entities.show(call)


def _write(call: Call) -> int:
    if not "batch_script".startswith(call.words[0].lower()) or len(call.words[0]) < _SHORTEST:
        return call.fail(f"invalid entity:{call.words[0]} for keyword:write ")
    try:
        name = selection.job_name(call.words[1])
    except (IndexError, SelectionError):
        return call.fail(f"scontrol: error: {INVALID}")
    with Queue(call.home) as queue:
        found = meant(shown_jobs(queue, load(call.home)), name)
        if not found:
            return call.fail(f"job script retrieval failed: {INVALID}")
        text = (queue.folder(found[0].array_job_id) / "script").read_bytes()
    target = call.words[2] if call.words[2:] else f"slurm-{call.words[1]}.sh"
    if target == "-":
        sys.stdout.buffer.write(text)
        return 0
    Path(target).write_bytes(text)
    sys.stdout.write(f"batch script for job {call.words[1]} written to {target}\n")
    return 0


_COMMANDS: Mapping[str, tuple[int, int | None, Callable[[Call], int]]] = {
    "help": (0, None, _help),
    "hold": (1, None, _change("hold")),
    "holdu": (1, None, _change("hold")),
    "ping": (0, 0, _ping),
    "release": (1, None, _change("release")),
    "requeue": (1, None, _change("requeue")),
    "requeuehold": (1, None, _change("requeuehold")),
    "show": (1, None, _show),
    "uhold": (1, None, _change("hold")),
    "update": (1, None, _change("update")),
    "version": (0, 0, _version),
    "write": (1, 3, _write),
}
"""The fewest and the most words that may follow, and what is done."""
