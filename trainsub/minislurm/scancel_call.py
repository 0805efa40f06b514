"""scancel's command line: which jobs are meant, and what shall happen to them."""

import os
import re
import signal
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from trainsub.minislurm import arrays, conf, selection
from trainsub.minislurm.front import WrongError
from trainsub.minislurm.options import Option, Parsed
from trainsub.minislurm.values import Job

OPTIONS = (
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
FILTERS = ("account", "jobname", "me", "name", "nodelist", "partition", "qos", "state", "user", "wckey")
USAGE = """\
Usage: scancel [-A account] [-b] [-f] [--me] [-n job_name] [-p partition] [-q qos] [-Q] [-s signal]
               [-t PENDING|RUNNING] [-u user_name] [-v] [-w hosts...] [job_id[_array_id][.step_id]...]
"""
_NAME = re.compile(r"([0-9]{1,10})(?:_(\[[^\]]*\]|[0-9]{1,9}))?(?:\.([a-z0-9]+))?")
_LARGEST_INDEX = 10**9


@dataclass(frozen=True, slots=True)
class Target:
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
class Order:
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


def order(parsed: Parsed) -> Order:
    """Return what shall happen.

    Raises:
        WrongError: There is no such signal.
    """
    one_by_one = any(map(parsed.has, FILTERS))
    return Order(_number(parsed.last("signal")), parsed.has("batch"), parsed.has("full"), one_by_one)


def _number(text: str | None) -> int:
    if text is None:
        return 0
    if text.isascii() and text.isdigit() and 0 < int(text) < signal.NSIG:
        return int(text)
    try:
        return int(signal.Signals[f"SIG{text.upper().removeprefix('SIG')}"])
    except KeyError:
        raise WrongError(f"Unknown job signal: {text}") from None


def targets(parsed: Parsed) -> list[Target]:
    """Return which jobs are named.

    Raises:
        WrongError: An argument is no job, or nothing says which ones are meant.
    """
    if parsed.has("interactive"):
        raise WrongError("scancel: error: minislurm does not know --interactive")
    found = [_target(word) for one in parsed.operands for word in _apart(one)]
    if not found and not any(map(parsed.has, FILTERS)):
        raise WrongError("scancel: error: No job identification provided")
    return found


def _apart(text: str) -> list[str]:
    return [word for word in re.split(r",(?![^\[]*\])|\s+", text) if word]


def _target(text: str) -> Target:
    match = _NAME.fullmatch(text)
    if match is None or int(match.group(1)) == 0:
        raise WrongError(f"scancel: error: Invalid job id {text}")
    job_id, tasks, step = match.groups()
    try:
        indices = None if tasks is None else arrays.parse(tasks, _LARGEST_INDEX)[0]
    except arrays.ArrayError:
        raise WrongError(f"scancel: error: Invalid job id {text}") from None
    return Target(text, int(job_id), indices, step or "")


def wanted(parsed: Parsed, home: Path) -> Callable[[Job], bool]:
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
        raise WrongError(f"scancel: error: Invalid user name: {text}") from None


def _state(text: str) -> str:
    try:
        word = selection.state(text)
    except selection.SelectionError:
        word = ""
    if word not in {"PENDING", "RUNNING", "SUSPENDED"}:
        valid = "Valid job states are PENDING, RUNNING, and SUSPENDED"
        raise WrongError(f"Invalid job state specified: {text}\n{valid}")
    return word
