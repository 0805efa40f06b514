"""Values to documents. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from trainsub.documents import models
from trainsub.slurm import reasons, refusals, states
from trainsub.slurm.reason_words import Meaning
from trainsub.slurm.values import ExitCode
from trainsub.tracker.values import ACCEPTED, REFUSED, VOID, Allocation, Code, Job, Run

GIVEN_UP = Meaning("given up: nothing was accepted, and nothing will be", "Submit it again: that is another run.")


def phase(run: Run) -> models.Phase:
    """Where a run stands, in one word."""
    if run.outcome in {REFUSED, VOID}:
        return "refused"
    if run.outcome != ACCEPTED or not run.jobs:
        return "unsettled"
    return job_phase(run.jobs[-1])


def job_phase(job: Job) -> models.Phase:
    """Where a job stands: pending from sbatch's answer on; one that Slurm no longer shows is unknown."""
    seen = "pending" if job.state is None else states.phase(job.state)
    if seen != "finished" and job.missing_since is not None:
        return "unknown"
    if seen == "pending":
        return "pending"
    if seen == "running":
        return "running"
    return "finished" if seen == "finished" else "unknown"


def meaning(run: Run) -> Meaning | None:
    """Why a run waits, or how it ended, in words; None where there is nothing to say beyond its state."""
    if run.outcome == VOID:
        return GIVEN_UP
    if run.outcome == REFUSED:
        about = refusals.explain(run.detail or "")
        return Meaning("the cluster refused it, and there is no job", about.hint if about else "")
    return job_meaning(run.jobs[-1]) if run.jobs else None


def job_meaning(job: Job) -> Meaning | None:
    """Why a job waits, or how it ended, in words."""
    return None if job.state is None or job.runaway else reasons.of_job(job_phase(job), job.reason or "")


def runs_document(
    runs: Iterable[Run], events: Mapping[str, Sequence[models.EventDocument]] = MappingProxyType({})
) -> models.RunsDocument:
    """What submit, status, wait, cancel, hold, release, requeue and retry tell.

    Args:
        runs: The runs.
        events: The history of those whose history is told.
    """
    return models.RunsDocument(schema=models.SCHEMA, runs=[run_document(run, events.get(run.run)) for run in runs])


def run_document(run: Run, events: Sequence[models.EventDocument] | None = None) -> models.RunDocument:
    """A run with the values of its newest link at the top."""
    job = run.jobs[-1] if run.jobs else None
    why = meaning(run)
    return models.RunDocument(
        run=run.run,
        name=run.name,
        cluster=run.cluster,
        phase=phase(run),
        state=job.state if job else None,
        reason=(job.reason if job else run.detail) or None,
        explanation=why.words if why else None,
        remedy=why.remedy.replace("RUN", run.run) or None if why else None,
        source=_source(job),
        observed_at=job.observed_at if job else None,
        job_id=job.job_id if job else None,
        submit_time=job.submitted if job else None,
        start_time=job.start_time if job else None,
        end_time=job.end_time if job else None,
        expected_start=job.expected_start if job else None,
        nodes=job.nodes if job else None,
        gpus=job.gpus if job else None,
        exit_code=_exit_code(job.exit_code) if job else None,
        code=code_document(run.code),
        jobs=[_job(one) for job in run.jobs for one in (job, *job.tasks)],
        events=None if events is None else list(events),
    )


def code_document(code: Code | None) -> models.CodeDocument | None:
    """The snapshot of a run."""
    if code is None:
        return None
    return models.CodeDocument(
        sha256=code.sha256,
        size=code.size,
        files=code.files,
        commit=code.commit,
        dirty=code.dirty,
        untracked=list(code.untracked),
    )


def _source(job: Job | None) -> models.Source | None:
    """The source's word; what a newer trainsub wrote and this one does not know counts as the store's."""
    if job is None or job.source is None:
        return None
    match job.source:
        case "squeue" | "sacct" | "pyslurm" | "record":
            return job.source
        case _:
            return "store"


def _exit_code(code: ExitCode | None) -> models.ExitCodeDocument | None:
    return None if code is None else models.ExitCodeDocument(code=code.code, signal=code.signal)


def _job(job: Job) -> models.JobDocument:
    why = job_meaning(job)
    return models.JobDocument(
        link=job.link,
        array_task=job.array_task,
        job_id=job.job_id,
        phase=job_phase(job),
        state=job.state,
        reason=job.reason or None,
        explanation=why.words if why else None,
        remedy=why.remedy.replace("RUN", job.run) or None if why else None,
        source=_source(job),
        observed_at=job.observed_at,
        submit_time=job.submitted,
        start_time=job.start_time,
        end_time=job.end_time,
        expected_start=job.expected_start,
        nodes=job.nodes,
        gpus=job.gpus,
        exit_code=_exit_code(job.exit_code),
        allocations=[_allocation(one) for one in job.allocations],
    )


def _allocation(one: Allocation) -> models.AllocationDocument:
    return models.AllocationDocument(
        state=one.state,
        start_time=one.start,
        end_time=one.end,
        elapsed=one.elapsed,
        nodes=one.nodes,
        gpus=one.gpus,
        nodelist=one.nodelist,
        partition=one.partition,
        exit_code=_exit_code(one.exit_code),
    )
