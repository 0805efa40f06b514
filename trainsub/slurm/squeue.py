"""squeue: what the queue holds. Pure.

``-O`` with a width of nothing prints each field in full and lets it end with any character, on every supported
release; unlike ``-o`` it also tells the resources and the number of restarts.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from trainsub.errors import OutputError
from trainsub.slurm import rows

# What the user wrote comes last.
_FIELDS = (
    "JobID",
    "ArrayJobID",
    "ArrayTaskID",
    "State",
    "Reason",
    "SubmitTime",
    "StartTime",
    "EndTime",
    "NumNodes",
    "RestartCnt",
    "Partition",
    "tres-alloc",
    "NodeList",
    "Name",
    "Comment",
)
_FORMAT = ",".join(f"{field}:{rows.SEPARATOR}" for field in _FIELDS)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One job, or the tasks of an array that share one row because none has started.

    Attributes:
        job_id: Slurm's id; of an array's task its own.
        array_job_id: Id of the array; None for other jobs.
        array_task: Index of the task.
        array_pending: Indices that share this row: ``3-9%2``.
        state: Slurm's word.
        reason: Why it waits, or how it ended; empty when there is none.
        name: Job name.
        comment: Comment; a site may rewrite it.
        partition: Several, separated by commas, while it waits.
        submit_time: Time of the (newest) submission; a requeue changes it.
        start_time: Start; while it waits, when Slurm expects it.
        end_time: End; before, the time limit's end.
        nodes: Nodes asked for or held.
        nodelist: Slurm's hostlist; empty before the start.
        restarts: How often it was requeued.
        tres: Resources held; before the start, those asked for.
    """

    job_id: int
    array_job_id: int | None
    array_task: int | None
    array_pending: str | None
    state: str
    reason: str
    name: str
    comment: str
    partition: str
    submit_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    nodes: int
    nodelist: str
    restarts: int
    tres: str


def argv(*, slurm_bin: str = "") -> list[str]:
    """Return the one query for all of the user's jobs that squeue still knows, ended ones included."""
    # --all: otherwise jobs in hidden partitions would seem to have vanished.
    command = rows.program("squeue", slurm_bin)
    return [command, "--me", "--all", "--noheader", "--states=all", f"--Format={_FORMAT}"]


def by_name_argv(name: str, *, slurm_bin: str = "") -> list[str]:
    """Return the query for the user's jobs of one name."""
    return [*argv(slurm_bin=slurm_bin), f"--name={name}"]


def parse(text: str) -> list[QueueRow]:
    """Return the rows that squeue printed.

    Raises:
        OutputError: The text was cut off, or is something else.
    """
    return [_row(fields) for fields in rows.split(text, columns=len(_FIELDS), command="squeue", head=rows.QUEUE_HEAD)]


@dataclass(frozen=True, slots=True)
class News:
    """What an answer tells that is not known.

    Attributes:
        rows: The rows that are not known.
        marks: A mark of each of them, by job id.
        known: Ids of the jobs whose rows are as they were.
    """

    rows: list[QueueRow]
    marks: dict[int, int]
    known: frozenset[int]


def parse_news(text: str, known: Mapping[int, int]) -> News:
    """Return what squeue printed, but for the rows that are known: of ten thousand jobs few have changed.

    Args:
        text: What it printed.
        known: Marks of former rows, by job id; none of arrays.

    Raises:
        OutputError: As ``parse``.
    """
    found, marks, same = [], {}, []
    for fields in rows.split(text, columns=len(_FIELDS), command="squeue", head=rows.QUEUE_HEAD):
        mark = _mark(fields)
        job_id = rows.number(fields[0], what="squeue's JobID")
        if known.get(job_id) == mark:
            same.append(job_id)
        else:
            found.append(_row(fields))
            marks[job_id] = mark
    return News(found, marks, frozenset(same))


def _mark(fields: Sequence[str]) -> int:
    """64 bits that tell a row from another: a signed integer, as SQLite keeps it."""
    record = rows.SEPARATOR.join(fields).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(record, digest_size=8).digest(), "big", signed=True)


def _row(fields: Sequence[str]) -> QueueRow:
    job_id, array, task, state, reason, submit, start, end, nodes, restarts, partition, tres, nodelist, *free = fields
    if not state:
        raise OutputError(f"squeue printed no state for job {job_id[:200]!r}")
    in_array = task != "N/A"
    single = task.isascii() and task.isdigit()
    return QueueRow(
        job_id=rows.number(job_id, what="squeue's JobID"),
        array_job_id=rows.number(array, what="squeue's ArrayJobID") if in_array else None,
        array_task=rows.number(task, what="squeue's ArrayTaskID") if single else None,
        array_pending=task if in_array and not single else None,
        state=state,
        reason="" if reason == "None" else reason,
        name=free[0],
        comment=rows.blank(free[1]),
        partition=partition,
        submit_time=rows.moment(submit, what="squeue's SubmitTime"),
        start_time=rows.moment(start, what="squeue's StartTime"),
        end_time=rows.moment(end, what="squeue's EndTime"),
        nodes=rows.number(nodes, what="squeue's NumNodes"),
        nodelist=rows.blank(nodelist),
        restarts=rows.number(restarts, what="squeue's RestartCnt"),
        tres=rows.blank(tres),
    )
