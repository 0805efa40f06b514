"""Job ids as the commands print them: ``5``, ``5_3``, ``5_[3-9%2]``, ``5+1``. Pure."""

import re
from dataclasses import dataclass

from trainsub.errors import OutputError

_LARGEST = 2**32 - 1
"""Slurm keeps job ids in 32 bits (slurm.conf(5), MaxJobId; a federation's ids use the upper ones)."""
_PLAIN = re.compile(r"[0-9]{1,10}")
_JOB_ID = re.compile(r"([0-9]{1,10})(?:_([0-9]{1,10})|_\[([^\]]*)\]|\+([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class JobId:
    """A job id, taken apart.

    Attributes:
        job_id: The id, or that of the array or heterogeneous job it belongs to.
        array_task: Index of one array task.
        array_pending: Indices of tasks that share one row because none has started: ``3-9%2``.
        component: Component of a heterogeneous job.
    """

    job_id: int
    array_task: int | None = None
    array_pending: str | None = None
    component: int | None = None


def plain(text: str) -> int | None:
    """Return the id that a text of digits is; None if it is none that Slurm gives."""
    number = int(text) if _PLAIN.fullmatch(text) else 0
    return number if 0 < number <= _LARGEST else None


def parse(text: str) -> JobId:
    """Return the parts of a job id.

    Raises:
        OutputError: It is none.
    """
    match = _JOB_ID.fullmatch(text)
    if match is None:
        raise OutputError(f"not a job id: {text[:200]!r}")
    digits, task, pending, component = match.groups()
    if int(digits) > _LARGEST:
        raise OutputError(f"not a job id: {text[:200]!r}")
    return JobId(
        job_id=int(digits),
        array_task=None if task is None else int(task),
        array_pending=pending,
        component=None if component is None else int(component),
    )
