"""sacct: the records that bills are made of. Pure.

Always ``-D`` (every record of a requeued job), ``-X`` (no steps) and ``-S`` (otherwise history begins at midnight).
With ``-S`` and without ``-j`` sacct leaves out jobs that were never eligible, as held ones: only squeue knows those.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from trainsub.errors import OutputError
from trainsub.slurm import jobids, rows, units
from trainsub.slurm.values import ExitCode, parse_exit_code

# What the user wrote comes last.
_FIELDS = (
    "JobIDRaw",
    "JobID",
    "State",
    "ExitCode",
    "Submit",
    "Eligible",
    "Start",
    "End",
    "ElapsedRaw",
    "Suspended",
    "AllocTRES",
    "NNodes",
    "NodeList",
    "Partition",
    "Account",
    "JobName",
)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One record: a period between two of submission, requeue, resize and end.

    Attributes:
        job_id: Slurm's id; of an array's task its own.
        array_job_id: Id of the array; None for other jobs.
        array_task: Index of the task; None too for the tasks that share one record because none has started.
        array_pending: Indices of the tasks that share this record: ``3-9%2``.
        state: Slurm's words, such as ``CANCELLED by 1000``.
        submit: Submission; a requeue makes a new one.
        eligible: Since when it could have started.
        start: None before; such a record costs nothing.
        end: None while it lasts.
        elapsed: Seconds, suspended time left out.
        suspended: Seconds; None where sacct has no sensible value.
        alloc_tres: Resources held.
        nodes: Nodes held; before the start, those asked for.
        nodelist: Slurm's hostlist; empty before the start.
        partition: Where it ran.
        account: Who pays.
        exit_code: ``0:0`` while it lasts.
        name: Job name.
    """

    job_id: int
    array_job_id: int | None
    array_task: int | None
    array_pending: str | None
    state: str
    submit: datetime | None
    eligible: datetime | None
    start: datetime | None
    end: datetime | None
    elapsed: int
    suspended: int | None
    alloc_tres: str
    nodes: int
    nodelist: str
    partition: str
    account: str
    exit_code: ExitCode
    name: str


def argv(job_ids: Iterable[int], since: datetime, *, slurm_bin: str = "") -> list[str]:
    """Return the one query for the records of these jobs.

    Args:
        job_ids: At least one.
        since: Before the first submission. Slurm reuses ids, so rows must still be compared with the submit time.
        slurm_bin: The folder of Slurm's commands, where they are not on the PATH.

    Raises:
        ValueError: There is no job id; sacct would then list everything.
    """
    ids = ",".join(str(job_id) for job_id in sorted(set(job_ids)))
    if not ids:
        raise ValueError("sacct needs a job id")
    return [*_query(since, slurm_bin), f"--jobs={ids}"]


def by_name_argv(name: str, since: datetime, *, slurm_bin: str = "") -> list[str]:
    """Return the query for the records of the user's jobs of one name."""
    return [*_query(since, slurm_bin), f"--name={name}"]


def parse(text: str) -> list[AccountRow]:
    """Return the records that sacct printed.

    Raises:
        OutputError: The text was cut off, or is something else.
    """
    return [_row(fields) for fields in rows.split(text, columns=len(_FIELDS), command="sacct", head=rows.ACCOUNTS_HEAD)]


def _query(since: datetime, slurm_bin: str) -> list[str]:
    # -p ends the last field with the delimiter too, unlike -P: so a row that was cut off is seen.
    flags = ["-D", "-X", "-n", "-p", "--noconvert", f"--delimiter={rows.SEPARATOR}"]
    # uts: epoch seconds, so the login node's time zone does not matter.
    window = ["-S", f"uts{int(since.timestamp())}"]
    return [rows.program("sacct", slurm_bin), *flags, *window, f"--format={','.join(_FIELDS)}"]


def _row(fields: Sequence[str]) -> AccountRow:
    raw, shown, state, code, submit, eligible, start, end, elapsed, suspended, tres, nodes, nodelist, *rest = fields
    if not state:
        raise OutputError(f"sacct printed no state for job {raw[:200]!r}")
    job = jobids.parse(shown)
    in_array = job.array_task is not None or job.array_pending is not None
    return AccountRow(
        job_id=rows.number(raw, what="sacct's JobIDRaw"),
        array_job_id=job.job_id if in_array else None,
        array_task=job.array_task,
        array_pending=job.array_pending,
        state=state,
        submit=rows.moment(submit, what="sacct's Submit"),
        eligible=rows.moment(eligible, what="sacct's Eligible"),
        start=rows.moment(start, what="sacct's Start"),
        end=rows.moment(end, what="sacct's End"),
        elapsed=rows.number(elapsed, what="sacct's ElapsedRaw"),
        suspended=_duration(suspended),
        alloc_tres=tres,
        nodes=rows.number(nodes, what="sacct's NNodes"),
        nodelist=rows.blank(nodelist),
        partition=rest[0],
        account=rest[1],
        exit_code=parse_exit_code(code),
        name=rest[2],
    )


def _duration(text: str) -> int | None:
    # sacct has no raw form of this one, and prints INVALID where clocks disagree.
    try:
        return units.parse_time(text)
    except ValueError:
        return None
