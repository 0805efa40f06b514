"""Train the tasks of an array again that failed: with the same script, the same code and the same indices."""

from trainsub import poller
from trainsub.errors import SpecError, UsageError
from trainsub.plan import Plan, repeat_plan
from trainsub.session import Session
from trainsub.tracker.failed import failed
from trainsub.tracker.track import finished


def plan_retry(session: Session, text: str) -> Plan | None:
    """Make the plan for the tasks of a run that failed.

    Args:
        session: What to work with.
        text: RUN.

    Returns:
        The plan; None where no task has failed.

    Raises:
        UsageError: The run is no array, or not all of its tasks have ended.
        SpecError: The run was made by another version, whose spec or script is not understood.
        TransportError: The cluster could not be reached.
    """
    (run,) = session.find([text])
    poller.catch_up(session, run.cluster)
    (run,) = session.find([text])
    job = run.jobs[-1] if run.jobs else None
    if job is None or job.array is None:
        raise UsageError(f"run {run.run} has no tasks that could be retried alone", hint="Submit it again.")
    if job.chain:
        raise UsageError(f"run {run.run} is a chain, whose links go on by themselves", hint="Submit it again.")
    if not finished(job):
        raise UsageError(
            f"tasks of run {run.run} are still on their way, or their end is not known",
            hint=f"`trainsub wait {run.run}` waits for them. Which of them fail is known then.",
        )
    indices = failed(job)
    if not indices:
        return None
    if not run.script or not run.spec:
        raise SpecError(
            f"the script of run {run.run} is not known here", hint=f"`trainsub sync {run.cluster}` gets it."
        )
    return repeat_plan(run, indices, session.cluster(run.cluster), archives=session.archives)
