"""scancel: ends jobs and steps, or sends them a signal."""

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from trainsub.minislurm import conf, lifecycle, scancel_call
from trainsub.minislurm.front import answer
from trainsub.minislurm.options import Parsed
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.scancel_call import OPTIONS, USAGE, Order, Target
from trainsub.minislurm.values import Job
from trainsub.minislurm.version import VERSION

_INVALID = "Invalid job id specified"
_NOT_NOW = "Job can not be altered now, try again later"
_NOT_NOW_CODE = 228


def main(home: Path, words: Sequence[str]) -> int:
    """Cancel.

    Returns:
        The exit code.
    """
    return answer("scancel", words, OPTIONS, lambda parsed: _run(home, parsed))


def _run(home: Path, parsed: Parsed) -> int:
    if parsed.has("version"):
        print(VERSION)  # noqa: T201 - what the command is for
        return 0
    if parsed.has("help") or parsed.has("usage"):
        sys.stdout.write(USAGE)
        return 0
    order = scancel_call.order(parsed)
    targets = scancel_call.targets(parsed)
    with Queue(home) as queue:
        problems = _cancel(queue, targets, scancel_call.wanted(parsed, home), order)
    # Of jobs that cannot be cancelled because they are unknown or have ended 24.11 says nothing.
    bad = [(target, why) for target, why in problems if target.step or order.number]
    if parsed.has("verbose"):
        told = [line for target in targets for line in _verbose(target, dict(problems).get(target))]
    else:
        told = [] if parsed.has("quiet") else [_verbose(target, why)[1] for target, why in bad]
    sys.stderr.write("".join(f"scancel: {line}\n" for line in told))
    return _NOT_NOW_CODE if any(why == _NOT_NOW for _, why in bad) else 1 if bad else 0


def _verbose(target: Target, why: str | None) -> list[str]:
    what = "job step" if target.step else "job"
    said = [f"Terminating {what} {target.text}"]
    return said if why is None else [*said, f"error: Kill job error on {what} id {target.text}: {why}"]


def _cancel(
    queue: Queue, targets: Sequence[Target], wanted: Callable[[Job], bool], order: Order
) -> list[tuple[Target, str]]:
    """Do it; return what went wrong."""
    if not targets:
        for job in queue.open_jobs():
            if wanted(job):
                _act(queue, job, Target(str(job.job_id), job.job_id, None, ""), order)
        return []
    problems: list[tuple[Target, str]] = []
    since = time.time() - conf.load(queue.home).min_job_age
    for target in targets:
        # What starts meanwhile leaves its array's row, and is a job of its own: then it is found anew.
        seen: set[int] = set()
        while jobs := [job for job in queue.shown_jobs(since) if target.means(job) and job.job_id not in seen]:
            seen |= {job.job_id for job in jobs}
            for job in filter(wanted, jobs):
                problem = _act(queue, job, target, order)
                problems += [(target, problem)] if problem else []
        problems += [] if seen else [(target, _INVALID)]
    return problems


def _act(queue: Queue, job: Job, target: Target, order: Order) -> str:
    """Do it to one job; return what is wrong, or nothing."""
    if job.ended:
        return _INVALID if target.step or order.number else "Job/step already completing or completed"
    if target.step:
        return _act_on_step(queue, job, target.step, order)
    if order.number in {0, signal.SIGKILL} and not order.batch:
        with queue.change():
            row = queue.job(job.job_id)
            if row is not None and not row.ended and target.means(row):
                _cancel_row(queue, row, target, order)
        return ""
    if not job.running:
        return _NOT_NOW
    from trainsub.minislurm import signals  # noqa: PLC0415 - few send signals

    signals.send(queue, job, order.number or signal.SIGKILL, batch=order.batch or order.full, steps=not order.batch)
    return ""


def _cancel_row(queue: Queue, row: Job, target: Target, order: Order) -> None:
    now, me = int(time.time()), os.getuid()
    if lifecycle.whole(row.array) and (order.one_by_one or target.tasks is not None):
        queue.put(lifecycle.cancel_tasks(row, target.among(row), now, me))
    else:
        queue.put(lifecycle.cancel(row, now, me))


def _act_on_step(queue: Queue, job: Job, name: str, order: Order) -> str:
    steps = [step for step in queue.steps(job.job_id) if step.restarts == job.restarts and step.name == name]
    if not steps or steps[0].end is not None:
        return _INVALID
    if order.number in {0, signal.SIGKILL} and name != "batch":
        with queue.change():
            for step in queue.steps(job.job_id):
                if step.restarts == job.restarts and step.name == name and step.end is None:
                    queue.put_step(replace(step, stop="CANCELLED", stop_by=os.getuid()))
        return ""
    from trainsub.minislurm import signals  # noqa: PLC0415 - few send signals

    signals.send_to_step(queue, job, steps[0], order.number or signal.SIGKILL)
    return ""
