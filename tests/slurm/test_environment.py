import pytest

from trainsub.slurm import environment


@pytest.mark.parametrize(
    ("name", "scrubbed"),
    [
        ("SBATCH_PARTITION", True),
        ("SLURM_JOB_ID", True),
        ("SQUEUE_FORMAT", True),
        ("SACCT_FORMAT", True),
        ("SCANCEL_NAME", True),
        ("PMIX_RANK", True),
        ("SLURM_CONF", False),
        ("SLURM_JWT", False),
        ("PATH", False),
        ("MY_SBATCH_X", False),
    ],
)
def test_scrubbed_variables(name: str, scrubbed: bool) -> None:  # noqa: FBT001
    """What changes a command goes; where Slurm is, and who the user is, stays."""
    assert environment.is_scrubbed(name) is scrubbed


def test_what_is_set_would_have_been_scrubbed_or_is_the_locale() -> None:
    """Nothing that is set survives from the user's environment."""
    assert all(environment.is_scrubbed(name) or name == "LC_ALL" for name, _ in environment.SET)
