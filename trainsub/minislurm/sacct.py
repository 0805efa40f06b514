"""sacct: what jobs have used, as the accounts keep it."""

import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from trainsub.minislurm import accounts, moments, sacct_fields, selection
from trainsub.minislurm.accounts import Row, Window
from trainsub.minislurm.conf import Conf, load
from trainsub.minislurm.front import WrongError, answer
from trainsub.minislurm.options import Option, Parsed
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.sacct_fields import Context, Field
from trainsub.minislurm.selection import JobName, SelectionError
from trainsub.minislurm.table import STANDARD
from trainsub.minislurm.version import VERSION

_OPTIONS = (
    Option("accounts", "A"),
    Option("allclusters", "L", "no"),
    Option("allocations", "X", "no"),
    Option("allusers", "a", "no"),
    Option("array", argument="no"),
    Option("brief", "b", "no"),
    Option("delimiter"),
    Option("duplicates", "D", "no"),
    Option("endtime", "E"),
    Option("format", "o"),
    Option("help", "h", "no"),
    Option("helpformat", "e", "no"),
    Option("jobs", "j"),
    Option("local", argument="no"),
    Option("long", "l", "no"),
    Option("name"),
    Option("noconvert", argument="no"),
    Option("nodelist", "N"),
    Option("noheader", "n", "no"),
    Option("parsable", "p", "no"),
    Option("parsable2", "P", "no"),
    Option("partition", "r"),
    Option("qos", "q"),
    Option("starttime", "S"),
    Option("state", "s"),
    Option("uid"),
    Option("usage", argument="no"),
    Option("user", "u"),
    Option("verbose", "v", "no"),
    Option("version", "V", "no"),
)
_UNKNOWN = (
    "associations", "batch-script", "clusters", "completion", "env-vars", "expand-pattern", "federation", "file", "gid",
    "json", "ncpus", "nnodes", "timelimit-max", "timelimit-min", "truncate", "units", "wckeys", "whole-hetjob", "yaml",
)  # fmt: skip
_USAGE = """\
Usage: sacct [-A accounts] [-E time] [-j jobs] [-N nodes] [-o fields] [-q qos] [-r partitions] [-s states] [-S time]
             [-u users] [--array] [--delimiter text] [--name names] [--noconvert] [-abDelnpPX]
"""
_IN_A_LINE = 4
_EVER = 2**40


def main(home: Path, words: Sequence[str]) -> int:
    """Print what jobs have used.

    Returns:
        The exit code.
    """
    return answer("sacct", words, _OPTIONS, lambda parsed: _run(home, parsed), elsewhere=_UNKNOWN, hint=False)


def _run(home: Path, parsed: Parsed) -> int:
    if parsed.has("version") or parsed.has("help") or parsed.has("usage"):
        sys.stdout.write(f"{VERSION}\n" if parsed.has("version") else _USAGE)
        return 0
    if parsed.has("helpformat"):
        names = [f"{field.name:<19}" for field in sacct_fields.FIELDS.values()]
        lines = (" ".join(names[at : at + _IN_A_LINE]) for at in range(0, len(names), _IN_A_LINE))
        sys.stdout.writelines(f"{one}\n" for one in lines)
        return 0
    if parsed.operands:
        raise WrongError(
            "sacct: error: Unknown arguments:\n" + "\n".join(f"sacct: error:  {one}" for one in parsed.operands)
        )
    conf = load(home)
    columns = _columns(parsed)
    now = int(time.time())
    window = _window(parsed, conf, now)
    with Queue(home) as queue, queue.change():
        found = accounts.rows(queue.all_jobs(), queue.closed_records(), queue.steps(), window)
    if not parsed.has("duplicates"):
        found = accounts.newest(found)
    if parsed.has("allocations"):
        found = [row for row in found if row.step is None]
    found = accounts.chosen(found, window.jobs)
    if parsed.has("array"):
        found = accounts.spread(found)
    context = Context(conf, now, convert=not parsed.has("noconvert"))
    sys.stdout.writelines(_lines(parsed, columns, found, context))
    return 0


def _columns(parsed: Parsed) -> list[tuple[Field, int]]:
    given = [value for name, value in parsed.given if name == "format" and value is not None]
    if parsed.has("brief"):
        usual = sacct_fields.BRIEF
    elif parsed.has("long"):
        usual = sacct_fields.LONG
    else:
        usual = os.environ.get("SACCT_FORMAT") or sacct_fields.USUAL
    columns: list[tuple[Field, int]] = []
    for text in ",".join(given).split(",") if given else usual.split(","):
        name, percent, width = text.strip().partition("%")
        if not name:
            # As sacct does: what follows an empty name is not read.
            break
        if name.lower() == "all":
            columns += [(field, field.width) for field in sacct_fields.FIELDS.values()]
            continue
        field = sacct_fields.find(name)
        if field is None:
            raise WrongError(f'sacct: error: Invalid field requested: "{name}"')
        columns.append((field, _width(width) if percent else field.width))
    return columns


def _width(text: str) -> int:
    digits = text.lstrip("-+")
    return (-1 if text.startswith("-") else 1) * int(digits) if digits.isascii() and digits.isdigit() else 0


def _lines(
    parsed: Parsed, columns: Sequence[tuple[Field, int]], found: Iterable[Row], context: Context
) -> Iterable[str]:
    plain = parsed.has("parsable") or parsed.has("parsable2")
    mark = parsed.last("delimiter") or "|"
    end = (mark if parsed.has("parsable") and not parsed.has("parsable2") else "") + "\n"
    if not parsed.has("noheader"):
        names = [field.name for field, _ in columns]
        if plain:
            yield mark.join(names) + end
        else:
            yield "".join(_fit(name, width, head=True) for name, (_, width) in zip(names, columns, strict=True)) + "\n"
            yield "".join("-" * abs(width) + " " for _, width in columns) + "\n"
    for row in found:
        if plain:
            yield mark.join(field.tell(row, context) for field, _ in columns) + end
        else:
            yield "".join(_fit(field.tell(row, context), width) for field, width in columns) + "\n"


def _fit(text: str, width: int, *, head: bool = False) -> str:
    """Return a text as it stands in the table: one that is too long ends with a plus sign."""
    room = abs(width)
    if len(text) > room:
        text = text[:room] if head or not room else text[: room - 1] + "+"
    return (text.ljust(room) if width < 0 else text.rjust(room)) + " "


def _window(parsed: Parsed, conf: Conf, now: int) -> Window:
    jobs = _jobs(parsed)
    states = _states(parsed)
    since, until = _times(parsed, now, jobs=bool(jobs), states=states is not None)
    nodes = parsed.last("nodelist")
    try:
        held_nodes = None if nodes is None else frozenset(selection.nodes(nodes, conf))
    except SelectionError as error:
        raise WrongError(f"sacct: error: Invalid node name {error}") from None
    return Window(
        since,
        until,
        jobs,
        states,
        names=_names(parsed, "name"),
        users=_users(parsed),
        partitions=_names(parsed, "partition"),
        accounts=_names(parsed, "accounts"),
        qos=_names(parsed, "qos"),
        nodes=held_nodes,
    )


def _names(parsed: Parsed, option: str) -> frozenset[str] | None:
    given = [value for name, value in parsed.given if name == option and value is not None]
    return frozenset(selection.parts(",".join(given))) if given else None


def _jobs(parsed: Parsed) -> tuple[JobName, ...]:
    names: list[JobName] = []
    for one in (part for name, value in parsed.given if name == "jobs" for part in selection.parts(value or "")):
        try:
            names.append(accounts.check_step(selection.job_name(one)))
        except SelectionError as error:
            number = one.partition("_")[0]
            if number != one and number.isdecimal():
                raise WrongError(f"sacct: fatal: Bad job array element specified: {number}") from None
            what = "job/step" if str(error) == one else "step"
            raise WrongError(f"sacct: fatal: Bad {what} specified: {error}") from None
    return tuple(names)


def _states(parsed: Parsed) -> frozenset[str] | None:
    given = parsed.last("state")
    if given is None:
        return None
    try:
        return frozenset(map(selection.state, selection.parts(given)))
    except SelectionError as error:
        raise WrongError(f"sacct: fatal: unrecognized job state value '{error}'") from None


def _users(parsed: Parsed) -> frozenset[int] | None:
    given = [value for name, value in parsed.given if name in {"user", "uid"} and value is not None]
    if not given or parsed.has("allusers"):
        return None
    try:
        return frozenset(map(selection.user, selection.parts(",".join(given))))
    except SelectionError as error:
        raise WrongError(f"sacct: error: Invalid user id: {error}") from None


def _times(parsed: Parsed, now: int, *, jobs: bool, states: bool) -> tuple[int, int]:
    """Return the window; what was not given depends on what else was."""
    given_since, given_until = parsed.last("starttime"), parsed.last("endtime")
    try:
        since = None if given_since is None else moments.parse(given_since, now, past=True)
        until = None if given_until is None else moments.parse(given_until, now, past=True)
    except moments.MomentError as error:
        raise WrongError(str(error)) from None
    if since is None:
        midnight = int(time.mktime((*time.localtime(now)[:3], 0, 0, 0, 0, 0, -1)))
        since = 0 if jobs else now if states and until is None else midnight
    if until is None:
        # In a state at one moment, unless the user names two.
        until = since if states and given_since is not None else now
    # Of jobs that are named those are told of, too, that cannot start yet.
    open_end = jobs and given_until is None and not states
    if since > until and not (states and given_until is None):
        shown = [time.strftime(STANDARD, time.localtime(one)) for one in (since, until)]
        raise WrongError(f"sacct: error: Start time ({shown[0]}) requested is after end time ({shown[1]}).")
    return since, _EVER if open_end else until
