"""Jobs of trainsub that Slurm knows, whatever is known of their runs. Pure.

A job of ours bears the comment ``trainsub:<run>:<link>``. squeue always shows it; sacct keeps comments only where a
site asks for them, but the command line that submitted the job holds it too (``SubmitLine``).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from trainsub.record.names import parse_comment
from trainsub.remote.named import NEVER
from trainsub.slurm import arrays, jobids, rows

# What the user wrote comes last.
_QUEUE = ("JobID", "ArrayJobID", "ArrayTaskID", "SubmitTime", "State", "Reason", "WorkDir", "Comment")
_ACCOUNTS = ("JobID", "Submit", "State", "Reason", "WorkDir", "Comment", "SubmitLine")


@dataclass(frozen=True, slots=True)
class Marked:
    """A job that a trainsub submitted.

    Attributes:
        job_id: Slurm's id; the array's, of its tasks.
        run: The run in its comment.
        link: The job's number in it.
        submitted: When; None where Slurm does not tell.
        folder: Its working directory.
        array: The indices of its tasks that were seen, ``0,1,7``; empty where Slurm does not list them all, None for a
            job that is no array.
    """

    job_id: int
    run: str
    link: int
    submitted: datetime | None
    folder: str
    array: str | None = None


def queue_argv(*, slurm_bin: str = "") -> list[str]:
    """Return the query for all of the user's jobs that squeue still knows."""
    columns = ",".join(f"{field}:{rows.SEPARATOR}" for field in _QUEUE)
    program = rows.program("squeue", slurm_bin)
    return [program, "--me", "--all", "--noheader", "--states=all", f"--Format={columns}"]


def accounts_argv(since: datetime, *, slurm_bin: str = "") -> list[str]:
    """Return the query for the user's jobs in the accounts since a time, one row each."""
    flags = ["-X", "-n", "-p", "--noconvert", f"--delimiter={rows.SEPARATOR}", "-S", f"uts{int(since.timestamp())}"]
    return [rows.program("sacct", slurm_bin), *flags, f"--format={','.join(_ACCOUNTS)}"]


def parse_queue(text: str) -> list[Marked]:
    """Return the jobs that are ours among those that squeue printed, but for what sbatch refused.

    Raises:
        OutputError: The text was cut off, or is something else.
    """
    found = []
    records = rows.split(text, columns=len(_QUEUE), command="squeue", head=rows.QUEUE_HEAD)
    for job_id, array, task, submitted, state, reason, folder, comment in records:
        number = rows.number(array if task != "N/A" else job_id, what="squeue's JobID")
        moment = rows.moment(submitted, what="squeue's SubmitTime")
        if (state, reason) != NEVER:
            found.append((number, None if task == "N/A" else task, moment, folder, comment))
    return _marked(found)


def parse_accounts(text: str) -> list[Marked]:
    """Return the jobs that are ours among those that sacct printed, but for what sbatch refused.

    Raises:
        OutputError: The text was cut off, or is something else.
    """
    found = []
    records = rows.split(text, columns=len(_ACCOUNTS), command="sacct", head=rows.ACCOUNTS_HEAD)
    for shown, submitted, state, reason, folder, comment, line in records:
        job = jobids.parse(shown)
        task = job.array_pending if job.array_task is None else str(job.array_task)
        moment = rows.moment(submitted, what="sacct's Submit")
        if (state, reason) != NEVER:
            found.append((job.job_id, task, moment, folder, comment if parse_comment(comment) else line))
    return _marked(found)


def joined(first: Marked, other: Marked) -> Marked:
    """One job that was seen twice, with the tasks that were seen in either."""
    return replace(first, array=_array(text for text in (first.array, other.array) if text is not None))


def _marked(found: list[tuple[int, str | None, datetime | None, str, str]]) -> list[Marked]:
    """Those with a comment of ours; an array's tasks are one."""
    jobs: dict[int, Marked] = {}
    tasks: dict[int, list[str]] = {}
    for job_id, task, submitted, folder, comment in found:
        mark = parse_comment(comment)
        if mark is not None:
            jobs.setdefault(job_id, Marked(job_id, *mark, submitted, folder))
            tasks.setdefault(job_id, []).extend([] if task is None else [task])
    return [replace(one, array=_array(tasks[job_id])) for job_id, one in jobs.items()]


def _array(told: Iterable[str]) -> str | None:
    """All indices that were told; nothing in it where some cannot be read, as in a long list that was cut off."""
    texts = list(told)
    try:
        seen = sorted({index for text in texts for index in arrays.parse(text).indices})
    except ValueError:
        return ""
    return ",".join(map(str, seen)) if texts else None
