"""What became of a submission, read off the fence and sbatch's answer. Pure.

The fence (``owner.<link>``, a symbolic link whose target is a job id, ``void`` or ``gone``) is the only judge.  Whoever
creates it first has decided; everybody else, the job itself included, reads it.  settle.py has the table of the races.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from trainsub.errors import OutputError
from trainsub.record.answers import parse_answer as parse_file
from trainsub.slurm import jobids
from trainsub.slurm.sbatch import Accepted, Refused, parse_answer
from trainsub.tracker.values import ACCEPTED, REFUSED, UNKNOWN, VOID

NO_FENCE = "-"
"""What the programs say when nobody has created the fence yet."""
GONE = "gone"
"""What the fence holds if the run's directory is being removed: sbatch refused, or was never called."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a submission.

    Attributes:
        outcome: ``accepted``, ``refused``, ``void`` or ``unknown``.
        job_id: The job.  With ``void``: a job that Slurm accepted all the same.  It ends at the fence, seconds after it
            starts; cancelling it spares the queue that.
        cluster: The cluster's name, where sbatch told it.
        detail: Why, in one line; empty for an accepted job.
        text: All that sbatch said, if it refused.
    """

    outcome: str
    job_id: int | None = None
    cluster: str | None = None
    detail: str = ""
    text: str = ""


def judge(owner: str, answer: bytes) -> Verdict:
    """Return what the fence and sbatch's answer stand for.

    Args:
        owner: What the fence holds: a job id, ``void``, ``gone``, or ``-`` if it does not exist.
        answer: The text of the answer file; empty if there is none.

    Raises:
        OutputError: The fence holds something else.
    """
    said = read_answer(answer)
    if owner in {NO_FENCE, GONE}:
        return said
    if owner == VOID:
        if said.job_id is None:
            return Verdict(VOID, detail="no job was accepted, and none will be")
        detail = f"job {said.job_id} came after the run was voided; it will not train"
        return Verdict(VOID, said.job_id, said.cluster, detail)
    job_id = jobids.plain(owner)
    if job_id is None:
        raise OutputError(f"the fence of the run holds {owner[:200]!r}, which is neither a job id nor 'void'")
    return said if said.job_id == job_id else Verdict(ACCEPTED, job_id)


def read_begun(word: str) -> datetime | None:
    """Return when sbatch was called, from the epoch in the mark; None if that is no time.

    Args:
        word: The epoch in seconds, or ``-``.
    """
    # With more digits it is a year that calendars and zones have trouble with.
    readable = word.isascii() and word.isdigit() and len(word) < 12  # noqa: PLR2004 -- the year 5138
    return datetime.fromtimestamp(int(word), UTC) if readable else None


def read_answer(data: bytes) -> Verdict:
    """Return what sbatch's recorded answer means; in doubt it is unknown.

    Args:
        data: The text of the answer file; empty if there is none.
    """
    if not data.strip():
        return Verdict(UNKNOWN, detail="sbatch's answer is not recorded")
    try:
        answer = parse_file(data.decode("utf-8", "replace"))
    except OutputError as error:
        return Verdict(UNKNOWN, detail=error.message)
    said = parse_answer(answer.rc, answer.out, answer.err)
    if isinstance(said, Accepted):
        return Verdict(ACCEPTED, said.job_id, said.cluster)
    if isinstance(said, Refused):
        return Verdict(REFUSED, detail=said.reason, text=said.text)
    words = " | ".join(said.text.splitlines()) or "it said nothing"
    return Verdict(UNKNOWN, detail=f"sbatch's answer is unclear (exit status {answer.rc}): {words}")
