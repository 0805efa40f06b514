"""What Slurm says when it is asked too often; texts of its libraries, 24.11 and 26.05."""

import pytest

from trainsub.slurm.limits import says_too_often


@pytest.mark.parametrize(
    "text",
    [
        "squeue: RPC rate limited 3 time(s). Sleeping then trying again.",
        "slurm_load_jobs error: Rate limit exceeded, please retry momentarily",
        "sacct: error: Rate limit exceeded, please retry later",
        "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying",
        "SLURMCTLD_COMMUNICATIONS_BACKOFF",
    ],
)
def test_too_often(text: str) -> None:
    """Each of them."""
    assert says_too_often(text)


@pytest.mark.parametrize("text", ["", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"])
def test_other_trouble(text: str) -> None:
    """Is not that."""
    assert not says_too_often(text)
