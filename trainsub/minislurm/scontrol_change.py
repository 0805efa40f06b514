"""scontrol's changes: which jobs are meant, what becomes of them, and what Slurm says where that cannot be."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainsub.minislurm import lifecycle
from trainsub.minislurm.conf import Conf, load
from trainsub.minislurm.lifecycle import ChangeError
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.scontrol_call import INVALID, WrongError, shown_jobs
from trainsub.minislurm.values import Job, Record
from trainsub.minislurm.view import indices
from trainsub.slurm.hostlist import expand

Change = Callable[[Job], tuple[Job, Record | None]]
"""What becomes of a job, and the period of the accounts that ends with it."""

_NO_ERROR = "No error"
_TWICE = frozenset({"hold", "release"})
"""Commands that complain twice."""
_WORDS = re.compile(r"(?:[^\s,\[]|\[[^\]]*\]?)+")
_ID = re.compile(r"([0-9]{1,10})(?:_(?:([0-9]{1,9})|\[([0-9][0-9,-]*)\]))?")


@dataclass(frozen=True, slots=True)
class Target:
    """One job or array, as the user gave it.

    Attributes:
        text: The word.
        job_id: The job or array; 0 where the word is none.
        tasks: Indices; None for all of it.
    """

    text: str
    job_id: int
    tasks: frozenset[int] | None = None

    def means(self, job: Job) -> bool:
        """Whether the job is meant, or some of its tasks are."""
        if self.tasks is None:
            return self.job_id in {job.job_id, job.array_job_id}
        return job.array is not None and job.array.job_id == self.job_id and bool(self.among(job))

    def among(self, job: Job) -> tuple[int, ...]:
        """Return which tasks of an array's job or row are meant."""
        if job.array is None:
            return ()
        there = job.array.pending if job.array.task is None else (job.array.task,)
        return there if self.tasks is None else tuple(task for task in there if task in self.tasks)


def run(home: Path, name: str, words: Sequence[str]) -> tuple[int, list[str]]:
    """Do what a command asks.

    Args:
        home: The cluster's home.
        name: ``hold``, ``release``, ``requeue``, ``requeuehold`` or ``update``.
        words: What follows it.

    Returns:
        The exit code, and complaints.
    """
    conf, now = load(home), int(time.time())
    try:
        with Queue(home) as queue, queue.change():
            ids, change = _order(name, words, queue, conf, now)
            jobs = shown_jobs(queue, conf)
            complaints = [line for one in targets(ids, jobs) for line in _each(queue, conf, one, change, name)]
    except WrongError as error:
        return 1, [str(error)]
    return int(bool(complaints)), complaints


def _order(name: str, words: Sequence[str], queue: Queue, conf: Conf, now: int) -> tuple[str, Change]:
    """Return the ids, and what is to be done with those jobs."""
    if name == "update":
        from trainsub.minislurm import scontrol_update  # noqa: PLC0415 - most calls change less

        return scontrol_update.read(words, queue, conf, now)
    first = words[0].lower()
    if name.startswith("requeue") and first.startswith("state="):
        raise WrongError(f"scontrol: error: minislurm does not know {name} {words[0]}")
    skipped = name.startswith("requeue") and first == "incomplete"
    changes: dict[str, Change] = {
        "hold": lambda job: (lifecycle.hold(job), None),
        "release": lambda job: (lifecycle.release(job), None),
        "requeue": lambda job: lifecycle.requeue(job, now, conf.requeue_delay),
        "requeuehold": lambda job: lifecycle.requeue(job, now, conf.requeue_delay, held=True),
    }
    return " ".join(words[skipped:]), changes[name]


def targets(text: str, jobs: Iterable[Job]) -> list[Target]:
    """Return what ``12 13_4,15_[1-3] name=run`` means.

    Args:
        text: What the user gave.
        jobs: All that Slurm still knows, for names.
    """
    found: list[Target] = []
    for word in _WORDS.findall(text):
        key, equals, name = word.partition("=")
        if equals and key.lower() in {"name", "jobname"}:
            named = [job.array_job_id for job in jobs if job.request.name == name and not job.ended]
            found += [Target(str(one), one) for one in dict.fromkeys(named)]
        else:
            found.append(_target(word))
    return found


def _target(word: str) -> Target:
    match = _ID.fullmatch(word)
    if match is None:
        return Target(word, 0)
    number, task, listed = match.groups()
    try:
        tasks = [int(one) for one in expand(f"[{listed}]")] if listed else [int(task)] if task else None
    except ValueError:
        return Target(word, 0)
    return Target(word, int(number), None if tasks is None else frozenset(tasks))


def _each(queue: Queue, conf: Conf, target: Target, change: Change, name: str) -> list[str]:
    """Change all that a word means; return what Slurm says where that cannot be."""
    found = [job for job in shown_jobs(queue, conf) if target.job_id and target.means(job)]
    if not found:
        return _complaints(INVALID, target.text, name)
    if not name.startswith("requeue") and any(not job.ended for job in found):
        # The tasks that have ended do not keep a whole array from being changed.
        found = [job for job in found if not job.ended]
    said: dict[str, list[int]] = {}
    for job in sorted(found, key=lambda job: job.job_id):
        for one in _parts(queue, conf, job, target):
            said.setdefault(_apply(queue, one, change), []).extend(target.among(one))
    if set(said) == {_NO_ERROR}:
        return []
    if found[0].array is None or (target.tasks is None and target.job_id != found[0].array.job_id):
        return _complaints(next(iter(said)), target.text, name)
    return [f"{target.job_id}_{indices(tasks)}: {text}" for text, tasks in said.items()]


def _parts(queue: Queue, conf: Conf, job: Job, target: Target) -> Iterator[Job]:
    """Yield the job, or those tasks of its row that are meant, taken out of it."""
    tasks = target.among(job)
    if not lifecycle.whole(job.array) or job.array is None or tasks == job.array.pending:
        yield job
        return
    row: Job | None = job
    for task in tasks:
        if row is not None:
            alone, row = lifecycle.split(row, task, queue.new_id(conf.first_job_id))
            queue.put(alone)
            if row is not None:
                queue.put(row)
            yield alone


def _apply(queue: Queue, job: Job, change: Change) -> str:
    try:
        changed, record = change(job)
    except ChangeError as error:
        return str(error)
    queue.put(changed)
    if record is not None:
        queue.close_record(record)
    return _NO_ERROR


def _complaints(text: str, job: str, name: str) -> list[str]:
    return [f"{text} for job {job}", *([f"slurm_suspend error: {text}"] if name in _TWICE else [])]
