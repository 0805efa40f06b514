"""Jobs of trainsub that Slurm knows, whatever is known of their runs. Pure.

A job of ours bears the comment ``trainsub:<run>:<link>``. squeue always shows it; sacct keeps comments only where a
site asks for them, but the command line that submitted the job holds it too (``SubmitLine``).
"""

from dataclasses import dataclass
from datetime import datetime

from trainsub.record.names import parse_comment
from trainsub.slurm import jobids, rows

# What the user wrote comes last.
_QUEUE = ("JobID", "ArrayJobID", "ArrayTaskID", "SubmitTime", "WorkDir", "Comment")
_ACCOUNTS = ("JobID", "Submit", "WorkDir", "Comment", "SubmitLine")


@dataclass(frozen=True, slots=True)
class Marked:
    """A job that a trainsub submitted.

    Attributes:
        job_id: Slurm's id; the array's, of its tasks.
        run: The run in its comment.
        link: The job's number in it.
        submitted: When; None where Slurm does not tell.
        folder: Its working directory.
    """

    job_id: int
    run: str
    link: int
    submitted: datetime | None
    folder: str


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
    """Return the jobs that are ours among those that squeue printed.

    Raises:
        OutputError: The text was cut off, or is something else.
    """
    found = []
    records = rows.split(text, columns=len(_QUEUE), command="squeue", head=rows.QUEUE_HEAD)
    for job_id, array, task, submitted, folder, comment in records:
        found.append((array if task != "N/A" else job_id, "squeue's SubmitTime", submitted, folder, comment))
    return _marked(found, "squeue's JobID")


def parse_accounts(text: str) -> list[Marked]:
    """Return the jobs that are ours among those that sacct printed.

    Raises:
        OutputError: The text was cut off, or is something else.
    """
    found = []
    records = rows.split(text, columns=len(_ACCOUNTS), command="sacct", head=rows.ACCOUNTS_HEAD)
    for shown, submitted, folder, comment, line in records:
        job_id = str(jobids.parse(shown).job_id)
        found.append((job_id, "sacct's Submit", submitted, folder, comment if parse_comment(comment) else line))
    return _marked(found, "sacct's JobID")


def _marked(found: list[tuple[str, str, str, str, str]], what: str) -> list[Marked]:
    """Those with a comment of ours; an array's tasks are one."""
    jobs: dict[int, Marked] = {}
    for job_id, column, submitted, folder, comment in found:
        mark = parse_comment(comment)
        if mark is not None:
            number = rows.number(job_id, what=what)
            jobs.setdefault(number, Marked(number, *mark, rows.moment(submitted, what=column), folder))
    return list(jobs.values())
