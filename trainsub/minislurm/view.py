"""A job as squeue and scontrol tell of it: texts and numbers made from its values. Pure, but for the names of users."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from trainsub.minislurm import amounts, users
from trainsub.minislurm.conf import Conf
from trainsub.minislurm.values import Job, Share
from trainsub.slurm.hostlist import compress

YEAR = 365 * 86400
"""How long a job without a limit is said to run."""
SHORT = {
    "BOOT_FAIL": "BF",
    "CANCELLED": "CA",
    "COMPLETED": "CD",
    "COMPLETING": "CG",
    "CONFIGURING": "CF",
    "DEADLINE": "DL",
    "FAILED": "F",
    "NODE_FAIL": "NF",
    "OUT_OF_MEMORY": "OOM",
    "PENDING": "PD",
    "PREEMPTED": "PR",
    "REQUEUED": "RQ",
    "REQUEUE_FED": "RF",
    "REQUEUE_HOLD": "RH",
    "RESIZING": "RS",
    "RESV_DEL_HOLD": "RD",
    "REVOKED": "RV",
    "RUNNING": "R",
    "SIGNALING": "SI",
    "SPECIAL_EXIT": "SE",
    "STAGE_OUT": "SO",
    "STOPPED": "ST",
    "SUSPENDED": "S",
    "TIMEOUT": "TO",
}
"""Slurm's short words for its states."""

_SHOWS_REASON = frozenset({"PENDING", "FAILED", "TIMEOUT", "OUT_OF_MEMORY", "DEADLINE"})
_INDEX_ROOM = 64
_STEP_SPAN = 10


@dataclass(frozen=True, slots=True)
class View:
    """A job at a moment.

    Attributes:
        job: The job.
        conf: The cluster.
        now: The moment.
        dependency: What it still waits for.
        tasks: Of the row of an array: the tasks that are told of.
        throttle: The limit that is told with them; 0: none.
        reason: Why it waits or how it ended.
    """

    job: Job
    conf: Conf
    now: int
    dependency: str = ""
    tasks: tuple[int, ...] = ()
    throttle: int = 0
    reason: str = "None"

    @property
    def task_text(self) -> str:
        """Index of the task, or those of the row; empty where there is no array."""
        array = self.job.array
        if array is None or (array.task is None and not self.tasks):
            return ""
        return indices(self.tasks, self.throttle) if array.task is None else str(array.task)

    @property
    def id_text(self) -> str:
        """``12``, ``12_3`` or ``12_[4-7%2]``."""
        array = self.job.array
        if array is None:
            return str(self.job.job_id)
        if array.task is None and not self.tasks:
            return str(array.job_id)
        if array.task is not None or len(self.tasks) == 1:
            return f"{array.job_id}_{self.task_text}"
        text = f"{array.job_id}_[{self.task_text}]"
        # As long as Slurm's buffer, unless the user cares.
        return text if "SLURM_BITSTR_LEN" in os.environ else text[:31]

    @property
    def pending(self) -> bool:
        """Whether it has not started."""
        return self.job.state == "PENDING"

    @property
    def nodes(self) -> int:
        """How many nodes it asks for, holds or held."""
        return len(self.job.shares) or self.job.request.nodes

    @property
    def wanted(self) -> amounts.Amounts:
        """What it asks for."""
        return amounts.wanted(self.job.request, self.conf)

    @property
    def held(self) -> amounts.Amounts | None:
        """What it holds or held."""
        shares = self.job.shares
        return amounts.held(shares, self.job.request, self.conf) if shares else None

    @property
    def nodelist(self) -> str:
        """The nodes that it holds or held."""
        return nodelist(self.job.shares)

    @property
    def nodes_or_reason(self) -> str:
        """What the last column of squeue tells."""
        return f"({self.reason})" if self.job.state in _SHOWS_REASON else self.nodelist

    @property
    def start(self) -> int | None:
        """When it started, or may start at the earliest."""
        if not self.pending:
            return self.job.start
        earliest = max(self.job.request.begin or 0, self.job.not_before or 0)
        return earliest if earliest > self.now else None

    @property
    def end(self) -> int | None:
        """When it ended, or must end."""
        if not self.pending and self.job.end is not None:
            return self.job.end
        limit = self.job.request.time_limit
        return None if self.start is None else self.start + (YEAR if limit is None else limit)

    @property
    def eligible(self) -> int | None:
        """Since when it could start, or from when on it can."""
        if self.job.eligible is None and self.pending and not self.job.held and not self.job.request.dependency:
            return self.start
        return self.job.eligible

    @property
    def used(self) -> int:
        """How many seconds it has run."""
        if self.pending or self.job.start is None or not self.job.shares:
            return 0
        return max(0, (self.now if self.job.end is None else self.job.end) - self.job.start)

    @property
    def left(self) -> int | None:
        """How many seconds it may still run; None: without end."""
        limit = self.job.request.time_limit
        return None if limit is None else max(0, limit - self.used)

    @property
    def priority(self) -> int:
        """1, and 0 while it is held."""
        return 0 if self.job.held else 1

    @property
    def min_cpus(self) -> int:
        """How many CPUs it needs on a node at least."""
        request = self.job.request
        return (request.cpus_per_task or 1) * (request.ntasks_per_node or 1)


def view(job: Job, conf: Conf, now: int, dependency: str = "") -> View:
    """Return a job as it is told of by itself."""
    array = job.array
    row = array is not None and array.task is None
    return View(
        job,
        conf,
        now,
        dependency,
        tasks=array.pending if array is not None and row else (),
        throttle=array.limit if array is not None and row else 0,
        reason=job.reason,
    )


def nodelist(shares: Iterable[Share]) -> str:
    """Return the nodes as a hostlist."""
    return compress(share.node for share in shares)


def indices(tasks: Iterable[int], limit: int = 0) -> str:
    """Return ``1-3,7%2``, cut as ``SLURM_BITSTR_LEN`` wants it."""
    text = _bits(sorted(tasks), _room())
    return f"{text}%{limit}" if limit else text


def group(uid: int) -> str:
    """Return the name of a user's group."""
    import grp  # noqa: PLC0415

    number = users.group(uid)
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _room() -> int:
    text = os.environ.get("SLURM_BITSTR_LEN", "")
    return int(text) if text.isascii() and text.isdigit() else _INDEX_ROOM


def _bits(tasks: list[int], room: int) -> str:
    if not tasks:
        return ""
    if tasks[-1] - tasks[0] > _STEP_SPAN and len(tasks) > 1 and tasks[1] > tasks[0] + 1:
        step = tasks[1] - tasks[0]
        if tasks == list(range(tasks[0], tasks[-1] + 1, step)):
            return f"{tasks[0]}-{tasks[-1]}:{step}"
    runs: list[list[int]] = []
    for task in tasks:
        if runs and runs[-1][-1] == task - 1:
            runs[-1][1:] = [task]
        else:
            runs.append([task])
    text = ",".join("-".join(map(str, run)) for run in runs)
    if not room or len(text) < room - 2:
        return text
    # It ends at a comma, with dots in the place of the last that would fit and of the rest.
    fitting = text[:room].rpartition(",")[0] if len(text) >= room else text
    cut = fitting.rfind(",")
    return (f"{fitting[:cut]},..." if cut >= 0 else "...")[: room - 1]
