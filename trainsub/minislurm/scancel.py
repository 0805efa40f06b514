"""scancel: ends jobs and steps, or sends them a signal."""

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trainsub.minislurm import arrays, conf, lifecycle, selection
from trainsub.minislurm.options import Option, OptionError, Parsed, parse
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.values import Job
from trainsub.minislurm.version import VERSION

_OPTIONS = (
    Option("account", "A"),
    Option("batch", "b", "no"),
    Option("ctld", argument="no"),
    Option("full", "f", "no"),
    Option("help", argument="no"),
    Option("hurry", "H", "no"),
    Option("interactive", "i", "no"),
    Option("jobname", "n"),
    Option("me", argument="no"),
    Option("name"),
    Option("nodelist", "w"),
    Option("partition", "p"),
    Option("qos", "q"),
    Option("quiet", "Q", "no"),
    Option("signal", "s"),
    Option("state", "t"),
    Option("usage", argument="no"),
    Option("user", "u"),
    Option("verbose", "v", "no"),
    Option("version", "V", "no"),
    Option("wckey"),
)
_FILTERS = ("account", "jobname", "me", "name", "nodelist", "partition", "qos", "state", "user", "wckey")
_USAGE = """\
Usage: scancel [-A account] [-b] [-f] [--me] [-n job_name] [-p partition] [-q qos] [-Q] [-s signal]
               [-t PENDING|RUNNING] [-u user_name] [-v] [-w hosts...] [job_id[_array_id][.step_id]...]
"""
_NAME = re.compile(r"([0-9]{1,10})(?:_(\[[^\]]*\]|[0-9]{1,9}))?(?:\.([a-z0-9]+))?")
_LARGEST_INDEX = 10**9
_INVALID = "Invalid job id specified"


class _WrongError(Exception):
    """The command line cannot be followed; the message is what to print."""


@dataclass(frozen=True, slots=True)
class _Target:
    """What an argument names.

    Attributes:
        text: The argument.
        job_id: The job, or its array.
        tasks: Indices; None for the whole array.
        step: A step; empty for the whole job.
    """

    text: str
    job_id: int
    tasks: tuple[int, ...] | None
    step: str

    def means(self, job: Job) -> bool:
        """Whether the job, or a part of the row of an array, is meant."""
        if self.tasks is None:
            return self.job_id in {job.job_id, job.array_job_id}
        return job.array is not None and self.job_id == job.array.job_id and bool(self.among(job))

    def among(self, job: Job) -> tuple[int, ...]:
        """Return which tasks that a job's row stands for are meant."""
        if job.array is None:
            return ()
        there = job.array.pending if job.array.task is None else (job.array.task,)
        return there if self.tasks is None else tuple(task for task in there if task in self.tasks)


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be done.

    Attributes:
        number: A signal; 0 cancels.
        batch: To the batch script.
        full: To it and to the steps.
        one_by_one: Tasks of arrays are looked at, and cancelled, one by one.
    """

    number: int
    batch: bool
    full: bool
    one_by_one: bool


def main(home: Path, words: Sequence[str]) -> int:
    """Cancel.

    Returns:
        The exit code.
    """
    try:
        parsed = parse(words, _OPTIONS)
    except OptionError as error:
        sys.stderr.write(f'scancel: {error}\nTry "scancel --help" for more information\n')
        return 1
    if parsed.has("version"):
        print(VERSION)  # noqa: T201 - what the command is for
        return 0
    if parsed.has("help") or parsed.has("usage"):
        sys.stdout.write(_USAGE)
        return 0
    try:
        one_by_one = any(map(parsed.has, _FILTERS))
        order = _Order(_number(parsed.last("signal")), parsed.has("batch"), parsed.has("full"), one_by_one)
        targets = _targets(parsed)
        with Queue(home) as queue:
            problems = _cancel(queue, targets, _filter(parsed, home), order)
    except _WrongError as error:
        sys.stderr.write(f"scancel: error: {error}\n")
        return 1
    if not parsed.has("quiet"):
        sys.stderr.write("".join(f"scancel: error: Kill job error on job id {one}\n" for one in problems))
    return 1 if problems else 0


def _cancel(queue: Queue, targets: Sequence[_Target], wanted: Callable[[Job], bool], order: _Order) -> list[str]:
    """Do it; return ids and what went wrong with them."""
    problems: list[str] = []
    if not targets:
        for job in queue.open_jobs():
            if wanted(job):
                _act(queue, job, _Target(str(job.job_id), job.job_id, None, ""), order)
        return []
    since = time.time() - conf.load(queue.home).min_job_age
    for target in targets:
        # What starts meanwhile leaves its array's row, and is a job of its own: then it is found anew.
        seen: set[int] = set()
        while jobs := [job for job in queue.shown_jobs(since) if target.means(job) and job.job_id not in seen]:
            seen |= {job.job_id for job in jobs}
            for job in filter(wanted, jobs):
                problem = _act(queue, job, target, order)
                problems += [f"{target.text}: {problem}"] if problem else []
        if not seen and not (
            target.tasks and any(job.array_job_id == target.job_id for job in queue.shown_jobs(since))
        ):
            problems.append(f"{target.text}: {_INVALID}")
    return problems


def _act(queue: Queue, job: Job, target: _Target, order: _Order) -> str:
    """Do it to one job; return what is wrong, or nothing."""
    if job.ended:
        return ""
    if target.step:
        return _act_on_step(queue, job, target.step, order)
    if order.number in {0, signal.SIGKILL} and not order.batch:
        with queue.change():
            row = queue.job(job.job_id)
            if row is not None and not row.ended and target.means(row):
                _cancel_row(queue, row, target, order)
        return ""
    if not job.running:
        return "Job is pending execution"
    from trainsub.minislurm import signals  # noqa: PLC0415 - few send signals

    signals.send(queue, job, order.number or signal.SIGKILL, batch=order.batch or order.full, steps=not order.batch)
    return ""


def _cancel_row(queue: Queue, row: Job, target: _Target, order: _Order) -> None:
    now, me = int(time.time()), os.getuid()
    if lifecycle.whole(row.array) and (order.one_by_one or target.tasks is not None):
        queue.put(lifecycle.cancel_tasks(row, target.among(row), now, me))
    else:
        queue.put(lifecycle.cancel(row, now, me))


def _act_on_step(queue: Queue, job: Job, name: str, order: _Order) -> str:
    steps = [step for step in queue.steps(job.job_id) if step.restarts == job.restarts and step.name == name]
    if not steps or steps[0].end is not None:
        return _INVALID if not steps else "Job/step already completing or completed"
    if order.number in {0, signal.SIGKILL} and name != "batch":
        with queue.change():
            for step in queue.steps(job.job_id):
                if step.restarts == job.restarts and step.name == name and step.end is None:
                    queue.put_step(replace(step, stop="CANCELLED", stop_by=os.getuid()))
        return ""
    from trainsub.minislurm import signals  # noqa: PLC0415 - few send signals

    signals.send_to_step(queue, job, steps[0], order.number or signal.SIGKILL)
    return ""


# -- the command line --------------------------------------------------------------------------------------------------


def _number(text: str | None) -> int:
    if text is None:
        return 0
    if text.isascii() and text.isdigit() and 0 < int(text) < signal.NSIG:
        return int(text)
    try:
        return int(signal.Signals[f"SIG{text.upper().removeprefix('SIG')}"])
    except KeyError:
        raise _WrongError(f"Unknown job signal: {text}") from None


def _targets(parsed: Parsed) -> list[_Target]:
    if parsed.has("interactive"):
        raise _WrongError("minislurm does not know --interactive")
    targets = [_target(word) for one in parsed.operands for word in _apart(one)]
    if not targets and not any(map(parsed.has, _FILTERS)):
        raise _WrongError("No job identification provided")
    return targets


def _apart(text: str) -> list[str]:
    return [word for word in re.split(r",(?![^\[]*\])|\s+", text) if word]


def _target(text: str) -> _Target:
    match = _NAME.fullmatch(text)
    if match is None or int(match.group(1)) == 0:
        raise _WrongError(f"Invalid job id {text}")
    job_id, tasks, step = match.groups()
    try:
        indices = None if tasks is None else arrays.parse(tasks, _LARGEST_INDEX)[0]
    except arrays.ArrayError:
        raise _WrongError(f"Invalid job id {text}") from None
    return _Target(text, int(job_id), indices, step or "")


def _filter(parsed: Parsed, home: Path) -> Callable[[Job], bool]:
    """Return whether a job is among those that the options mean."""
    tests: list[Callable[[Job], bool]] = []
    texts: dict[str, Callable[[Job], str]] = {
        "account": lambda job: job.request.account,
        "jobname": lambda job: job.request.name,
        "name": lambda job: job.request.name,
        "partition": lambda job: job.request.partition,
        "qos": lambda job: job.request.qos,
        "wckey": lambda job: job.request.wckey,
    }
    for option, text in texts.items():
        if parsed.last(option) is not None:
            tests.append(_one_of(set(selection.parts(parsed.last(option) or "")), text))
    if parsed.has("me") or parsed.last("user") is not None:
        uid = _user(parsed.last("user") or str(os.getuid()))
        tests.append(lambda job: job.uid == uid)
    state = parsed.last("state")
    if state is not None:
        word = _state(state)
        tests.append(lambda job: job.state == word)
    nodes = parsed.last("nodelist")
    if nodes is not None:
        names = set(selection.nodes(nodes, conf.load(home)))
        tests.append(lambda job: bool(names & {share.node for share in job.shares}))
    return lambda job: all(test(job) for test in tests)


def _one_of(words: Collection[str], text: Callable[[Job], str]) -> Callable[[Job], bool]:
    return lambda job: text(job) in words


def _user(text: str) -> int:
    try:
        return selection.user(text)
    except selection.SelectionError:
        raise _WrongError(f"Invalid user name: {text}") from None


def _state(text: str) -> str:
    try:
        word = selection.state(text)
    except selection.SelectionError:
        word = ""
    if word not in {"PENDING", "RUNNING", "SUSPENDED"}:
        raise _WrongError(f"Invalid job state specified: {text}")
    return word
