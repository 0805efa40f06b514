"""squeue: what the queue holds."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from trainsub.minislurm import selection, squeue_fields, table
from trainsub.minislurm.conf import Conf, load
from trainsub.minislurm.front import WrongError, answer
from trainsub.minislurm.options import Option, Parsed
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.selection import JobName, SelectionError
from trainsub.minislurm.squeue_fields import LETTERS, WORDS
from trainsub.minislurm.squeue_rows import Query, combined, ordered, spread
from trainsub.minislurm.values import Job
from trainsub.minislurm.version import VERSION
from trainsub.minislurm.view import View, view

_OPTIONS = (
    Option("account", "A"),
    Option("all", "a", "no"),
    Option("array", "r", "no"),
    Option("federation", argument="no"),
    Option("format", "o"),
    Option("Format", "O"),
    Option("help", argument="no"),
    Option("hide", argument="no"),
    Option("jobs", "j"),
    Option("licenses", "L"),
    Option("local", argument="no"),
    Option("long", "l", "no"),
    Option("me", argument="no"),
    Option("name", "n"),
    Option("nodelist", "w"),
    Option("noheader", "h", "no"),
    Option("partition", "p"),
    Option("qos", "q"),
    Option("reservation", "R"),
    Option("sort", "S"),
    Option("start", argument="no"),
    Option("states", "t"),
    Option("steps", "s", "optional"),
    Option("usage", argument="no"),
    Option("user", "u"),
    Option("verbose", "v", "no"),
    Option("version", "V", "no"),
)
_UNKNOWN = ("clusters", "iterate", "json", "noconvert", "only-job-state", "sibling", "yaml")
_USAGE = """\
Usage: squeue [-A account] [-j jobs] [-n names] [-o format] [-O Format] [-p partitions] [-q qos] [-S fields] [-t states]
              [-u users] [-w nodes] [--me] [--start] [-hlr]
"""
_STATES = (
    "pending,running,suspended,completed,cancelled,failed,timeout,node_fail,preempted,boot_fail,deadline,"
    "out_of_memory,completing,configuring,resizing,resv_del_hold,requeued,requeue_fed,requeue_hold,revoked,"
    "signaling,special_exit,stage_out,stopped"
)


def main(home: Path, words: Sequence[str]) -> int:
    """Print what the queue holds.

    Returns:
        The exit code.
    """
    return answer("squeue", words, _OPTIONS, lambda parsed: _run(home, parsed), elsewhere=_UNKNOWN)


def _run(home: Path, parsed: Parsed) -> int:
    if parsed.has("version"):
        sys.stdout.write(f"{VERSION}\n")
        return 0
    if parsed.has("help") or parsed.has("usage"):
        sys.stdout.write(_USAGE)
        return 0
    if parsed.operands:
        raise WrongError(f"squeue: error: Unrecognized option: {parsed.operands[0]}\n{_USAGE.rstrip()}")
    conf = load(home)
    if parsed.has("steps"):
        return _steps(home, conf, parsed)
    columns, header = _columns(parsed)
    now = int(time.time())
    with Queue(home) as queue:
        jobs = queue.shown_jobs(now - conf.min_job_age)
        query = _query(parsed, conf, jobs)
        wanted = [job for job in jobs if query.wants(job)]
        told = _dependencies(queue, wanted, now) if any(one.name in {"dependency", "E"} for one in columns) else {}
    views = [_view(job, query, conf, now, told.get(job.job_id, "")) for job in wanted]
    views = spread(views) if parsed.has("array") or "SQUEUE_ARRAY" in os.environ else combined(views)
    default = "S" if parsed.has("start") else "P,t,-p"
    try:
        views = ordered(views, parsed.last("sort") or os.environ.get("SQUEUE_SORT") or default)
    except ValueError as error:
        raise WrongError(f"squeue: error: Invalid sort specification: {error}") from None
    if not parsed.has("noheader"):
        dated = parsed.has("long") and not parsed.has("format") and not parsed.has("Format")
        sys.stdout.write(f"{time.ctime(now)}\n" * dated + table.line(columns, header))
    sys.stdout.writelines(table.line(columns, lambda name, one=one: _field(name)[1](one)) for one in views)  # type: ignore[misc]
    return 0


def _steps(home: Path, conf: Conf, parsed: Parsed) -> int:
    from trainsub.minislurm import squeue_steps  # noqa: PLC0415 - rarely asked for

    now = int(time.time())
    with Queue(home) as queue:
        jobs = queue.shown_jobs(now - conf.min_job_age)
        query = _query(parsed, conf, jobs)
        rows = [
            squeue_steps.StepView(job, step, now)
            for job in jobs
            if job.running and query.wants(job)
            for step in queue.steps(job.job_id)
            if step.end is None and step.restarts == job.restarts
        ]
    wanted = parsed.last("steps")
    names = None if wanted is None else selection.parts(wanted)
    columns, unknown = table.letters(parsed.last("format") or squeue_fields.STEPS, squeue_steps.LETTERS)
    sys.stderr.writelines(f"squeue: error: Invalid job step format specification: {one}\n" for one in unknown)
    if not parsed.has("noheader"):
        sys.stdout.write(table.line(columns, lambda name: squeue_steps.LETTERS[name][0]))
    for one in rows:
        if names is None or one.step_id in names:
            sys.stdout.write(table.line(columns, lambda name, one=one: squeue_steps.LETTERS[name][1](one)))  # type: ignore[misc]
    return 0


def _field(name: str) -> squeue_fields.Field:
    return LETTERS[name] if len(name) == 1 else WORDS[name]


def _columns(parsed: Parsed) -> tuple[list[table.Column], Callable[[str], str]]:
    letters, words = parsed.last("format"), parsed.last("Format")
    if letters is not None and words is not None:
        first = next(name for name, _ in parsed.given if name in {"format", "Format"})
        options = ("-O (--Format)", "-o (--format)") if first == "format" else ("-o (--format)", "-O (--Format)")
        raise WrongError(f"squeue: error: {options[0]} is incompatible with {options[1]}")
    if letters is None and words is None:
        usual = (name for name in ("start", "long") if parsed.has(name))
        letters = {"start": squeue_fields.STARTS, "long": squeue_fields.LONG}.get(next(usual, ""))
        letters = letters or os.environ.get("SQUEUE_FORMAT")
        words = None if letters else os.environ.get("SQUEUE_FORMAT2")
    if words is not None:
        columns, unknown = table.words(words, WORDS)
        sys.stderr.writelines(f"squeue: error: Invalid job format specification: {one}\n" for one in unknown)
    else:
        columns, unknown = table.letters(squeue_fields.USUAL if letters is None else letters, LETTERS)
        sys.stderr.writelines(f"squeue: error: Invalid job format specification: {one}\n" for one in unknown)
    return columns, lambda name: _field(name)[0]


def _query(parsed: Parsed, conf: Conf, jobs: Sequence[Job]) -> Query:
    states = _given(parsed, "states", "SQUEUE_STATES")
    nodes = parsed.last("nodelist")
    none = parsed.has("reservation") or parsed.has("licenses")
    query = Query(
        jobs=_jobs(parsed, jobs),
        names=_names(parsed, "name", "SQUEUE_NAMES"),
        states=frozenset({"PENDING"}) if parsed.has("start") else None if states is None else _states(states),
        users=_users(parsed),
        partitions=_names(parsed, "partition", "SQUEUE_PARTITION"),
        accounts=_names(parsed, "account", "SQUEUE_ACCOUNT"),
        qos=_names(parsed, "qos", "SQUEUE_QOS"),
        none=none or states == "",
    )
    if nodes is None:
        return query
    try:
        return replace(query, nodes=frozenset(selection.nodes(nodes, conf)))
    except SelectionError as error:
        raise WrongError(f"squeue: error: Invalid node name {error}") from None


def _given(parsed: Parsed, option: str, variable: str) -> str | None:
    given = parsed.last(option)
    return given if given is not None else os.environ.get(variable) or None


def _names(parsed: Parsed, option: str, variable: str) -> frozenset[str] | None:
    given = _given(parsed, option, variable)
    return None if given is None else frozenset(selection.parts(given))


def _states(text: str) -> frozenset[str]:
    if text.lower() == "all":
        return frozenset()
    try:
        return frozenset(map(selection.state, selection.parts(text)))
    except SelectionError as error:
        raise WrongError(
            f"squeue: error: Invalid job state specified: {error}\nsqueue: error: Valid job states include: {_STATES}\n"
        ) from None


def _users(parsed: Parsed) -> frozenset[int] | None:
    last = next((pair for pair in reversed(parsed.given) if pair[0] in {"me", "user"}), None)
    if last is not None and last[0] == "me":
        return frozenset({os.getuid()})
    given = last[1] if last is not None else os.environ.get("SQUEUE_USERS") or None
    if given is None:
        return None
    users: set[int] = set()
    for one in selection.parts(given):
        try:
            users.add(selection.user(one))
        except SelectionError:
            sys.stderr.write(f"squeue: error: Invalid user: {one}\n\n")
    return frozenset(users)


def _jobs(parsed: Parsed, jobs: Sequence[Job]) -> tuple[JobName, ...] | None:
    """Return the ids that are asked for; one alone must be known."""
    given = parsed.last("jobs")
    if given is None:
        return None
    names: list[JobName] = []
    for one in selection.parts(given):
        number, _, rest = one.partition("_")
        try:
            # What is no task names none.
            names.append(selection.job_name(one if not rest or rest.isdecimal() else f"{number}_999999999"))
        except SelectionError:
            raise WrongError(f"squeue: error: Invalid job id: {one}") from None
    if len(names) == 1 and not any(names[0].job_id in {job.job_id, job.array_job_id} for job in jobs):
        raise WrongError("slurm_load_jobs error: Invalid job id specified")
    return tuple(names)


def _view(job: Job, query: Query, conf: Conf, now: int, dependency: str) -> View:
    one = view(job, conf, now, dependency)
    if query.jobs is None or not one.tasks:
        return one
    tasks = selection.tasks_meant(job, query.jobs)
    return one if tasks == one.tasks else replace(one, tasks=tasks, throttle=0)


def _dependencies(queue: Queue, jobs: Iterable[Job], now: int) -> dict[int, str]:
    from trainsub.minislurm.dependency import show  # noqa: PLC0415 - only where it is asked for

    others = queue.open_jobs()
    waiting = (job for job in jobs if job.request.dependency and not job.shares)
    return {job.job_id: show(job, queue.array_jobs, others, now) for job in waiting}
