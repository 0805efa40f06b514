"""The user's jobs of one name: what a settler asks, who knows a name and no job id. Pure.

The name alone does not tell whose job it is, where one user works below two folders; the working directory does. The
comment tells the link: squeue shows it, sacct where the site keeps it, and its SubmitLine has it in any case.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from trainsub.record.names import Mark, parse_comment
from trainsub.slurm import jobids, rows

# What the user wrote comes last.
_QUEUE = ("JobID", "ArrayJobID", "ArrayTaskID", "SubmitTime", "State", "Reason", "WorkDir", "Name", "Comment")
_ACCOUNTS = ("JobID", "Submit", "State", "Reason", "WorkDir", "JobName", "Comment", "SubmitLine")
NEVER = ("FAILED", "BadConstraints")
"""What Slurm keeps of a job that it refused because no nodes could ever fit it: seen on 22.05, 24.11 and 26.05."""


@dataclass(frozen=True, slots=True)
class NamedJob:
    """A job that Slurm knows by the name asked for.

    Attributes:
        job_id: Slurm's id; the array's, of its tasks.
        submitted: When first; a requeue makes a later one. None where Slurm does not tell.
        folder: Its working directory.
        mark: What its comment says; None where a site has rewritten it.
    """

    job_id: int
    submitted: datetime | None
    folder: str
    mark: Mark | None


def queue_argv(name: str, *, slurm_bin: str = "") -> list[str]:
    """Return the query for the user's jobs of a name that squeue still knows, ended ones included."""
    columns = ",".join(f"{field}:{rows.SEPARATOR}" for field in _QUEUE)
    flags = ["--me", "--all", "--noheader", "--states=all", f"--Format={columns}"]
    return [rows.program("squeue", slurm_bin), *flags, f"--name={name}"]


def accounts_argv(name: str, since: datetime, *, slurm_bin: str = "") -> list[str]:
    """Return the query for the user's jobs of a name in the accounts since a time, each of their records.

    Args:
        name: Job name.
        since: Before the submission, by any clock.
        slurm_bin: The folder of Slurm's commands, where they are not on the PATH.
    """
    # -p ends the last field with the delimiter too, unlike -P: so a row that was cut off is seen.
    flags = [
        "-D",
        "-X",
        "-n",
        "-p",
        "--noconvert",
        f"--delimiter={rows.SEPARATOR}",
        "-S",
        f"uts{int(since.timestamp())}",
    ]
    return [rows.program("sacct", slurm_bin), *flags, f"--format={','.join(_ACCOUNTS)}", f"--name={name}"]


def parse_queue(text: str, name: str) -> list[NamedJob]:
    """Return the jobs of that name among those that squeue printed, but for what sbatch refused.

    Raises:
        OutputError: The text was cut off, or is something else.
    """
    found = []
    records = rows.split(text, columns=len(_QUEUE), command="squeue", head=rows.QUEUE_HEAD)
    for job_id, array, task, at, state, reason, folder, called, comment in records:
        number = rows.number(array if task != "N/A" else job_id, what="squeue's JobID")
        submitted = rows.moment(at, what="squeue's SubmitTime")
        if called == name and (state, reason) != NEVER:
            found.append(NamedJob(number, submitted, folder, parse_comment(comment)))
    return _earliest(found)


def parse_accounts(text: str, name: str) -> list[NamedJob]:
    """Return the jobs of that name among those that sacct printed, but for what sbatch refused.

    Raises:
        OutputError: The text was cut off, or is something else.
    """
    found = []
    records = rows.split(text, columns=len(_ACCOUNTS), command="sacct", head=rows.ACCOUNTS_HEAD)
    for shown, at, state, reason, folder, called, comment, line in records:
        number = jobids.parse(shown).job_id
        submitted = rows.moment(at, what="sacct's Submit")
        if called == name and (state, reason) != NEVER:
            found.append(NamedJob(number, submitted, folder, parse_comment(comment) or parse_comment(line)))
    return _earliest(found)


def _earliest(found: Iterable[NamedJob]) -> list[NamedJob]:
    """Return each job once, by its id, as it was first submitted."""
    jobs: dict[int, NamedJob] = {}
    for one in found:
        known = jobs.setdefault(one.job_id, one)
        if one.submitted is not None and (known.submitted is None or one.submitted < known.submitted):
            jobs[one.job_id] = one
    return [jobs[job_id] for job_id in sorted(jobs)]
