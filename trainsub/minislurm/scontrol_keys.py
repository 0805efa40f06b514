"""``scontrol update``: what each key changes of a job, as Slurm allows it to the job's owner."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from trainsub.minislurm import dependency, lifecycle, moments, selection
from trainsub.minislurm.conf import Conf
from trainsub.minislurm.lifecycle import ChangeError
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.scontrol_call import WrongError
from trainsub.minislurm.selection import SelectionError
from trainsub.minislurm.values import Job, Request
from trainsub.slurm.units import parse_time

STARTED = "Job is no longer pending execution"
_DENIED = "Access/permission denied"
NOT_HERE = "Requested operation not supported on this system"
_BAD_LIMIT = "Requested time limit is invalid (missing or exceeds some limit)"
BAD_NODE = "Invalid node name specified"
THROTTLE = "Update of ArrayTaskThrottle is only allowed on ArrayJobId"


@dataclass(frozen=True, slots=True)
class Here:
    """What a change looks at beside the job.

    Attributes:
        queue: The queue, held.
        conf: The cluster.
        now: The clock.
    """

    queue: Queue
    conf: Conf
    now: int


Setter = Callable[[Job, str, Here], Job]
"""Returns the job as the value makes it."""


def _asks(job: Job, **changes: object) -> Job:
    request: Request = replace(job.request, **changes)  # type: ignore[arg-type]
    return replace(job, request=request)


def _waiting(job: Job) -> Job:
    if job.state != lifecycle.PENDING:
        raise ChangeError(STARTED)
    return job


def _account(job: Job, value: str, _: Here) -> Job:
    return _asks(job, account=value.lower())


def _comment(job: Job, value: str, _: Here) -> Job:
    return _asks(job, comment=value)


def _dependency(job: Job, value: str, here: Here) -> Job:
    try:
        found = dependency.check(dependency.parse(value), here.queue.array_jobs)
    except dependency.DependencyError:
        raise ChangeError("Job dependency problem") from None
    if any(part.job_id in {job.job_id, job.array_job_id} for part in found.parts):
        raise ChangeError("Job dependency problem")
    return _asks(_waiting(job), dependency=dependency.text(found))


def _denied(_: Job, __: str, ___: Here) -> Job:
    raise ChangeError(_DENIED)


def _exclude(job: Job, value: str, here: Here) -> Job:
    return _asks(_waiting(job), exclude=nodes(value, here.conf))


def _name(job: Job, value: str, _: Here) -> Job:
    return _asks(job, name=value)


def _nice(job: Job, value: str, _: Here) -> Job:
    match = re.match(r"\s*[+-]?[0-9]{1,9}", value)
    nice = int(match.group()) if match is not None else 0
    if nice < 0:
        raise ChangeError(_DENIED)
    return _asks(job, nice=nice)


def _node_count(job: Job, value: str, _: Here) -> Job:
    least, _dash, most = value.partition("-")
    return _asks(_waiting(job), nodes=int(least), most_nodes=int(most or least))


def _nodelist(job: Job, value: str, here: Here) -> Job:
    return _asks(_waiting(job), nodelist=nodes(value, here.conf))


def nodes(text: str, conf: Conf) -> tuple[str, ...]:
    """Return the nodes of a hostlist.

    Raises:
        ChangeError: The cluster has no such nodes.
    """
    try:
        return tuple(dict.fromkeys(selection.nodes(text, conf)))
    except SelectionError:
        raise ChangeError(BAD_NODE) from None


def _partition(job: Job, value: str, here: Here) -> Job:
    found = here.conf.partition(value)
    if found is None:
        raise ChangeError("Invalid partition name specified")
    limit = _waiting(job).request.time_limit
    if found.max_time is not None and (limit is None or limit > found.max_time):
        raise ChangeError(_BAD_LIMIT)
    if found.max_nodes is not None and job.request.nodes > found.max_nodes:
        raise ChangeError("Node count specification invalid")
    return _asks(job, partition=value)


def _priority(job: Job, _: str, __: Here) -> Job:
    raise ChangeError("Job is in held state, pending scheduler release" if job.held else _DENIED)


def _qos(job: Job, value: str, _: Here) -> Job:
    return _asks(job, qos=value.lower())


def _requeue(job: Job, value: str, _: Here) -> Job:
    return _asks(job, requeue=value == "1")


def _start_time(job: Job, value: str, here: Here) -> Job:
    begin = moments.parse(value, here.now)
    return replace(_asks(_waiting(job), begin=begin), not_before=begin, eligible=None)


def _stdout(job: Job, value: str, _: Here) -> Job:
    return _asks(_waiting(job), output=value)


def _throttle(job: Job, value: str, _: Here) -> Job:
    if job.array is None:
        raise WrongError(f"scontrol: error: {THROTTLE}\n{NOT_HERE} for job {job.job_id}")
    return replace(job, array=replace(job.array, limit=int(value)))


def _time_limit(job: Job, value: str, here: Here) -> Job:
    now = job.request.time_limit
    sign = value[0] if value[:1] in {"+", "-"} and value != "-1" else ""
    seconds = parse_time(value.removeprefix(sign))
    limit = None if seconds is None else -(-seconds // 60) * 60
    if sign and limit is not None and now is not None:
        if sign == "-" and limit > now:
            raise WrongError(
                f"scontrol: error: TimeLimit decrement larger than current time limit ({limit // 60} > {now // 60})"
            )
        limit = now + limit if sign == "+" else now - limit
    partition = here.conf.partition(job.request.partition)
    most = now if job.running else partition.max_time if partition is not None else None
    if most is not None and (limit is None or limit > most):
        raise ChangeError(_DENIED)
    return _asks(job, time_limit=limit)


def _work_dir(job: Job, value: str, _: Here) -> Job:
    return _asks(_waiting(job), chdir=value)


SETTERS: Mapping[str, Setter] = {
    "account": _account,
    "arraytaskthrottle": _throttle,
    "comment": _comment,
    "deadline": _denied,
    "dependency": _dependency,
    "excnodelist": _exclude,
    "jobname": _name,
    "name": _name,
    "nice": _nice,
    "nodelist": _nodelist,
    "numnodes": _node_count,
    "partition": _partition,
    "priority": _priority,
    "qos": _qos,
    "reqnodelist": _nodelist,
    "reqnodes": _node_count,
    "requeue": _requeue,
    "starttime": _start_time,
    "stdout": _stdout,
    "timelimit": _time_limit,
    "workdir": _work_dir,
}
"""By the key in small letters."""
