"""Which waiting job starts where, and why the others wait. Pure.

First in, first out. A job that does not fit keeps the nodes that it could use from those behind it, so that its turn
comes; nothing is moved ahead of it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from trainsub.minislurm import lifecycle
from trainsub.minislurm.conf import Conf, Node
from trainsub.minislurm.values import Job, Request, Share

NEVER = "DependencyNeverSatisfied"

Wait = Callable[[Job], str]
"""Says of a job what its dependencies say: an empty text, ``Dependency`` or ``DependencyNeverSatisfied``."""


@dataclass(frozen=True, slots=True)
class Start:
    """A job that starts now.

    Attributes:
        job: The job, or the row of its array.
        task: Which task of the row.
        shares: What it gets.
    """

    job: Job
    task: int | None
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done now.

    Attributes:
        starts: In this order.
        changed: Jobs that wait for something else than before, or that ended because they never will run. An array's
            row may be here and have tasks that start, too: its change comes first.
    """

    starts: tuple[Start, ...]
    changed: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Free:
    """What a node has left.

    Attributes:
        node: The node.
        cpus: How many.
        gpus: Which.
    """

    node: Node
    cpus: int
    gpus: tuple[int, ...]


def plan(jobs: Iterable[Job], conf: Conf, now: int, wait: Wait) -> Plan:
    """Return what is to be done now.

    Args:
        jobs: All that have not ended.
        conf: The cluster.
        now: Now.
        wait: See ``Wait``.
    """
    jobs = sorted(jobs, key=lambda job: (job.request.nice, job.job_id))
    room = free(jobs, conf)
    taken: set[str] = set()
    running = _running_tasks(jobs)
    starts: list[Start] = []
    changed: list[Job] = []
    for job in jobs:
        if job.state != lifecycle.PENDING:
            continue
        after = _look(job, now, wait)
        if after.ended or after.reason not in {"None", "Resources", "Priority", "JobArrayTaskLimit"}:
            changed += [] if after == job else [after]
            continue
        reason = "None"
        for task in _tasks(job):
            if _own_wait(job, task, wait):
                reason = _own_wait(job, task, wait)
                continue
            reason = _room_for_task(job, running)
            if reason != "None":
                break
            shares = place(job.request, [one for one in room.values() if one.node.name not in taken])
            if shares is None:
                reason = "Priority" if taken else "Resources"
                taken |= _wanted(job.request, conf)
                break
            starts.append(Start(after, task, shares))
            running[job.array_job_id] = running.get(job.array_job_id, 0) + 1
            _take(room, shares)
        after = replace(after, reason=reason)
        changed += [] if after == job else [after]
    return Plan(tuple(starts), tuple(changed))


def free(jobs: Iterable[Job], conf: Conf) -> dict[str, Free]:
    """Return what running jobs leave of each node."""
    room = {node.name: Free(node, node.cpus, node.gpus) for node in conf.nodes}
    for job in jobs:
        if job.running:
            _take(room, job.shares)
    return room


def place(request: Request, room: Sequence[Free]) -> tuple[Share, ...] | None:
    """Return what a job gets of these nodes, or None if it does not fit. The first node is the batch host."""
    usable = [one for one in room if one.node.name not in request.exclude]
    named = [one for one in usable if one.node.name in request.nodelist]
    others = [one for one in usable if one.node.name not in request.nodelist and _most_tasks(request, one)]
    if len(named) < len(request.nodelist):
        return None
    more = max(0, request.nodes - len(named))
    roomiest = sorted(others, key=lambda one: -_most_tasks(request, one))
    return _fill(request, named + others[:more]) or _fill(request, named + roomiest[:more])


def _fill(request: Request, chosen: Sequence[Free]) -> tuple[Share, ...] | None:
    order = sorted(chosen, key=lambda one: not one.node.first)
    if len(order) < request.nodes or not order[0].node.first:
        return None
    tasks = task_counts(request, [_most_tasks(request, one) for one in order])
    return tuple(_share(request, one, number) for one, number in zip(order, tasks, strict=True)) if tasks else None


def fits(request: Request, conf: Conf) -> bool:
    """Whether the cluster could run the job if it were empty."""
    return place(request, list(free((), conf).values())) is not None


def estimate(request: Request, jobs: Iterable[Job], conf: Conf, now: int) -> tuple[int, tuple[Share, ...]] | None:
    """Return when and where a new job would start if running jobs use all of their time, or None: never.

    Jobs that wait are taken to start before it only as far as they keep their place: after all that runs has ended.
    """
    jobs = list(jobs)
    waits = any(job.state == lifecycle.PENDING for job in jobs)
    ends = sorted((max(now, (job.start or now) + _limit(job, conf)), job.job_id) for job in jobs if job.running)
    moments = [] if waits else [now]
    for moment in [*moments, *(when for when, _ in ends)]:
        still = [job for job in jobs if job.running and max(now, (job.start or now) + _limit(job, conf)) > moment]
        shares = place(request, list(free(still, conf).values()))
        if shares is not None and (moment > now or not waits):
            return max(moment, request.begin or 0), shares
    shares = place(request, list(free((), conf).values()))
    return None if shares is None else (max(now, request.begin or 0), shares)


def task_counts(request: Request, room: Sequence[int]) -> tuple[int, ...]:
    """Return how many tasks each of a job's nodes gets, nothing if they do not fit.

    Args:
        request: What the job asks for.
        room: How many tasks each node could hold.
    """
    per_node = request.ntasks_per_node
    if per_node is not None and request.ntasks <= len(room) * per_node:
        room = [min(one, per_node) for one in room]
    fixed = per_node is not None and not request.ntasks_given
    left = per_node * len(room) if per_node is not None and fixed else max(request.ntasks, len(room))
    counts: list[int] = []
    for index, most in enumerate(room):
        # The first ones get all that they can hold but one for each of the rest.
        counts.append(min(most, left - (len(room) - index - 1)))
        left -= counts[-1]
    return tuple(counts) if left == 0 and min(counts) > 0 else ()


def _look(job: Job, now: int, wait: Wait) -> Job:
    """Return the job with what it waits for, resources aside, or ended if it never will run."""
    request = job.request
    if request.deadline is not None and now + (request.time_limit or 60) > request.deadline:
        return lifecycle.give_up(job, now, "DEADLINE", reason="DeadLine")
    if job.held:
        later = job.not_before if job.not_before is not None and now < job.not_before else None
        return replace(job, reason=job.reason if "held" in job.reason.lower() else "JobHeldUser", eligible=later)
    if job.not_before is not None and now < job.not_before:
        return replace(job, reason="BeginTime", eligible=job.not_before)
    verdicts = [_own_wait(job, task, wait) for task in _tasks(job)] if _task_by_task(job) else [wait(job)]
    waits = "" if "" in verdicts else verdicts[0]
    if waits == NEVER and request.kill_on_invalid_dependency:
        return lifecycle.give_up(job, now, "CANCELLED", reason=NEVER)
    if waits:
        return replace(job, reason=waits, eligible=None)
    eligible = max(job.submit, job.not_before or 0) if job.reason in {"None", "BeginTime"} else now
    return replace(job, reason="None", eligible=eligible if job.eligible is None else job.eligible)


def _task_by_task(job: Job) -> bool:
    """Whether the tasks of an array's row wait for different things."""
    return lifecycle.whole(job.array) and "aftercorr" in job.request.dependency.lower()


def _own_wait(job: Job, task: int | None, wait: Wait) -> str:
    """Return what the dependencies say of one task, where they say different things of each."""
    if not _task_by_task(job) or job.array is None:
        return ""
    return wait(replace(job, array=replace(job.array, task=task, pending=())))


def _tasks(job: Job) -> tuple[int | None, ...]:
    return job.array.pending if job.array is not None and job.array.task is None else (None,)


def _running_tasks(jobs: Iterable[Job]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for job in jobs:
        if job.running:
            counts[job.array_job_id] = counts.get(job.array_job_id, 0) + 1
    return counts


def _room_for_task(job: Job, running: dict[int, int]) -> str:
    limited = job.array is not None and job.array.limit and running.get(job.array_job_id, 0) >= job.array.limit
    return "JobArrayTaskLimit" if limited else "None"


def _wanted(request: Request, conf: Conf) -> set[str]:
    if len(request.nodelist) >= request.nodes:
        return set(request.nodelist)
    return {node.name for node in conf.nodes} - set(request.exclude)


def _most_tasks(request: Request, room: Free) -> int:
    """Return how many of a job's tasks a node could hold now."""
    node = room.node
    whole = room.cpus == node.cpus and len(room.gpus) == len(node.gpus)
    if (
        (request.memory or 0) > node.memory
        or request.gpus_per_node > len(room.gpus)
        or _cpus_for_gpus(request) > room.cpus
        or (request.exclusive and not whole)
    ):
        return 0
    return room.cpus // (request.cpus_per_task or 1)


def _share(request: Request, room: Free, tasks: int) -> Share:
    """Return what a job gets of one node."""
    node = room.node
    if request.exclusive:
        return Share(node.name, node.cpus, node.gpus)
    cpus = max(tasks * (request.cpus_per_task or 1), _cpus_for_gpus(request))
    return Share(node.name, cpus, room.gpus[: request.gpus_per_node])


def _cpus_for_gpus(request: Request) -> int:
    return (request.cpus_per_gpu or 0) * request.gpus_per_node


def _take(room: dict[str, Free], shares: Iterable[Share]) -> None:
    for share in shares:
        left = room.get(share.node)
        if left is not None:
            gpus = tuple(gpu for gpu in left.gpus if gpu not in share.gpus)
            room[share.node] = Free(left.node, left.cpus - share.cpus, gpus)


def _limit(job: Job, conf: Conf) -> int:
    if job.request.time_limit is not None:
        return job.request.time_limit
    partition = conf.partition(job.request.partition)
    return 365 * 86400 if partition is None or partition.max_time is None else partition.max_time
