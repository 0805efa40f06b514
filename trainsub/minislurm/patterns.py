r"""Names of output files: ``%x-%j.out``. Pure.

A name with a backslash in it is taken as it stands, less the backslashes. What no letter is known for stays as it is.
"""

import re
from collections.abc import Mapping

from trainsub.minislurm.values import Job, Record

NO_TASK = 4294967294
"""What Slurm puts for ``%a`` where there is no array."""

_WIDEST = 10
_PLACE = re.compile(r"%(\d*)(.?)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)

Values = Mapping[str, str | int]
"""What stands for each letter; only numbers are padded."""


def of_job(job: Job, user: str) -> dict[str, str | int]:
    """Return what the letters mean that depend on the job only.

    Args:
        job: The job, an array's task among others.
        user: Its owner's name.
    """
    task = job.array.task if job.array is not None else None
    index = NO_TASK if task is None else task
    return {"A": job.array_job_id, "a": index, "b": index % 10, "j": job.job_id, "u": user, "x": job.request.name}


def of_task(job_id: int, step: str, node: str, index: int, rank: int) -> dict[str, str | int]:
    """Return what the letters mean that depend on the place.

    Args:
        job_id: The job.
        step: ``batch``, or its number.
        node: The node.
        index: Which of the step's nodes that is.
        rank: The task; 0 for the batch script.
    """
    name = str(job_id) if step == "batch" else f"{job_id}.{step}"
    return {"J": name, "N": node, "n": index, "s": step, "t": rank}


def default(job: Job | Record) -> str:
    """Return the pattern of a job that names none."""
    return "slurm-%j.out" if job.array is None else "slurm-%A_%a.out"


def expand(pattern: str, values: Values) -> str:
    """Return the file's name, as the job opens it."""
    if "\\" in pattern:
        return _ESCAPED.sub(r"\1", pattern)
    return fill(pattern, values)


def fill(pattern: str, values: Values) -> str:
    """Return the name as scontrol shows it: what depends on the place stays if it is not given."""
    found = []
    place = 0
    while match := _PLACE.search(pattern, place):
        width, letter = match.groups()
        found.append(pattern[place : match.start()])
        place = match.end()
        value = values.get(letter)
        if value is not None:
            found.append(str(value).zfill(min(int(width or 0), _WIDEST)) if isinstance(value, int) else value)
        elif width:
            # The width stays, and what follows is looked at anew.
            found.append(width)
            place = match.end(1)
        else:
            found.append("%" if letter == "%" else match.group())
    return "".join(found) + pattern[place:]
