"""scancel: ending jobs, and signals to them. Pure."""

import re
from collections.abc import Iterable

from trainsub.slurm import rows

_ENDED = re.compile(r"Invalid job id specified|already completing or completed", re.IGNORECASE)


def argv(job_ids: Iterable[int], *, name: str = "", signal: str = "", slurm_bin: str = "") -> list[str]:
    """Return the command that cancels these jobs, or sends them a signal.

    Args:
        job_ids: At least one.
        name: Leave alone any job of another name; Slurm reuses ids, and so a stranger is never hit.
        signal: Such as ``USR1``: sent to the batch script and all its children, and the job goes on.
        slurm_bin: The folder of Slurm's commands, where they are not on the PATH.

    Raises:
        ValueError: There is no job id; scancel would then cancel every job of the user.
    """
    ids = [str(job_id) for job_id in job_ids]
    if not ids:
        raise ValueError("scancel needs a job id")
    options = [f"--name={name}"] if name else []
    if signal:
        options += ["--full", f"--signal={signal}"]
    return [rows.program("scancel", slurm_bin), *options, *ids]


def says_ended(stderr: str) -> bool:
    """Say whether scancel failed only because every job that it complains about has ended, or is unknown."""
    complaints = [line for line in stderr.splitlines() if line.startswith("scancel: error:")]
    return bool(complaints) and all(_ENDED.search(line) for line in complaints)
