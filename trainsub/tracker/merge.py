"""What this machine knows of a run, and what the run's directory on the cluster says of it: one run. Pure.

Nothing that is known is ever replaced by less. The cluster decides what became of a submission, this machine keeps what
only it can know.
"""

from dataclasses import replace
from datetime import datetime

from trainsub.tracker.begin import first_job
from trainsub.tracker.values import ACCEPTED, OPEN, REFUSED, UNKNOWN, VOID, Job, Run


def merge(known: Run, found: Run) -> Run:
    """The run as it is known afterwards; the same value where the cluster tells nothing new.

    Args:
        known: As this machine knows it.
        found: As its directory on the same cluster says.
    """
    if known.outcome == ACCEPTED:
        return _filled(known, found) if found.outcome == ACCEPTED else known
    if found.outcome == ACCEPTED:
        # A run of that key was accepted, perhaps from another machine and with another plan: that one is the run.
        return _adopted(known, found)
    if known.outcome in {OPEN, UNKNOWN} and found.outcome == VOID:
        return replace(known, outcome=VOID, detail=found.detail)
    if known.outcome == REFUSED and found.outcome == OPEN:
        return _adopted(known, found)  # the same key was submitted once more, from another machine
    return known


def contradiction(known: Run, found: Run) -> str:
    """Say where the two cannot both be true; nothing if they can."""
    ours = {job.link: job.job_id for job in known.jobs}
    if known.outcome == ACCEPTED and found.outcome == VOID:
        return f"this machine knows it as job {ours.get(1, '?')}, and its directory says that it was given up"
    for job in found.jobs:
        if ours.get(job.link, job.job_id) != job.job_id:
            return f"this machine knows it as job {ours[job.link]}, and its directory says job {job.job_id}"
    return ""


def _adopted(known: Run, found: Run) -> Run:
    """The run that was found, where all of it could be read: else what is known of its key stands in for the rest."""
    if found.plan_hash and found.spec and found.script:
        return found
    return _filled(replace(known, outcome=found.outcome, detail=None), found)


def _submitted(job: Job, at: datetime) -> Job:
    """The job, with its tasks, submitted at a time."""
    if job.submitted == at:
        return job
    return replace(job, submitted=at, tasks=tuple(replace(task, submitted=at) for task in job.tasks))


def _filled(known: Run, found: Run) -> Run:
    """What is known, with what was not."""
    jobs = _jobs(known, found)
    created_at = known.created_at
    if found.plan_hash and found.created_at != created_at:
        # It was taken for submitted when it was found here: only the submission itself knew when that was.
        created_at = found.created_at
        begun = {job.link: job.submitted for job in found.jobs}
        jobs = [_submitted(job, min(job.submitted, begun.get(job.link, job.submitted))) for job in jobs]
    return replace(
        known,
        created_at=created_at,
        key=known.key or found.key,
        plan_hash=known.plan_hash or found.plan_hash,
        script=known.script or found.script,
        spec=known.spec or found.spec,
        code=known.code or found.code,
        jobs=tuple(sorted(jobs, key=lambda job: job.link)),
    )


def _jobs(known: Run, found: Run) -> list[Job]:
    """The jobs that are known, and those that were not.

    Where the directory told neither spec nor script, it does not tell either whether a job is an array: the spec that
    is known does, unless another plan was submitted.
    """
    told = found.spec or found.script or found.plan_hash not in {"", known.plan_hash}
    jobs = {job.link: job for job in known.jobs}
    for job in found.jobs:
        ours = jobs.get(job.link)
        if ours is None:
            jobs[job.link] = job if told else first_job(known, job.job_id, job.submitted, link=job.link)
        elif ours.array is None and job.array is not None:
            # What was said of it as a plain job was said of one of its tasks.
            jobs[job.link] = _submitted(job, min(ours.submitted, job.submitted))
    return list(jobs.values())
