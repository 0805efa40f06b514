"""What a submission is told as: the run, or the error that its outcome stands for. Pure."""

from trainsub.errors import RefusedError, StoreError, TransportError, UnsettledError
from trainsub.plan import Plan
from trainsub.remote import SubmitReply
from trainsub.slurm.refusals import explain
from trainsub.tracker.values import ACCEPTED, REFUSED, UNKNOWN, VOID, Job, Run


def told(plan: Plan, reply: SubmitReply, run: Run) -> Run:
    """The run, if it was accepted.

    Args:
        plan: What was submitted.
        reply: What the cluster said to it.
        run: What became of it.

    Raises:
        RefusedError: The cluster said no.
        TransportError: The answer was lost, and the run given up.
        UnsettledError: It is not known.
    """
    if run.outcome == ACCEPTED:
        return run
    if run.outcome == REFUSED:
        raise _refused(plan, reply, run)
    if run.outcome == VOID and reply.outcome == UNKNOWN:
        raise TransportError(
            f"{reply.detail}: run {run.run} was given up; no job was accepted, and none will train",
            hint="Submit it again: that is another run.",
        )
    if run.outcome == VOID:
        raise RefusedError(
            f"run {plan.run} was given up on cluster {plan.cluster}: {reply.detail}",
            hint="Another command settled it before it arrived. Nothing was submitted; submit it again.",
        )
    raise unsettled(run)


def _refused(plan: Plan, reply: SubmitReply, run: Run) -> RefusedError:
    """The cluster's words, the field of the spec that they are about, and what to do."""
    text = (reply.text or run.detail or "").strip()
    if not reply.called:
        return RefusedError(
            f"cluster {plan.cluster} refused another submission of run {plan.run}: {text}",
            hint="Nothing was submitted. What is left of that one goes in ten minutes; submit it again then.",
        )
    about = explain(text, plan.sources)
    hint = about.hint if about else "Nothing was submitted. Change the spec and submit again."
    where = f" ({about.field})" if about and about.field else ""
    return RefusedError(f"cluster {plan.cluster} refused run {plan.run}{where}: {text}", hint=hint)


def unsettled(run: Run) -> UnsettledError:
    """It is not known whether there is a job."""
    why = f": {run.detail}" if run.detail else ""
    return UnsettledError(
        f"it is not known yet whether cluster {run.cluster} accepted run {run.run}{why}",
        hint=f"`trainsub status {run.run}` settles it. Do not submit it under another name meanwhile.",
    )


def unrecorded(plan: Plan, job: Job, error: StoreError) -> StoreError:
    """A job was accepted, and the store cannot be written: its id must not be lost."""
    return StoreError(
        f"job {job.job_id} on {plan.cluster} was accepted as run {job.run}, but not recorded: {error.message}",
        hint=f"The next command records it. {error.hint or ''}".strip(),
    )


def other_plan(plan: Plan, run: Run) -> str:
    """Say that a run is not what was to be submitted now, where that is known.

    The plan's hash alone does not tell: another version of trainsub may render another script.
    """
    if run.plan_hash in {"", plan.plan_hash} or not run.spec:
        return ""
    ours, theirs = plan.code, run.code
    other_code = ours is not None and theirs is not None and ours.sha256 != theirs.sha256
    return ", with another spec or other code" if run.spec != plan.spec.to_toml() or other_code else ""
