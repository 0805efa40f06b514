"""``[slurm] array``: what sbatch takes, and nothing of the cluster's defaults."""

import pytest

from trainsub.errors import SpecError
from trainsub.spec import JobSpec, SlurmDefaults, parse_spec

TOML = 'name = "x"\ncommand = ["true"]\n[slurm]\nnodes = 1\ntime = "5"\narray = {}\n[launch]\nkind = "srun"\n'


def spec(value: str) -> JobSpec:
    """A spec with an array."""
    return parse_spec(TOML.format(value))


def test_the_indices_are_kept_as_they_were_written() -> None:
    """sbatch gets what the user wrote."""
    assert spec('"0-9%2"').slurm.array == "0-9%2"


@pytest.mark.parametrize("value", ['"9-0"', '"0-9:0"', '"0-9%x"', "5", '""', '"[0-9]"', "true"])
def test_what_is_no_array_is_refused_by_its_place(value: str) -> None:
    """Before anything is sent."""
    with pytest.raises(SpecError, match=r"slurm\.array: .*"):
        spec(value)


def test_a_cluster_has_no_default_array() -> None:
    """Nobody's job becomes ten by the configuration of a site."""
    assert "array" in SlurmDefaults.refused
