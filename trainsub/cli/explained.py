"""Why runs wait and when they may start, in words; and the page of one run."""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from trainsub.cli import words
from trainsub.slurm import states

if TYPE_CHECKING:
    from trainsub.documents import models
    from trainsub.store import Event
    from trainsub.tracker.values import Allocation, Job, Run

REASONS_SHOWN = 5
"""How many different reasons are told under the table; `status RUN` tells each."""
NAMES_SHOWN = 3
"""How many runs are named that wait for the same reason."""
TASKS_SHOWN = 24
"""How many tasks of an array have a line; all are in --json."""
LABEL = 14


def waiting(known: Iterable["Run"]) -> None:
    """Tell under a table of runs why those that wait do so: one paragraph for each reason, not for each run."""
    from trainsub.documents.build import meaning, phase

    groups: dict[tuple[str, str], list[Run]] = {}
    for one in known:
        why = meaning(one)
        if why is not None and phase(one) == "pending":
            groups.setdefault((why.words, why.remedy), []).append(one)
    told: set[str] = set()
    for number, ((why_words, remedy), runs) in enumerate(groups.items()):
        if number == REASONS_SHOWN:
            typer.echo(
                _wrapped(f"{words.count(len(groups) - number, 'more reason')}: `trainsub status RUN` tells each")
            )
            return
        if number == 0:
            typer.echo()
        typer.echo(_wrapped(_paragraph(why_words, remedy if remedy not in told else "", runs)))
        told.add(remedy)


def _paragraph(why: str, remedy: str, runs: Sequence["Run"]) -> str:
    names = ", ".join(one.run for one in runs[:NAMES_SHOWN])
    if len(runs) > NAMES_SHOWN:
        names += f" and {len(runs) - NAMES_SHOWN} more"
    remedy = remedy.replace("RUN", runs[0].run) if len(runs) == 1 else remedy
    starts = [job.expected_start for one in runs if (job := one.jobs[-1]).expected_start is not None]
    start = ""
    if starts:
        first = " at the earliest" if len(runs) > 1 else ""
        start = f"May start {soon(min(starts))}{first}."
    return " ".join(filter(None, (f"{names}: {why}.", start, remedy)))


def soon(moment: datetime) -> str:
    """A time to come, and how far off it is."""
    left = (moment - datetime.now(UTC)).total_seconds()
    return f"{words.time(moment)} ({f'in {words.duration(left)}' if left > 0 else 'any moment'})"


def page(one: "Run", events: Sequence["Event"], state: str) -> None:
    """Everything about one run.

    Args:
        one: The run.
        events: Its history.
        state: Its state with source and age, in words.
    """
    lines = [("run", one.run), ("cluster", one.cluster), ("state", state), *_why_lines(one)]
    lines.append(("submitted", f"{words.time(one.created_at)}, {words.ago(one.created_at)}"))
    if one.detail:
        lines.append(("detail", one.detail))
    lines += _code_lines(one)
    for job in one.jobs:
        lines += _job_lines(job, many=len(one.jobs) > 1)
    for name, text in lines:
        typer.echo(_labelled(name, text))
    if events:
        typer.echo("\nhistory")
        for line in _event_lines(events, links=len(one.jobs) > 1):
            typer.echo(line)


def event_documents(events: Sequence["Event"]) -> "list[models.EventDocument]":
    """A history for machines."""
    from trainsub.documents.models import EventDocument

    return [
        EventDocument(at=one.at, what=one.what, source=one.source, detail=one.detail or None, link=one.link)
        for one in events
    ]


def _why_lines(one: "Run") -> list[tuple[str, str]]:
    from trainsub.documents.build import meaning, phase

    why = meaning(one)
    lines = []
    if why is not None:
        lines.append(("why", why.words))
        if why.remedy:
            lines.append(("what to do", why.remedy.replace("RUN", one.run)))
    if phase(one) == "pending" and one.jobs:
        lines.append(("may start", _start_words(one.jobs[-1])))
    return lines


def _start_words(job: "Job") -> str:
    from trainsub.slurm.reasons import is_held

    if is_held(job.reason or ""):
        return "not before it is released"
    if job.expected_start is None:
        return "not known: Slurm has no plan for it that can be believed"
    return f"{soon(job.expected_start)}, as Slurm plans now"


def _code_lines(one: "Run") -> list[tuple[str, str]]:
    code = one.code
    if code is None:
        return [("code", "none")]
    commit = code.commit or "not from git"
    dirty = {True: ", with uncommitted changes", False: ", clean", None: ""}[code.dirty]
    lines = [("commit", commit + dirty), ("snapshot", f"sha256:{code.sha256}, {code.files} files, {code.size} bytes")]
    if code.untracked:
        lines.append(("untracked", ", ".join(code.untracked)))
    return lines


def _job_lines(job: "Job", *, many: bool) -> list[tuple[str, str]]:
    link = f", link {job.link}" if many else ""
    lines = [("job", f"{job.job_id}{link}: {_size(job.nodes, job.gpus)}")]
    if job.start_time and states.phase(job.state) != states.PENDING:  # what ran before a requeue is in its allocations
        end = words.time(job.end_time) if job.end_time else "now"
        lines.append(("ran", f"{words.time(job.start_time)} to {end}, {words.elapsed(job)}"))
    if job.resubmitted:
        lines.append(("requeued", f"{words.time(job.resubmitted)}, {words.ago(job.resubmitted)}"))
    if job.exit_code:
        lines.append(("exit code", _exit_words(job.exit_code.code, job.exit_code.signal)))
    lines += [(f"allocation {number}", _allocation(one)) for number, one in enumerate(job.allocations, 1)]
    for task in job.tasks[:TASKS_SHOWN]:
        lines += _task_lines(task)
    if len(job.tasks) > TASKS_SHOWN:
        lines.append(("", f"and {len(job.tasks) - TASKS_SHOWN} more tasks; --json tells all"))
    return lines


def _task_lines(task: "Job") -> list[tuple[str, str]]:
    parts = [" ".join(filter(None, (task.state or "not seen yet", task.reason if task.reason != "None" else "")))]
    if task.start_time:
        parts.append(f"{words.time(task.start_time)}, {words.elapsed(task)}")
    if task.exit_code:
        parts.append(f"exit code {_exit_words(task.exit_code.code, task.exit_code.signal)}")
    lines = [(f"task {task.array_task}", ", ".join(parts))]
    # One allocation says no more than the task does.
    more = task.allocations if len(task.allocations) > 1 else ()
    return lines + [(f"  allocation {number}", _allocation(one)) for number, one in enumerate(more, 1)]


def _allocation(one: "Allocation") -> str:
    """One period on nodes: when, how long, on what, and how it ended."""
    if one.start is None:
        return f"never started, {one.state}"
    end = words.time(one.end) if one.end else "now"
    ended = (
        one.state
        if one.exit_code is None or not (one.exit_code.code or one.exit_code.signal)
        else (f"{one.state}, exit code {_exit_words(one.exit_code.code, one.exit_code.signal)}")
    )
    where = f" on {one.nodelist}" if one.nodelist else ""
    size = _size(one.nodes, one.gpus)
    return f"{words.time(one.start)} to {end}, {words.duration(one.elapsed)}, {size}{where}: {ended}"


def _size(nodes: int | None, gpus: int | None) -> str:
    told = [words.count(nodes, "node") if nodes is not None else "nodes not known yet"]
    told.append(words.count(gpus, "GPU") if gpus is not None else "GPUs not recorded")
    return ", ".join(told)


def _exit_words(code: int, signal: int) -> str:
    return f"{code}, signal {signal}" if signal else str(code)


def _event_lines(events: Sequence["Event"], *, links: bool) -> list[str]:
    """The history in columns: when, what, by whom."""
    width = max(len(event.what) for event in events)
    lines = []
    for event in events:
        link = f"[link {event.link}] " if links and event.link is not None else ""
        source = f"({event.source})" if event.source else ""
        detail = event.detail if event.detail and event.detail != "None" else ""
        told = " ".join(filter(None, (link + event.what.ljust(width if source or detail else 0), source, detail)))
        lines.append(_wrapped(f"  {words.time(event.at)}  {told}", indent=23))
    return lines


def _labelled(name: str, text: str) -> str:
    return _wrapped(f"{name:{LABEL}} {text}", indent=LABEL + 1)


def _wrapped(text: str, *, indent: int = 2) -> str:
    """Text as wide as the terminal; where there is none, on one line."""
    text = words.visible(text, lines=True)
    if not sys.stdout.isatty():
        return text.rstrip()
    width = max(40, shutil.get_terminal_size().columns)
    return (
        textwrap.fill(text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
        if text.strip()
        else text
    )
