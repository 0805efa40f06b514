"""Writes the reference pages from the code; with --check it only says whether they are up to date."""

import argparse
import builtins
import inspect
import re
import signal
import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from trainsub import errors
from trainsub.cli.app import app
from trainsub.config.reference import config_reference
from trainsub.documents import models
from trainsub.slurm import states
from trainsub.slurm.reason_words import CODES
from trainsub.slurm.reasons import explain
from trainsub.spec.reference import spec_reference

# What minislurm must answer is kept beside the tests.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from contract.page import contract_page

HERE = Path(__file__).parent / "reference"
NOTE = "<!-- Made by docs/generate.py from the code. Do not edit. -->\n\n"


CLI_INTRODUCTION = """\
# Command line

    trainsub [OPTIONS] VERB ...

stdout is data, stderr is talk. Options of `trainsub` itself stand before the verb. RUN is a run id, a unique prefix of
one, a Slurm job id (digits only), or `CLUSTER:JOB_ID`. How a command ends is its [exit code](exit-codes.md); what
`--json` prints is in [JSON](json.md).

| variable | meaning |
|---|---|
| `TRAINSUB_CONFIG` | the user's configuration file, as `--config` |
| `TRAINSUB_STATE_DIR` | where the store of runs, the audit log, the sandbox's key and minislurm lie |
| `TRAINSUB_CACHE_DIR` | where packed code lies |
| `TRAINSUB_RUNTIME_DIR` | where control sockets of ssh lie; one for all processes that share a login |
| `TRAINSUB_DEFAULT_CLUSTER`, `TRAINSUB_CLUSTERS__NAME__KEY` | settings; see [configuration](config.md) |
| `TRAINSUB_MINISLURM__KEY` | settings, too |
| `NO_COLOR` | no colours |
"""


def cli_page() -> str:
    """Every verb, its arguments and options."""
    lines = [CLI_INTRODUCTION]
    for path, command in _commands(get_command(app), ()):
        title = " ".join(("trainsub", *path))
        lines += [f"## `{title}`", ""]
        if getattr(command, "commands", None) is None:
            lines += [f"    {' '.join([title, *_usage(command)])}", ""]
        lines += [inspect.cleandoc(command.help or ""), ""]
        rows = [_parameter(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            lines += ["| argument or option | default | meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The command and all below it."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from _commands(below, (*path, name))


def _usage(command: Any) -> Iterator[str]:
    """The words behind a verb."""
    if any(parameter.param_type_name == "option" for parameter in command.params if parameter.name != "help"):
        yield "[OPTIONS]"
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            yield parameter.metavar or parameter.name.upper()


def _options(command: Any) -> set[str]:
    """The names of a verb's options."""
    return {name for parameter in command.params for name in parameter.opts}


def _parameter(parameter: Any) -> str:
    """One row of a table."""
    is_option = parameter.param_type_name == "option"
    is_flag = getattr(parameter, "is_flag", False)
    metavar = parameter.metavar or ("" if is_flag else parameter.name.upper())
    names = [f"`{one}`" for one in (*parameter.opts, *parameter.secondary_opts)] if is_option else []
    if names and metavar:
        names[0] = f"`{parameter.opts[0]} {metavar}`"
    name = ", ".join(names) or f"`{metavar}`"
    default = parameter.default
    shown = f"`{default}`" if is_option and default not in (None, False, []) and not callable(default) else ""
    more = " May be given several times." if is_option and getattr(parameter, "multiple", False) else ""
    return f"| {_cell(name)} | {shown} | {_cell(parameter.help or '')}{more} |"


def exit_codes_page() -> str:
    """Each exit code, and the kinds of error that have it."""
    lines = ["# Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES]
    lines += ["", "Of several runs the worst counts: 10 before 12 before 11.", "", "## Errors", ""]
    lines += ['With `--json` a failure prints `{"schema": 1, "error": {"code", "kind", "message", "hint"}}`.', ""]
    lines += ["| kind | code | meaning |", "|---|---|---|"]
    found = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, errors.TrainsubError)]
    for one in sorted(found, key=lambda each: (each.exit_code, each.kind)):
        if one is errors.TrainsubError:  # the root of all is never raised itself
            continue
        reserved = " Reserved: nothing raises it yet." if one is errors.CeilingError else ""
        lines.append(f"| `{one.kind}` | {one.exit_code} | {_cell((one.__doc__ or '').splitlines()[0])}{reserved} |")
    lines += ["", JOB_CODES_INTRODUCTION, "| code | the run counts as | meaning |", "|---|---|---|"]
    lines += [f"| {code} | {_counts_as(code)} | {meaning} |" for code, meaning in JOB_CODES]
    return "\n".join([*lines, ""])


EXIT_CODES = (
    (
        0,
        "done; with `--wait`, `--follow` and `wait`: every run finished well. Cancelling a finished run is 0, too",
    ),
    (1, "a bug in trainsub, or its output could not be written"),
    (2, "usage error, or a variable that `[secrets]` names is not set; nothing was submitted"),
    (3, "the spec, the configuration, a template, the snapshot or `cluster check` says no; nothing was submitted"),
    (
        4,
        (
            "cluster not reachable, key refused, host key unknown or changed, minislurm cannot be made, or Docker not "
            "there for the sandbox"
        ),
    ),
    (5, "the cluster refused: Slurm or its file system said no"),
    (6, "no such run, job or cluster; ambiguous RUN; `sandbox status` where none runs"),
    (7, "outcome unknown: settling"),
    (8, "the local store failed"),
    (9, "ceiling or budget exceeded; reserved: nothing ends with it yet"),
    (10, "a run failed (FAILED, OUT_OF_MEMORY)"),
    (11, "a run was cancelled (CANCELLED, REVOKED)"),
    (
        12,
        (
            "infrastructure ended a run: TIMEOUT, DEADLINE, PREEMPTED, NODE_FAIL, BOOT_FAIL, a dependency that is "
            "never satisfied, or the [script's own codes](#exit-codes-of-the-jobs-own-script) 75, 76 and 85"
        ),
    ),
    (124, "the time given by `--timeout` has passed; jobs go on"),
    (130, "Ctrl-C; jobs go on"),
    (141, "whoever read the output, such as `head`, has stopped reading"),
    (143, "SIGTERM; jobs go on"),
)
JOB_CODES_INTRODUCTION = """\
## Exit codes of the job's own script

A script ends with the code of whoever failed first, a signal as 1. These are its own:
"""
JOB_CODES = (
    (
        64,
        (
            "configuration: a module, the virtual environment, the container's image or runtime, the secrets, or the "
            "task's point of the sweep is not there"
        ),
    ),
    (75, "transient infrastructure"),
    (76, "roll call: not the nodes that were asked for; or NCCL uses sockets, where the cluster's `fabric` says stop"),
    (85, "the program said so: saved, and to be continued. In a chain the next link goes on"),
    (93, "a chain stopped itself: links without progress, or the program said that no further link makes sense"),
    (143, "the script was told to end (SIGTERM); Slurm knows why"),
)


def _counts_as(code: int) -> str:
    """How `wait` ends for a run whose script ended with this code."""
    if code == 128 + signal.SIGTERM:
        known = ", ".join(f"{states.exit_code(word)} for {word}" for word in ("CANCELLED", "TIMEOUT", "PREEMPTED"))
        return f"{known}; {states.exit_code('FAILED', code)} where only the exit record tells"
    return str(states.exit_code("FAILED", code))


def spec_page() -> str:
    """Every key of a spec, and what the job finds in its environment."""
    lines = [spec_reference().rstrip(), "", "## Variables in the job", ""]
    lines += [
        "Besides Slurm's own and those of `[env]`. A script of your own has only those that begin with `TRAINSUB_`."
    ]
    lines += ["", "| variable | meaning |", "|---|---|"]
    lines += [f"| {name} | {meaning} |" for name, meaning in VARIABLES]
    return "\n".join([*lines, ""])


VARIABLES = (
    ("`RANK`, `WORLD_SIZE`", 'number of this rank, and of all; not under `kind = "command"`'),
    ("`LOCAL_RANK`, `LOCAL_WORLD_SIZE`", "the same on this node; not under `command`"),
    (
        "`NODE_RANK`",
        "number of this node, from 0; only where Slurm starts each rank: `srun`, and `megatron` with a task for each",
    ),
    (
        "`MASTER_ADDR`, `MASTER_PORT`",
        "where the ranks meet; the port depends on the job's id, so that jobs do not. Not under `command`",
    ),
    (
        "`OMP_NUM_THREADS`",
        (
            "CPUs of a rank: by `cpus_per_task` or `cpus_per_gpu`, otherwise its share of the job's smallest node. Not "
            "under `command`, nor where `hint` or `threads_per_core` stands without either of them"
        ),
    ),
    ("`TRAINSUB_RUN`, `TRAINSUB_LINK`", "the run's id, and the number of this job in it"),
    ("`TRAINSUB_RUN_DIR`", "the run's directory on the cluster; the job works in `work/` below it"),
    ("`TRAINSUB_POINT`", "in a sweep: a JSON file with this task's parameters"),
    ("`TRAINSUB_CHAIN_LINK`", "in a chain: the number of this link, from 1"),
    ("`PYTHONUNBUFFERED`, `PYTHONFAULTHANDLER`", "1: lines are in the log at once, and a crash leaves a traceback"),
)


def json_page() -> str:
    """Every document, key by key."""
    verbs = [(path, command) for path, command in _commands(get_command(app), ()) if not hasattr(command, "commands")]
    silent = [f"`{' '.join(path)}`" for path, command in verbs if "--json" not in _options(command)]
    lines = ["# JSON", "", f"Every verb but {', '.join(silent[:-1])} and {silent[-1]} takes"]
    lines += ["`--json` and prints one document on stdout."]
    lines += ["Times are RFC 3339 in UTC, durations whole seconds, money a string with its currency, and `null` means"]
    lines += ["unknown. Keys are only ever added.", "", "| verb | document |", "|---|---|"]
    for verbs, document in models.DOCUMENTS.items():
        told = verbs if verbs.startswith("any") else ", ".join(f"`{verb}`" for verb in verbs.split(", "))
        lines.append(f"| {told} | {_link(document)} |")
    whole = list(dict.fromkeys(models.DOCUMENTS.values()))
    parts = [one for one in models.Document.__subclasses__() if one not in whole]
    for document in (*whole, *sorted(parts, key=_word)):
        lines += ["", f"## {_word(document)}", "", inspect.getdoc(document) or "", ""]
        lines += ["| key | type | meaning |", "|---|---|---|"]
        for name, field in document.model_fields.items():
            kind = _type(document.__annotations__[name])
            lines.append(f"| `{field.alias or name}` | {_cell(kind)} | {_cell(field.description or '')} |")
    return "\n".join([*lines, ""])


def _word(document: type[models.Document]) -> str:
    """What a document is called here: `JobUsageDocument` is "job usage"."""
    return re.sub(r"(?<=.)(?=[A-Z])", " ", document.__name__.removesuffix("Document")).lower()


def _link(document: type[models.Document]) -> str:
    return f"[{_word(document)}](#{_word(document).replace(' ', '-')})"


NAMES: dict[Any, str] = {str: "text", int: "integer", bool: "true or false", object: "any value", type(None): "null"}


def _type(annotation: Any) -> str:  # noqa: PLR0911 -- one for each kind of type
    """A type as a reader of JSON calls it."""
    arguments = typing.get_args(annotation)
    match typing.get_origin(annotation):
        case types.UnionType | typing.Union:
            return " or ".join(map(_type, arguments))
        case typing.Literal:
            return ", ".join(f'"{one}"' for one in arguments)
        case builtins.list:
            return f"list of {_type(arguments[0])}"
        case builtins.dict:
            return f"object: {_type(arguments[1])} by {_type(arguments[0])}"
        case typing.Annotated:
            return "time"
        case _:
            pass
    if inspect.isclass(annotation) and issubclass(annotation, models.Document):
        return _link(annotation)
    return NAMES[annotation]


REASONS_INTRODUCTION = """\
# Reasons

What each reason of Slurm 22.05, 24.11 and 26.05 means, and what can be done. `trainsub status` says it of the runs that
wait; see [why does my job wait](../how-to/why-does-my-job-wait.md). A reason that is not here is shown as it is.
"""


def reasons_page() -> str:
    """Every reason, as the versions' own libraries name them."""
    data = Path(__file__).parents[1] / "tests" / "data" / "slurm"
    of_version = {file.parent.name: file.read_text().split() for file in sorted(data.glob("*/reasons.txt"))}
    limits = sorted({code for codes in of_version.values() for code in codes} - CODES.keys())
    lines = [REASONS_INTRODUCTION]
    for title, codes in (("The queue, nodes, and ends", sorted(CODES)), ("Limits of accounts and QOS", limits)):
        lines += [f"## {title}", "", "| reason | it says that | what to do |", "|---|---|---|"]
        for code in codes:
            having = [version for version, known in of_version.items() if code in known]
            only = f" ({', '.join(having)} only)" if len(having) < len(of_version) else ""
            told = explain(code)
            lines.append(f"| `{code}`{only} | {_cell(told.words)} | {_cell(told.remedy)} |")
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Text in a table's cell."""
    return text.replace("|", "\\|").replace("\n", " ")


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "spec.md": spec_page,
    "config.md": config_reference,
    "exit-codes.md": exit_codes_page,
    "json.md": json_page,
    "reasons.md": reasons_page,
    "minislurm-contract.md": contract_page,
}


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is out of date")
    check = parser.parse_args().check
    stale = []
    for name, make in PAGES.items():
        text = NOTE + make().rstrip() + "\n"
        page = HERE / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                HERE.mkdir(exist_ok=True)
                page.write_text(text, encoding="utf-8")
    if check and stale:
        sys.stderr.write(f"out of date: {', '.join(stale)}; run `make docs`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
