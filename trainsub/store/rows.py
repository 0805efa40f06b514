"""Values of tracker/ to rows of the store and back."""

import json
import sqlite3
from dataclasses import asdict
from datetime import datetime

from trainsub.slurm.values import ExitCode
from trainsub.tracker.values import Allocation, Code, Job, Run


def text(time: datetime | None) -> str | None:
    """A time as it is stored: RFC 3339, UTC."""
    return None if time is None else time.isoformat()


def time(value: str | None) -> datetime | None:
    """A stored time."""
    return None if value is None else datetime.fromisoformat(value)


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


def job_row(job: Job, cluster: str) -> tuple[object, ...]:
    """A job as a row of ``jobs``."""
    return (job.run, job.link, cluster, job.job_id, text(job.submitted), job.state, job.reason, job.source,
            text(job.observed_at), text(job.start_time), text(job.end_time), job.nodes, job.gpus,
            *_exit(job.exit_code), text(job.missing_since))  # fmt: skip


def allocation_rows(job: Job) -> list[tuple[object, ...]]:
    """A job's allocations as rows of ``allocations``."""
    return [
        (job.run, job.link, number, one.state, text(one.submit), text(one.start), text(one.end), one.elapsed,
         one.nodes, one.gpus, one.nodelist, one.partition, *_exit(one.exit_code))
        for number, one in enumerate(job.allocations)
    ]  # fmt: skip


def run_of(row: sqlite3.Row, jobs: tuple[Job, ...]) -> Run:
    """A row of ``runs`` as a value."""
    code = None
    if row["code"] is not None:
        kept = json.loads(row["code"])
        code = Code(**(kept | {"untracked": tuple(kept["untracked"])}))
    return Run(
        run=row["run"],
        name=row["name"],
        key=row["key"],
        cluster=row["cluster"],
        created_at=datetime.fromisoformat(row["created_at"]),
        plan_hash=row["plan_hash"],
        outcome=row["outcome"],
        script=row["script"],
        spec=row["spec"],
        code=code,
        detail=row["detail"],
        jobs=jobs,
    )


def job_of(row: sqlite3.Row, allocations: tuple[Allocation, ...]) -> Job:
    """A row of ``jobs`` as a value."""
    return Job(
        run=row["run"],
        link=row["link"],
        job_id=row["job_id"],
        submitted=datetime.fromisoformat(row["submitted"]),
        state=row["state"],
        reason=row["reason"],
        source=row["source"],
        observed_at=time(row["observed_at"]),
        start_time=time(row["start_time"]),
        end_time=time(row["end_time"]),
        nodes=row["nodes"],
        gpus=row["gpus"],
        exit_code=_exit_code(row["exit_code"], row["exit_signal"]),
        missing_since=time(row["missing_since"]),
        allocations=allocations,
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
