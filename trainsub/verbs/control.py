"""Hold, release and requeue runs: orders to jobs that are to go on later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trainsub import orders, poller
from trainsub.scheduler import Scheduler
from trainsub.session import Session
from trainsub.slurm import reasons, scontrol, states
from trainsub.store import Event
from trainsub.tracker.begin import has_secrets
from trainsub.tracker.track import finished
from trainsub.tracker.values import Job, Run

_DONE = {"hold": "held", "release": "released", "requeue": "requeued"}


@dataclass(frozen=True, slots=True)
class Controlled:
    """What became of an order.

    Attributes:
        run: The run as it is known afterwards.
        words: What the order did, and what follows from it.
    """

    run: Run
    words: str


def control(session: Session, order: scontrol.Order, texts: Sequence[str]) -> list[Controlled]:
    """Hold, release or requeue the newest job of runs.

    Args:
        session: What to work with.
        order: Which of them.
        texts: RUNs.

    Raises:
        RefusedError: Slurm refused one, or does not show its job; the others were told.
        UnsettledError: It is not known whether a run has a job; the others were told.
        TransportError: A cluster could not be talked to; those on others were told.
    """
    words: dict[str, str] = {}

    def give(cluster: str, runs: list[Run]) -> list[str]:
        jobs = [run.jobs[-1] for run in runs if run.jobs]
        refused = [f"run {run.run} has no job: nothing was accepted" for run in runs if not run.jobs]
        return refused + (_order_jobs(session, cluster, order, jobs, words) if jobs else [])

    return [Controlled(run, words.get(run.run, "")) for run in orders.give(session, texts, give)]


def _order_jobs(
    session: Session, cluster: str, order: scontrol.Order, jobs: Sequence[Job], words: dict[str, str]
) -> list[str]:
    """Look, give the order, look again; what was refused, and why."""
    asked = session.clock.now()
    root = session.cluster(cluster).remote_root
    with poller.conversation(session, cluster, order) as (_, scheduler):
        poller.update(session, cluster, scheduler, root=root, jobs=jobs)
        before = orders.known(session, jobs)
        whys = [(job, _out_of_reach(order, job, asked) or _without_secrets(session, order, job)) for job in before]
        refused = [why for _, why in whys if why]
        reached = [job for job, why in whys if not why]
        told = []
        for job, answer in zip(reached, scheduler.order(order, reached), strict=True):
            if answer.taken:
                session.store.note(Event(job.run, job.link, session.clock.now(), f"{order} ordered", "trainsub"))
                told.append((job, answer))
            else:
                refused.append(f"job {job.job_id} of run {job.run} was not {_DONE[order]}: {_complaint(job, answer)}")
        after = _watch(session, cluster, scheduler, root, order, [job for job, _ in told])
    for (job, answer), now in zip(told, after, strict=True):
        but = f"; but {_complaint(job, answer)}" if answer.complaint else ""
        words[job.run] = _WORDS[order](job, now) + but
    return refused


def _out_of_reach(order: scontrol.Order, job: Job, asked: datetime) -> str:
    """Why an order cannot be given; empty if it can."""
    which = f"job {job.job_id} of run {job.run}"
    if finished(job) and order != "requeue":
        return f"{which} has ended ({job.state}): there is nothing to {order}"
    if orders.shown(job, asked):
        return ""
    if finished(job):
        return f"{which} has ended ({job.state}), and Slurm has forgotten it: submit it again"
    return f"{which} was not {_DONE[order]}: squeue does not show it, and its id may be another job's by now"


def _without_secrets(session: Session, order: scontrol.Order, job: Job) -> str:
    """Why a job that has ended cannot begin again: what it needs went with its end."""
    run = session.store.run(job.run) if order == "requeue" and finished(job) else None
    if run is None or not has_secrets(run):
        return ""
    return f"job {job.job_id} of run {job.run} has ended ({job.state}), and its secrets are gone: submit it again"


def _complaint(job: Job, answer: scontrol.Ordered) -> str:
    """What Slurm did not carry out, in its words, and what they mean."""
    means = scontrol.meaning(answer.complaint, by_administrator=job.reason == reasons.BY_ADMINISTRATOR)
    return f"{answer.complaint} ({means})" if means else answer.complaint


def _watch(
    session: Session, cluster: str, scheduler: Scheduler, root: str, order: scontrol.Order, told: Sequence[Job]
) -> list[Job]:
    """The jobs as Slurm shows them once it has carried out the order, or after some looks."""
    after = list(told)
    for look in range(orders.LOOKS if told else 0):
        if look:
            session.clock.sleep(look)
        poller.update(session, cluster, scheduler, root=root, jobs=told)
        after = orders.known(session, told)
        if all(_taken(order, one, now) for one, now in zip(told, after, strict=True)):
            break
    return after


def _taken(order: scontrol.Order, before: Job, now: Job) -> bool:
    """Whether what Slurm shows is what was ordered."""
    if order == "requeue":
        return _requeued(before, now)
    live = [one for one in _parts(now) if not finished(one)]
    return all(reasons.is_held(one.reason or "") == (order == "hold") for one in live)


def _requeued(before: Job, now: Job) -> bool:
    """Whether it waits, or has started anew since."""
    phase = states.phase(now.state)
    again = now.start_time is not None and before.start_time is not None and now.start_time > before.start_time
    leaves = states.base_word(now.state or "") == "COMPLETING"
    return phase == "pending" or (phase == "running" and again and not leaves)


def _parts(job: Job) -> tuple[Job, ...]:
    """The tasks of an array, or the job."""
    return job.tasks or (job,)


def _of_hold(_before: Job, now: Job) -> str:
    if not _taken("hold", now, now):
        return f"job {now.job_id} was told to wait, and Slurm still shows it as {_shown(now)}"
    if any(states.phase(one.state) == "pending" for one in _parts(now)) and states.phase(now.state) == "running":
        return f"the tasks of job {now.job_id} that run go on, and are billed; those that wait are held"
    if states.phase(now.state) == "running":
        return (
            f"job {now.job_id} runs on, and is billed: a hold only keeps it from starting again; "
            f"`trainsub requeue {now.run}` stops it and leaves it held in the queue, `trainsub cancel` ends it"
        )
    if now.reason == reasons.BY_ADMINISTRATOR:
        return f"job {now.job_id} is held by an administrator, and only an administrator can release it"
    return f"job {now.job_id} is held; `trainsub release {now.run}` lets it go"


def _of_release(before: Job, now: Job) -> str:
    if not _taken("release", before, now):
        return f"job {now.job_id} was released, and Slurm still shows it as {_shown(now)}"
    held = any(reasons.is_held(one.reason or "") for one in _parts(before))
    return f"job {now.job_id} {'is released' if held else 'was not held'}"


def _of_requeue(before: Job, now: Job) -> str:
    if not _requeued(before, now):
        return f"job {now.job_id} was told to stop and to wait once more, and Slurm still shows it as {_shown(now)}"
    held = f"; it is held there: `trainsub release {now.run}` lets it go" if reasons.is_held(now.reason or "") else ""
    if finished(before):
        return f"job {now.job_id} had ended ({before.state}) and is to run once more, which is billed, too{held}"
    return (
        f"job {now.job_id} was stopped and is in the queue again: what it held until now is billed, what it did since "
        f"its last checkpoint, if it makes any, is lost{held}"
    )


def _shown(job: Job) -> str:
    return " ".join(filter(None, (job.state, job.reason)))


_WORDS = {"hold": _of_hold, "release": _of_release, "requeue": _of_requeue}
