"""The job of a submission that was accepted. Pure."""

import tomllib
from datetime import datetime

from trainsub.slurm import arrays as indices
from trainsub.tracker import arrays
from trainsub.tracker.values import LINK, Job, Run


def first_job(run: Run, job_id: int, submitted: datetime, *, link: int = LINK) -> Job:
    """What is known of a job before it was ever seen; of an array, with all its tasks.

    Args:
        run: Its run; the spec that was sent says whether it is an array.
        job_id: sbatch's answer.
        submitted: When sbatch was called.
        link: Its number in the run.
    """
    job = Job(run=run.run, link=link, job_id=job_id, submitted=submitted, array=_array(run.spec))
    return arrays.begin(job)


def _array(spec: str) -> str | None:
    """The indices in a spec; in one that another version wrote may be anything."""
    try:
        slurm = tomllib.loads(spec).get("slurm")
        found = slurm.get("array") if isinstance(slurm, dict) else None
        if isinstance(found, str):
            indices.parse(found)
            return found
    except ValueError:  # tomllib's own error is one, too
        pass
    return None
