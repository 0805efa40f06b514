"""Values of tracker/ to rows of the store and back."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache

from trainsub.slurm.values import ExitCode
from trainsub.tracker.values import Allocation, Code, Job, Run

WHOLE_JOB = -1
"""In the column ``task``: not a task of an array, but the job."""


def text(time: datetime | None) -> str | None:
    """A time as it is stored: RFC 3339, UTC."""
    return None if time is None else time.isoformat()


def time(value: str | None) -> datetime | None:
    """A stored time.

    Raises:
        sqlite3.DataError: It is none: the file is damaged.
    """
    return None if value is None else moment(value)


@lru_cache(maxsize=1024)  # what was seen together bears the same time
def moment(value: str) -> datetime:
    """A stored time that is never lacking; see ``time``."""
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise sqlite3.DataError(f"malformed time {value!r}") from None


def _exit(code: ExitCode | None) -> tuple[int | None, int | None]:
    return (None, None) if code is None else (code.code, code.signal)


def _exit_code(code: int | None, signal: int | None) -> ExitCode | None:
    return None if code is None or signal is None else ExitCode(code, signal)


def run_row(run: Run) -> tuple[object, ...]:
    """A run as a row of ``runs``."""
    code = None if run.code is None else json.dumps(asdict(run.code))
    created = text(run.created_at)
    return (run.run, run.name, run.key, run.cluster, created, run.plan_hash, run.outcome, run.detail, run.script,
            run.spec, code)  # fmt: skip


def job_rows(job: Job, cluster: str) -> list[tuple[object, ...]]:
    """A job and its tasks as rows of ``jobs``."""
    return [
        (one.run, one.link, _task(one), cluster, one.job_id, text(one.submitted), one.state, one.reason, one.source,
         text(one.observed_at), text(one.start_time), text(one.end_time), one.nodes, one.gpus, *_exit(one.exit_code),
         text(one.missing_since), text(one.expected_start), text(one.seen_there), text(one.resubmitted),
         one.runaway, one.array, one.seen_row, one.chain)
        for one in (job, *job.tasks)
    ]  # fmt: skip


def allocation_rows(job: Job) -> list[tuple[object, ...]]:
    """The allocations of a job and of its tasks as rows of ``allocations``."""
    return [
        (holder.run, holder.link, _task(holder), number, one.state, text(one.submit), text(one.start), text(one.end),
         one.elapsed, one.nodes, one.gpus, one.nodelist, one.partition, *_exit(one.exit_code))
        for holder in (job, *job.tasks)
        for number, one in enumerate(holder.allocations)
    ]  # fmt: skip


def _task(job: Job) -> int:
    """The column ``task``: part of a key, so a job that is no task needs a number too."""
    return WHOLE_JOB if job.array_task is None else job.array_task


def runs_of(runs: Sequence[sqlite3.Row], jobs: Sequence[sqlite3.Row], allocations: Sequence[sqlite3.Row]) -> list[Run]:
    """Rows of the three tables as values, in the order of the runs; jobs in the order of their links and tasks."""
    links: dict[str, list[Job]] = {}
    for job in jobs_of(jobs, allocations):
        links.setdefault(job.run, []).append(job)
    return [run_of(row, tuple(links.get(row["run"], ()))) for row in runs]


def jobs_of(jobs: Sequence[sqlite3.Row], allocations: Sequence[sqlite3.Row]) -> list[Job]:
    """Rows of jobs and tasks, and of their allocations, as jobs in the same order."""
    held: dict[tuple[str, int, int], list[Allocation]] = {}
    for row in allocations:
        held.setdefault((row["run"], row["link"], row["task"]), []).append(allocation_of(row))
    tasks: dict[tuple[str, int], list[Job]] = {}
    whole: list[sqlite3.Row] = []
    for row in jobs:
        run, link, task = row["run"], row["link"], row["task"]
        if task == WHOLE_JOB:
            whole.append(row)
        else:
            tasks.setdefault((run, link), []).append(job_of(row, tuple(held.get((run, link, task), ()))))
    found: list[Job] = []
    for row in whole:
        run, link = row["run"], row["link"]
        own = held.get((run, link, WHOLE_JOB), ())
        found.append(job_of(row, tuple(own), tuple(tasks.get((run, link), ()))))
    return found


def run_of(row: sqlite3.Row, jobs: tuple[Job, ...]) -> Run:
    """A row of ``runs`` as a value; its columns in the order of ``run_row``, because their names cost time."""
    run, name, key, cluster, created_at, plan_hash, outcome, detail, script, spec, code = row
    return Run(
        run=run,
        name=name,
        key=key,
        cluster=cluster,
        created_at=moment(created_at),
        plan_hash=plan_hash,
        outcome=outcome,
        script=script,
        spec=spec,
        code=None if code is None else _code(code),
        detail=detail,
        jobs=jobs,
    )


@lru_cache(maxsize=1024)
def _code(kept: str) -> Code:
    """A snapshot; the runs of a sweep have the same one."""
    try:
        values = json.loads(kept)
        return Code(**(values | {"untracked": tuple(values["untracked"])}))
    except (KeyError, TypeError, ValueError):
        raise sqlite3.DataError(f"malformed code {kept[:100]!r}") from None


def job_of(row: sqlite3.Row, allocations: tuple[Allocation, ...], tasks: tuple[Job, ...] = ()) -> Job:
    """A row of ``jobs`` as a value; its columns in the order of ``job_rows``, because their names cost time."""
    (run, link, task, _, job_id, submitted, state, reason, source, observed_at, start_time, end_time, nodes, gpus,
     code, signal, missing_since, expected_start, seen_there, resubmitted, runaway, array, seen_row,
     chain) = row  # fmt: skip
    return Job(
        run=run,
        link=link,
        job_id=job_id,
        submitted=moment(submitted),
        state=state,
        reason=reason,
        source=source,
        observed_at=time(observed_at),
        start_time=time(start_time),
        end_time=time(end_time),
        nodes=nodes,
        gpus=gpus,
        exit_code=_exit_code(code, signal),
        missing_since=time(missing_since),
        allocations=allocations,
        expected_start=time(expected_start),
        seen_there=time(seen_there),
        resubmitted=time(resubmitted),
        runaway=bool(runaway),
        array=array,
        array_task=None if task == WHOLE_JOB else task,
        tasks=tasks,
        chain=bool(chain),
        seen_row=seen_row,
    )


def allocation_of(row: sqlite3.Row) -> Allocation:
    """A row of ``allocations`` as a value."""
    return Allocation(
        state=row["state"],
        submit=time(row["submit"]),
        start=time(row["start"]),
        end=time(row["end"]),
        elapsed=row["elapsed"],
        nodes=row["nodes"],
        gpus=row["gpus"],
        nodelist=row["nodelist"],
        partition=row["partition"],
        exit_code=_exit_code(row["exit_code"], row["exit_signal"]),
    )
