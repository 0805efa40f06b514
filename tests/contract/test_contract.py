"""minislurm and each real Slurm answer every row as was recorded from real Slurm; see facts.py and record.py."""

import pytest
from contract.conftest import Ask
from contract.facts import EXPECTED, NORM, PLACES, VERSIONS, Row, load
from contract.plants import PLANTED
from contract.plants import load as load_plants

ROWS = load()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("place", PLACES)
def test_the_facts_are_those_of_real_slurm(place: str, row: Row, answer: Ask) -> None:
    """Minislurm follows 24.11; the others answer as they did when they were asked."""
    assert answer(place, row) == row.expected(place)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("place", [PLANTED])
def test_an_error_in_minislurm_is_found(place: str, row: Row, answer: Ask) -> None:
    """Each row fails where the error of plants.toml is planted for it."""
    assert answer(place, row) != row.expected(NORM)


def test_every_row_has_its_error() -> None:
    """And no error is left over."""
    assert set(load_plants()) == {row.name for row in ROWS}


def test_every_expectation_belongs_to_a_row() -> None:
    """And every row has one; those of other versions say something else than the norm."""
    names = {row.name for row in ROWS}
    others = {f"{name}.{version}": name for name in names for version in VERSIONS if version != NORM}
    stems = {path.name.removesuffix(".txt") for path in EXPECTED.iterdir()}
    assert names <= stems
    assert stems - names <= set(others)
    for stem in stems - names:
        norm = (EXPECTED / f"{others[stem]}.txt").read_text()
        assert (EXPECTED / f"{stem}.txt").read_text() != norm, stem
