"""The job of a submission that was accepted. Pure."""

import tomllib
from datetime import datetime
from typing import Any

from trainsub.slurm import arrays as indices
from trainsub.slurm import batch_script
from trainsub.spec import Chain, Sweep, array_of
from trainsub.tracker import arrays
from trainsub.tracker.values import LINK, Job, Run


def first_job(run: Run, job_id: int, submitted: datetime, *, link: int = LINK) -> Job:
    """What is known of a job before it was ever seen; of an array, with all its tasks.

    Args:
        run: Its run; the spec and the script that were sent say whether it is an array.
        job_id: sbatch's answer.
        submitted: When sbatch was called.
        link: Its number in the run.
    """
    spec = _read(run.spec)
    # A spec that another version wrote may not be understood here; then the script has what sbatch was told.
    array, chain = _array(spec) or _array_of_script(run.script), isinstance(spec.get("chain"), dict)
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
    """The indices that a spec means; None where it means none, or is not understood."""
    slurm, sweep, chain = (spec.get(table) for table in ("slurm", "sweep", "chain"))
    given = slurm.get("array") if isinstance(slurm, dict) else None
    try:
        return _checked(
            array_of(
                given if isinstance(given, str) else None,
                Sweep.model_validate(sweep) if sweep is not None else None,
                Chain.model_validate(chain) if chain is not None else None,
            )
        )
    except ValueError:  # pydantic's own error is one, too
        return None


def _array_of_script(script: str) -> str | None:
    """The indices in the script's directives; None where there are none, or none that can be read."""
    found = None
    for number, line, command in batch_script.directive_lines(script):
        if command:
            break
        try:
            told = [one.value for one in batch_script.read_line(number, line) if one.option == "array"]
            found = _checked(told[-1]) if told else found
        except ValueError:
            continue
    return found


def _checked(array: str | None) -> str | None:
    """The same indices.

    Raises:
        ValueError: They are none.
    """
    if array is not None:
        indices.parse(array)
    return array
