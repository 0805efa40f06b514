"""``--dependency``: ``afterok:12:13,singleton`` or ``afterok:12?afterany:13``. Pure."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from trainsub.minislurm.values import Job

WAITS = "Dependency"
NEVER = "DependencyNeverSatisfied"

Verdict = Literal["fulfilled", "unfulfilled", "failed"]
Find = Callable[[int], Sequence[Job]]
"""Returns all rows of a job or of an array, none if there is no such job."""

_KINDS = frozenset({"after", "afterany", "aftercorr", "afternotok", "afterok"})
_NEED_THE_JOB = frozenset({"afternotok", "afterok"})
_IDS = re.compile(r"\s*([0-9]{1,10})(?:_([0-9]{1,9}|\*))?(?:\+([0-9]{1,9}))?")
_ONE = re.compile(r"(singleton)|([a-z]+):(.*)|([0-9]{1,10})", re.IGNORECASE | re.DOTALL)


class DependencyError(ValueError):
    """It cannot be read, or a job in it does not exist."""


@dataclass(frozen=True, slots=True)
class Part:
    """One condition.

    Attributes:
        kind: ``afterok`` and so on, or ``singleton``.
        job_id: The other job.
        task: Index of the task; None for all tasks of an array.
        minutes: Of ``after``: how long the other job must have run.
    """

    kind: str
    job_id: int = 0
    task: int | None = None
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Dependency:
    """Several conditions.

    Attributes:
        parts: The conditions.
        any_will_do: One of them is enough.
    """

    parts: tuple[Part, ...] = ()
    any_will_do: bool = False


def parse(text: str) -> Dependency:
    """Return the conditions.

    Raises:
        DependencyError: They cannot be read.
    """
    if not text:
        return Dependency()
    parts = [part for one in re.split("[,?]", text) for part in _parts(one)]
    return Dependency(tuple(parts), "?" in text)


def _parts(text: str) -> Iterable[Part]:
    match = _ONE.fullmatch(text)
    if match is None:
        raise DependencyError(f"not a dependency: {text!r}")
    singleton, kind, listed, alone = match.groups()
    if singleton:
        return [Part("singleton")]
    if alone:
        return [Part("afterany", int(alone))]
    if kind.lower() not in _KINDS:
        raise DependencyError(f"not a kind of dependency: {kind}")
    return [_other(kind.lower(), one) for one in listed.split(":")]


def _other(kind: str, text: str) -> Part:
    match = _IDS.fullmatch(text)
    if match is None or int(match.group(1)) == 0:
        raise DependencyError(f"not a job: {text!r}")
    task = match.group(2)
    return Part(kind, int(match.group(1)), int(task) if task and task != "*" else None, int(match.group(3) or 0))


def check(dependency: Dependency, find: Find) -> Dependency:
    """Return what a new job has to wait for; a job that squeue has forgotten counts as ended.

    Raises:
        DependencyError: How such a job ended decides, and nobody knows any more.
    """
    kept: list[Part] = []
    for part in dependency.parts:
        if part.kind == "singleton" or _rows(part, find):
            kept.append(part)
        elif part.kind in _NEED_THE_JOB:
            raise DependencyError(f"no job {part.job_id}")
        elif dependency.any_will_do:
            return Dependency()
    return Dependency(tuple(kept), dependency.any_will_do)


def text(dependency: Dependency) -> str:
    """Return it as ``parse`` reads it."""
    return ("?" if dependency.any_will_do else ",").join(map(_name, dependency.parts))


def _name(part: Part) -> str:
    if part.kind == "singleton":
        return part.kind
    task = "" if part.task is None else f"_{part.task}"
    minutes = f"+{part.minutes}" if part.minutes else ""
    return f"{part.kind}:{part.job_id}{task}{minutes}"


def waits(job: Job, find: Find, others: Iterable[Job], now: int) -> str:
    """Return why a job waits: ``Dependency``, ``DependencyNeverSatisfied``, or nothing.

    Args:
        job: The job.
        find: Finds the jobs that it names.
        others: The jobs that have not ended, for ``singleton``.
        now: The clock.
    """
    dependency = parse(job.request.dependency)
    if not dependency.parts:
        return ""
    found = {judge(part, job, find, others, now) for part in dependency.parts}
    if dependency.any_will_do:
        return "" if "fulfilled" in found else WAITS if "unfulfilled" in found else NEVER
    return NEVER if "failed" in found else WAITS if "unfulfilled" in found else ""


def show(job: Job, find: Find, others: Iterable[Job], now: int) -> str:
    """Return the conditions that are not fulfilled, as squeue and scontrol show them; nothing where none is left."""
    dependency = parse(job.request.dependency)
    others = tuple(others)
    shown = [
        f"{_shown_name(part, find)}({verdict})"
        for part in dependency.parts
        if (verdict := judge(part, job, find, others, now)) != "fulfilled"
    ]
    if dependency.any_will_do and len(shown) < len(dependency.parts):
        return ""
    return ("?" if dependency.any_will_do else ",").join(shown)


def _shown_name(part: Part, find: Find) -> str:
    name = _name(part)
    whole_array = part.task is None and any(
        job.array is not None and part.job_id == job.array.job_id for job in find(part.job_id)
    )
    return name.replace(str(part.job_id), f"{part.job_id}_*", 1) if whole_array and part.kind != "singleton" else name


def judge(part: Part, job: Job, find: Find, others: Iterable[Job], now: int) -> Verdict:
    """Return what has become of one condition of a job."""
    if part.kind == "singleton":
        return "unfulfilled" if any(_is_before(one, job) for one in others) else "fulfilled"
    rows = _rows(part, find, _corresponding(part, job))
    if part.kind == "after":
        return "fulfilled" if all(_has_begun(one, part.minutes, now) for one in rows) else "unfulfilled"
    if not all(one.ended for one in rows):
        return "unfulfilled"
    good = [one.state == "COMPLETED" for one in rows]
    if part.kind == "afternotok":
        return "failed" if all(good) else "fulfilled"
    return "fulfilled" if part.kind == "afterany" or all(good) else "failed"


def _corresponding(part: Part, job: Job) -> int | None:
    own = job.array.task if job.array is not None else None
    return own if part.kind == "aftercorr" else None


def _rows(part: Part, find: Find, corresponding: int | None = None) -> list[Job]:
    rows = find(part.job_id)
    task = corresponding if part.task is None else part.task
    if task is None:
        return list(rows)
    return [
        one
        for one in rows
        if one.array is not None and (one.array.task == task or (one.array.task is None and task in one.array.pending))
    ]


def _is_before(other: Job, job: Job) -> bool:
    """Whether a job holds a singleton back: same name and user, and submitted earlier."""
    return (
        not other.ended
        and other.request.name == job.request.name
        and other.uid == job.uid
        and other.array_job_id < job.array_job_id
    )


def _has_begun(job: Job, minutes: int, now: int) -> bool:
    if job.ended:
        return True
    return job.running and job.start is not None and now >= job.start + 60 * minutes
