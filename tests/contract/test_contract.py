"""minislurm and each real Slurm answer every row as was recorded from real Slurm; see facts.py and record.py."""

import pytest
from contract.conftest import Answers
from contract.facts import MINISLURM, PLACES, Row, load
from contract.places import PACKAGE

ROWS = load()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("place", PLACES)
def test_the_facts_are_those_of_real_slurm(place: str, row: Row, answers: Answers) -> None:
    """Minislurm follows 24.11; the others answer as they did when they were asked."""
    if place == MINISLURM and not (PACKAGE / "minislurm").exists():
        pytest.skip("minislurm is not there yet")
    assert answers.of(place, row) == row.expected(place)
