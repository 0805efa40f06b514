"""How a job changes: pure functions from a job to the job that it becomes.

Where a period of the accounts ends and the job goes on, the second value is the period's record, else None.
"""

from collections.abc import Collection
from dataclasses import replace

from trainsub.minislurm.values import Array, Job, Process, Record, Share

PENDING = "PENDING"
REQUEUED = "REQUEUED"
HOLD = "hold"
"""``Job.stop_requeue`` of a job that is queued again, but held."""
AGAIN = "yes"
"""``Job.stop_requeue`` of a job that is queued again."""


class ChangeError(Exception):
    """The job is in no state for that; the message is Slurm's."""


def hold(job: Job) -> Job:
    """Keep a job from starting; one that runs goes on, and waits held should it be queued again.

    Raises:
        ChangeError: It has ended.
    """
    _not_ended(job)
    return replace(job, held="user", reason="JobHeldUser", eligible=job.eligible if job.running else None)


def release(job: Job) -> Job:
    """Let a held job start.

    Raises:
        ChangeError: It has ended.
    """
    _not_ended(job)
    return replace(job, held="", reason="None") if job.held else job


def requeue(job: Job, now: int, delay: int, *, held: bool = False) -> tuple[Job, Record | None]:
    """Queue a job again that runs or has ended, at the user's wish; one that runs is stopped first.

    Args:
        job: The job.
        now: Now.
        delay: ``Conf.requeue_delay``.
        held: It shall wait for a release.

    Raises:
        ChangeError: It may not be requeued, or waits already.
    """
    if not job.request.requeue:
        raise ChangeError("Requested operation is presently disabled")
    if job.state == PENDING:
        raise ChangeError("Job is pending execution")
    if not job.ended:
        return stop(job, now, REQUEUED, again=HOLD if held else AGAIN), None
    return _queued(job, now, delay, held=held), job.record()


def _not_ended(job: Job) -> None:
    if job.ended:
        raise ChangeError("Job has already finished")


def stop(job: Job, now: int, state: str, *, by: int | None = None, again: str = "") -> Job:
    """Begin to end a running job: its processes are still to be killed, ``end`` tells when they are gone.

    Args:
        job: The job.
        now: Now; what was first to stop it counts.
        state: ``CANCELLED``, ``TIMEOUT``, ``NODE_FAIL``, ``REQUEUED``…
        by: Who cancelled it.
        again: ``AGAIN`` or ``HOLD``.
    """
    if job.stop:
        # A user who cancels what is about to be queued again means it.
        return (
            replace(job, stop=state, stop_by=by, stop_requeue="") if state == "CANCELLED" and job.stop_requeue else job
        )
    return replace(job, state="COMPLETING", stop=state, stop_by=by, stop_requeue=again, end=now)


def cancel(job: Job, now: int, by: int) -> Job:
    """Cancel a job that has not ended: at once if it waits.

    Raises:
        ChangeError: It has ended.
    """
    if job.ended:
        raise ChangeError("Job/step already completing or completed")
    if job.state == PENDING:
        return give_up(job, now, "CANCELLED", by=by)
    return stop(job, now, "CANCELLED", by=by)


def cancel_tasks(job: Job, tasks: Collection[int], now: int, by: int) -> Job:
    """Cancel some tasks of an array's row one by one: nothing but the row without them is left of them, as in Slurm."""
    array = job.array
    if array is None or not tasks:
        return job
    rest = tuple(one for one in array.pending if one not in tasks)
    if rest:
        return replace(job, array=replace(array, pending=rest))
    return give_up(replace(job, array=replace(array, pending=(), cancelled=array.pending)), now, "CANCELLED", by=by)


def give_up(job: Job, now: int, state: str, *, reason: str | None = None, by: int | None = None) -> Job:
    """End a job that waits, and never will run; its reason stays if none is given."""
    return replace(job, state=state, reason=job.reason if reason is None else reason, start=now, end=now, stop_by=by)


def start(job: Job, now: int, shares: tuple[Share, ...], mark: str) -> Job:
    """Give a waiting job its nodes; its stepd is not there yet."""
    eligible = now if job.eligible is None else job.eligible
    return replace(
        job,
        state="RUNNING",
        reason="None",
        eligible=eligible,
        start=now,
        end=None,
        shares=shares,
        mark=mark,
        stepd=None,
    )


def claim(job: Job, mark: str, stepd: Process) -> Job | None:
    """Let a stepd have the job that it was started for; None if that is no longer wanted of it."""
    if not job.running or job.mark != mark or job.stepd is not None:
        return None
    return replace(job, stepd=stepd)


def end(job: Job, now: int, code: int, signal: int, delay: int) -> tuple[Job, Record | None]:
    """End a running job whose processes are gone.

    Args:
        job: The job.
        now: Now.
        code: Exit code of the batch script.
        signal: Signal that ended it, or 0.
        delay: ``Conf.requeue_delay``.
    """
    ended = replace(
        job,
        state=job.stop,
        end=now if job.end is None else job.end,
        exit_code=code,
        exit_signal=signal,
        stepd=None,
        stop="",
        stop_requeue="",
    )
    if job.stop_requeue:
        return _queued(ended, now, delay, held=job.stop_requeue == HOLD), ended.record()
    if job.stop:
        return replace(ended, reason="TimeLimit" if job.stop == "TIMEOUT" else job.reason), None
    state, reason = _verdict(code, signal)
    return replace(ended, state=state, reason=reason), None


def node_failed(job: Job, now: int, delay: int) -> tuple[Job, Record | None]:
    """End a job whose stepd died; its processes are gone, too. Slurm queues it again if it may."""
    if not job.stop:
        again = AGAIN if job.request.requeue else ""
        job = replace(stop(job, now, "NODE_FAIL", again=again), reason="NodeDown")
    return end(job, now, 0, 0, delay)


def launch_failed(job: Job, now: int, delay: int) -> tuple[Job, Record]:
    """Queue a job again, held, that could not even be started."""
    ended = replace(job, state=REQUEUED, end=now, stepd=None)
    return replace(_queued(ended, now, delay, held=True), reason="launch failed requeued held"), ended.record()


def split(job: Job, task: int, new_id: int) -> tuple[Job, Job | None]:
    """Take one task out of the row of an array.

    Args:
        job: The row.
        task: Index of the task.
        new_id: An id that no job has; not used for the last task, which keeps the array's own.

    Returns:
        The task as a job, and the row without it, None when it was the last.
    """
    array = job.array
    if array is None or task not in array.pending:
        raise ValueError(f"job {job.job_id} has no task {task} that waits in a row")
    rest = tuple(one for one in array.pending if one != task)
    alone = replace(array, task=task, pending=())
    if not rest:
        return replace(job, array=alone), None
    return replace(job, job_id=new_id, array=alone), replace(job, array=replace(array, pending=rest))


def resize(job: Job, nodes: Collection[str], now: int) -> tuple[Job, Record]:
    """Give nodes of a running job back.

    Args:
        job: The job.
        nodes: Those that it keeps.
        now: Now.

    Raises:
        ChangeError: They are not its own, or its first one is missing.
    """
    if job.state != "RUNNING":
        raise ChangeError("Job is not running")
    kept = tuple(share for share in job.shares if share.node in nodes)
    if len(kept) != len(set(nodes)) or kept[0] != job.shares[0]:
        raise ChangeError("Invalid node name specified")
    record = replace(job.record(), state="RESIZING", end=now)
    return replace(job, shares=kept, resized=now), record


def whole(array: Array | None) -> bool:
    """Whether a job's row stands for tasks that have not started."""
    return array is not None and array.task is None


def _verdict(code: int, signal: int) -> tuple[str, str]:
    if signal:
        return "FAILED", f"RaisedSignal:{signal}({signal_words(signal)})"
    return ("FAILED", "NonZeroExitCode") if code else ("COMPLETED", "None")


def signal_words(number: int) -> str:
    """Return what the C library calls a signal."""
    import signal  # noqa: PLC0415  # only for jobs that die of one

    return signal.strsignal(number) or f"Unknown signal {number}"


def _queued(job: Job, now: int, delay: int, *, held: bool) -> Job:
    """Return the job as it waits for its next start."""
    return replace(
        job,
        state=PENDING,
        reason=_why_queued(job, held=held),
        held="user" if held else job.held,
        submit=now,
        eligible=now + delay,
        start=None,
        end=None,
        not_before=now + delay,
        restarts=job.restarts + 1,
        shares=(),
        exit_code=0,
        exit_signal=0,
        stepd=None,
        mark="",
        stop="",
        stop_by=None,
        stop_requeue="",
        resized=None,
    )


def _why_queued(job: Job, *, held: bool) -> str:
    if held:
        return "job requeued in held state"
    return "JobHeldUser" if job.held else "BeginTime"
