"""``scontrol update JobId=…``: what may be changed of a job by its owner, as Slurm allows it."""

import re
from collections.abc import Sequence
from dataclasses import replace

from trainsub.minislurm import lifecycle, moments
from trainsub.minislurm.conf import Conf
from trainsub.minislurm.lifecycle import ChangeError
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.scontrol_call import WrongError
from trainsub.minislurm.scontrol_change import Change
from trainsub.minislurm.scontrol_keys import BAD_NODE, NOT_HERE, SETTERS, STARTED, THROTTLE, Here, nodes
from trainsub.minislurm.values import Job, Record
from trainsub.slurm.units import parse_time

_SIZE = frozenset({"nodelist", "numnodes", "reqnodelist", "reqnodes"})
_NO_JOB = (
    "No valid entity in update command\n"
    'Input line must include "NodeName", "PartitionName", "Reservation", "JobId", or "SlurmctldDebug"'
)
_OTHER_ENTITIES = frozenset(
    {"nodename", "partitionname", "reservationname", "slurmctlddebug", "stepid", "frontendname"}
)
_ELSEWHERE = """
admincomment burstbuffer clusters clusterfeatures contiguous corespec cpuspertask delayboot endtime extra features
gres licenses mailtype mailuser mincpusnode minmemorycpu minmemorynode mintmpdisknode network numcpus numtasks
oversubscribe prefer reboot reqcores reqsockets reqthreads reservation resetaccruetime shared sicp stderr stdin
switches systemcomment taskspernode timemin tres tresperjob trespernode trespertask userid wait-for-switch wckey
"""


def read(words: Sequence[str], queue: Queue, conf: Conf, now: int) -> tuple[str, Change]:
    """Return which jobs are to be changed, and how.

    Args:
        words: ``KEY=VALUE``, or key and value in two words.
        queue: The queue, held.
        conf: The cluster.
        now: The clock.

    Raises:
        WrongError: They cannot be understood.
    """
    pairs = _pairs(words)
    named = [value for key, value in pairs if key in {"job", "jobid"}]
    if not named:
        raise WrongError(_NO_JOB)
    if "_" in named[-1] and any(key == "arraytaskthrottle" for key, _ in pairs):
        raise WrongError(f"{named[-1]}: {NOT_HERE} ({THROTTLE})")
    here = Here(queue, conf, now)
    wishes = [(key, value) for key, value in pairs if key not in {"job", "jobid"}]
    if not wishes:
        raise WrongError("No changes specified")
    for key, value in wishes:
        _check(key, value, now)

    def change(job: Job) -> tuple[Job, Record | None]:
        if job.ended:
            raise ChangeError("Job has already finished")
        record: Record | None = None
        for key, value in wishes:
            if key not in _SIZE or not job.running:
                job = SETTERS[key](job, value, here)
            elif record is None:
                job, record = _shrink(job, key, value, here)
        waits = job.state == lifecycle.PENDING and not job.held
        return replace(job, reason="None") if waits else job, record

    return named[-1], change


def _pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    other = next((word for word in words if word.partition("=")[0].lower() in _OTHER_ENTITIES), "")
    if other:
        raise WrongError(f"scontrol: error: minislurm does not know an update of {other.partition('=')[0]}")
    rest, pairs = list(words), []
    while rest:
        word = rest.pop(0)
        key, equals, value = word.partition("=")
        if not equals:
            if not rest:
                raise WrongError(f"Invalid input: {word}\nRequest aborted")
            value = rest.pop(0)
        elif key.endswith(("+", "-")):
            raise WrongError(f"scontrol: error: minislurm does not know {word} in an update of a job\nRequest aborted")
        known = key.lower()
        if known not in {"job", "jobid"} | set(SETTERS):
            if known in _ELSEWHERE.split():
                raise WrongError(
                    f"scontrol: error: minislurm does not know {key} in an update of a job\nRequest aborted"
                )
            raise WrongError(f"Update of this parameter is not supported: {word}\nRequest aborted")
        pairs.append((known, value))
    return pairs


def _check(key: str, value: str, now: int) -> None:
    """Refuse what scontrol itself does not understand, before anything is changed."""
    if key == "timelimit":
        try:
            parse_time(value.lstrip("+-") if value[:1] in {"+", "-"} and value != "-1" else value)
        except ValueError:
            raise WrongError("scontrol: error: Invalid TimeLimit value") from None
    if key == "starttime":
        try:
            moments.parse(value, now)
        except moments.MomentError as error:
            raise WrongError(f"{error}\nNo changes specified") from None
    if key == "requeue" and value not in {"0", "1"}:
        raise WrongError(f"scontrol: error: Invalid Requeue value: {value}")
    if key == "arraytaskthrottle" and not value.isdecimal():
        raise WrongError(f"Invalid ArrayTaskThrottle value: {value}\nRequest aborted")
    if key in {"numnodes", "reqnodes"} and not re.fullmatch(r"[1-9][0-9]{0,8}(-[0-9]{1,9})?", value):
        raise WrongError(f'scontrol: error: Invalid node count "{value}"')


def _shrink(job: Job, key: str, value: str, here: Here) -> tuple[Job, Record | None]:
    if key in {"numnodes", "reqnodes"}:
        count = int(value.partition("-")[0])
        if job.resized is not None:
            raise ChangeError(STARTED)
        if count > len(job.shares):
            raise ChangeError(NOT_HERE)
        names = [share.node for share in job.shares[:count]]
    else:
        names = list(nodes(value, here.conf))
    if not names:
        raise ChangeError(BAD_NODE)
    if set(names) == {share.node for share in job.shares}:
        return job, None
    return lifecycle.resize(job, names, here.now)
