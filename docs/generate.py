"""Writes the reference pages from the code; with --check it only says whether they are up to date."""

import argparse
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from trainsub.config.reference import config_reference
from typer.main import get_command

from trainsub import errors
from trainsub.cli.app import app
from trainsub.documents import models
from trainsub.spec.reference import spec_reference

HERE = Path(__file__).parent / "reference"
NOTE = "<!-- Made by docs/generate.py from the code. Do not edit. -->\n\n"


def cli_page() -> str:
    """Every verb, its arguments and options."""
    lines = ["# Command line", "", "`trainsub [OPTIONS] VERB ...`: stdout is data, stderr is talk.", ""]
    for path, command in _commands(get_command(app), ()):
        title = " ".join(("trainsub", *path))
        lines += [f"## `{title}`", "", (command.help or "").strip(), ""]
        rows = [_parameter(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            lines += ["| argument or option | meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _commands(command: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """The command and all below it."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from _commands(below, (*path, name))


def _parameter(parameter: object) -> str:
    """One row of a table."""
    options = [*parameter.opts, *parameter.secondary_opts] if parameter.param_type_name == "option" else []
    metavar = parameter.metavar or ("" if getattr(parameter, "is_flag", False) else parameter.name.upper())
    name = f"`{', '.join(options)}{' ' + metavar if metavar else ''}`" if options else f"`{metavar}`"
    default = parameter.default
    shown = f" Default: `{default}`." if options and default not in (None, False, []) and not callable(default) else ""
    return f"| {_cell(name)} | {_cell(parameter.help or '')}{shown} |"


def exit_codes_page() -> str:
    """Each exit code, and the kinds of error that have it."""
    lines = ["# Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES]
    lines += ["", "Of several runs the worst counts: 10 before 12 before 11.", "", "## Errors", ""]
    lines += ['With `--json` a failure prints `{"schema": 1, "error": {"code", "kind", "message", "hint"}}`.', ""]
    lines += ["| kind | code | meaning |", "|---|---|---|"]
    found = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, errors.TrainsubError)]
    for one in sorted(found, key=lambda each: (each.exit_code, each.kind)):
        lines.append(f"| `{one.kind}` | {one.exit_code} | {_cell((one.__doc__ or '').splitlines()[0])} |")
    lines += ["", "## Exit codes of the job's own script", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in JOB_CODES]
    return "\n".join([*lines, ""])


EXIT_CODES = (
    (
        0,
        "done; with `--wait`, `--follow` and `wait`: every run finished well. Cancelling a finished run is 0, with a note",
    ),
    (1, "a bug in trainsub"),
    (2, "usage error"),
    (3, "the spec, the configuration, a template, the snapshot or `cluster check` says no; nothing was submitted"),
    (4, "cluster not reachable, key refused, host key unknown or changed, or Docker not there for the sandbox"),
    (5, "the cluster refused: Slurm or its file system said no"),
    (6, "no such run, job or cluster; ambiguous RUN"),
    (7, "outcome unknown: settling"),
    (8, "the local store failed"),
    (9, "ceiling or budget exceeded"),
    (10, "a run failed (FAILED, OUT_OF_MEMORY)"),
    (11, "a run was cancelled (CANCELLED, REVOKED)"),
    (
        12,
        "a run ended by infrastructure: TIMEOUT, DEADLINE, PREEMPTED, NODE_FAIL, BOOT_FAIL, roll call, dependency never satisfied",
    ),
    (124, "the time given by `--timeout` has passed; jobs go on"),
    (130, "Ctrl-C; jobs go on"),
    (143, "SIGTERM; jobs go on"),
)
JOB_CODES = (
    (64, "configuration: a module or the virtual environment is not there"),
    (75, "transient infrastructure"),
    (76, "roll call: not the nodes that were asked for"),
)


def json_page() -> str:
    """Every document, key by key."""
    lines = ["# JSON", "", "Every verb that tells something takes `--json` and prints one document on stdout."]
    lines += [
        "Times are RFC 3339 in UTC, durations whole seconds, money a string with its currency, and `null` means unknown."
    ]
    lines += ["Keys are only ever added.", "", "| verb | document |", "|---|---|"]
    lines += [
        f"| {verb} | [{document.__name__}](#{document.__name__.lower()}) |"
        for verb, document in models.DOCUMENTS.items()
    ]
    for document in sorted(models.Document.__subclasses__(), key=lambda one: one.__name__):
        lines += [
            "",
            f"## {document.__name__}",
            "",
            inspect.getdoc(document) or "",
            "",
            "| key | type | meaning |",
            "|---|---|---|",
        ]
        for name, field in document.model_fields.items():
            lines.append(f"| `{field.alias or name}` | {_type(field.annotation)} | {_cell(field.description or '')} |")
    return "\n".join([*lines, ""])


def _type(annotation: object) -> str:
    """A type as a reader of JSON calls it."""
    text = str(annotation) if not inspect.isclass(annotation) else annotation.__name__
    for python, word in (
        ("trainsub.documents.models.", ""), ("typing.", ""), ("datetime.datetime", "time"), ("datetime", "time"),
        ("NoneType", "null"), ("None", "null"), ("str", "string"), ("int", "integer"), ("bool", "boolean"),
    ):  # fmt: skip
        text = text.replace(python, word)
    if "Annotated" in text:
        text = "time | null" if "null" in text else "time"
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    """Text in a table's cell."""
    return text.replace("|", "\\|").replace("\n", " ")


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "spec.md": spec_reference,
    "config.md": config_reference,
    "exit-codes.md": exit_codes_page,
    "json.md": json_page,
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
                page.write_text(text, encoding="utf-8")
    if check and stale:
        sys.stderr.write(f"out of date: {', '.join(stale)}; run `make docs`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
