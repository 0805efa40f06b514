"""The job of a submission that was accepted. Pure."""

import tomllib
from datetime import datetime
from typing import Any

from trainsub.slurm import arrays as indices
from trainsub.spec import Chain, Sweep, array_of
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
    spec = _read(run.spec)
    array, chain = _array(spec), isinstance(spec.get("chain"), dict)
    return arrays.begin(Job(run=run.run, link=link, job_id=job_id, submitted=submitted, array=array, chain=chain))


def has_secrets(run: Run) -> bool:
    """Whether secrets travelled with a run; the spec that was sent says so."""
    return "secrets" in _read(run.spec)


def _read(spec: str) -> dict[str, Any]:
    """The tables of a spec; in one that another version wrote may be anything."""
    try:
        return tomllib.loads(spec)
    except ValueError:
        return {}


def _array(spec: dict[str, Any]) -> str | None:
    """The indices that sbatch was told; None where they cannot be learned."""
    slurm, sweep, chain = (spec.get(table) for table in ("slurm", "sweep", "chain"))
    given = slurm.get("array") if isinstance(slurm, dict) else None
    try:
        found = array_of(
            given if isinstance(given, str) else None,
            Sweep.model_validate(sweep) if sweep is not None else None,
            Chain.model_validate(chain) if chain is not None else None,
        )
        if found is not None:
            indices.parse(found)
    except ValueError:  # pydantic's own error is one, too
        return None
    return found
