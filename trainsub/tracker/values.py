"""What is known of a run: values only. Pure; the store keeps them, the documents print them."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter

from trainsub.slurm.values import ExitCode

LINK = 1
"""The number of a run's first job."""
OPEN = "open"
"""The intent is recorded; nothing is known of its outcome."""
ACCEPTED = "accepted"
"""sbatch gave a job id."""
REFUSED = "refused"
"""sbatch, or the cluster's file system, said no."""
VOID = "void"
"""Nothing was accepted, and the fence makes sure that nothing will be."""
UNKNOWN = "unknown"
"""Sent, and no answer came back: to be settled."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """One period in which a job held nodes: one record of ``sacct -D``.

    Attributes:
        state: Slurm's word, as printed.
        submit: When this record was submitted; a requeue makes a new one.
        start: None while it has not started (such a record costs nothing).
        end: None while it lasts.
        elapsed: Seconds, suspended time left out (``Elapsed``).
        nodes: Number of nodes held.
        gpus: GPUs held, from ``AllocTRES``; None where Slurm does not record them.
        nodelist: Slurm's hostlist.
        partition: Where it ran; prices differ by it.
        exit_code: None while it lasts.
    """

    state: str
    submit: datetime | None
    start: datetime | None
    end: datetime | None
    elapsed: int
    nodes: int
    gpus: int | None
    nodelist: str
    partition: str
    exit_code: ExitCode | None


@dataclass(frozen=True, slots=True)
class Job:
    """One answer of sbatch, and the newest that is known of it.

    Attributes:
        run: Run id.
        link: Number in its run, from 1.
        job_id: Slurm's id; reused by Slurm, so only together with cluster and ``submitted``.
        submitted: First submit time seen (client's clock until Slurm's own is known); a requeue does not change it.
        state: Slurm's word or None when nothing is known yet.
        reason: Slurm's reason, verbatim.
        source: squeue | sacct | record, or store for what was concluded here from their silence; None when never
            observed.
        observed_at: When the source said so.
        start_time: Start of the newest allocation.
        end_time: End, once finished.
        nodes: Nodes asked or held.
        gpus: GPUs asked or held; None if unknown.
        exit_code: Once finished.
        missing_since: Since when squeue, which answered, does not show it, and neither sacct, which answered too, nor
            the run's own record tells an end of it; None while one does.
        allocations: Oldest first; those of an array are its tasks'.
        expected_start: When Slurm expects a waiting job to start; None where it does not say, or says what is absurd.
        seen_there: The cluster's own clock when squeue last showed the job alive.
        resubmitted: When squeue says that the job was requeued last; None if it never was.
        runaway: Slurm's accounts call it running long after squeue, which answers, has stopped showing it.
        array: The indices as they were asked for, ``0-9%2``; None if it is no array.
        array_task: The index, of a task; None for a job.
        tasks: Of an array, one job for each index, in order. A task that Slurm has given no id of its own yet has the
            array's.
        chain: Its tasks are links, one after the other, of one training.
        seen_row: Mark of the row of squeue that told what is known now, so that the same row need not be read again;
            None where something else told it.
    """

    run: str
    link: int
    job_id: int
    submitted: datetime
    state: str | None = None
    reason: str | None = None
    source: str | None = None
    observed_at: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    nodes: int | None = None
    gpus: int | None = None
    exit_code: ExitCode | None = None
    missing_since: datetime | None = None
    allocations: tuple[Allocation, ...] = ()
    expected_start: datetime | None = None
    seen_there: datetime | None = None
    resubmitted: datetime | None = None
    runaway: bool = False
    array: str | None = None
    array_task: int | None = None
    tasks: tuple["Job", ...] = ()
    chain: bool = False
    seen_row: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Code:
    """The snapshot that a run works in.

    Attributes:
        sha256: Of the archive.
        size: Of the archive, bytes.
        files: Files inside.
        commit: HEAD's hash, or None outside git.
        dirty: Whether tracked files differed from it; None outside git.
        untracked: Paths that git does not track and that travelled too.
    """

    sha256: str
    size: int
    files: int
    commit: str | None = None
    dirty: bool | None = None
    untracked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """What the user wants trained, once.

    Attributes:
        run: Run id, name plus hash of the key.
        key: What makes two submissions the same.
        plan_hash: Hash of all that would be sent; an open intent with the same one is not sent twice.
        outcome: OPEN, ACCEPTED, REFUSED, VOID or UNKNOWN.
        detail: The cluster's words on a refusal.
        script: As sent.
        spec: The resolved spec, TOML or JSON text, as sent.
        user_spec: Path of the spec file on the submitting machine.
    """

    run: str
    name: str
    key: str
    cluster: str
    created_at: datetime
    plan_hash: str
    outcome: str
    script: str
    spec: str
    code: Code | None = None
    detail: str | None = None
    jobs: tuple[Job, ...] = field(default=())


_JOB = tuple(one.name for one in fields(Job))
_job_values = attrgetter(*_JOB)
_OBSERVED_AT, _SEEN_THERE = _JOB.index("observed_at"), _JOB.index("seen_there")


def seen_again(job: Job, at: datetime, there: datetime | None) -> Job:
    """The same job, seen as it was; thousands of them in half the time that ``replace`` takes."""
    values = list(_job_values(job))
    values[_OBSERVED_AT], values[_SEEN_THERE] = at, there
    return Job(*values)


_RUN = tuple(one.name for one in fields(Run))
_run_values = attrgetter(*_RUN)
_JOBS = _RUN.index("jobs")


def with_jobs(run: Run, jobs: tuple[Job, ...]) -> Run:
    """The same run with these jobs, likewise."""
    values = list(_run_values(run))
    values[_JOBS] = jobs
    return Run(*values)
