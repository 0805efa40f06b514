"""Each cluster answers all rows at once, at the first question; see facts.py."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contract.facts import MINISLURM, VERSIONS, Row
from contract.places import minislurm, run_all, slurm
from contract.plants import PLANTED, run_planted
from contract.table import PROPERTY

SLURM_WORKERS = 6
MINISLURM_WORKERS = 4

Answer = str | Exception
Ask = Callable[[str, Row], str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With ``--dist loadgroup`` all rows of a cluster are one worker's."""
    for item in items:
        place, row = _asked(item)
        if row is not None:
            item.add_marker(pytest.mark.xdist_group(place))
            if place in VERSIONS:
                item.add_marker(pytest.mark.cluster)
            if place != PLANTED:
                item.user_properties.append((PROPERTY, f"{place} {row.name}"))


def _asked(item: pytest.Item) -> tuple[str, Row | None]:
    """Place and row of a test that asks a cluster."""
    values: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return values.get("place", ""), values.get("row") if "place" in values else None


@pytest.fixture(scope="session")
def answer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """The facts that a place told of a row; the first question asks for all rows that this session will want."""
    folder = tmp_path_factory.mktemp("contract")
    known: dict[tuple[str, str], Answer] = {}

    def wanted(place: str, row: Row) -> list[Row]:
        # Where other workers may run the neighbours of this test, each asks for its own.
        if "PYTEST_XDIST_WORKER" in os.environ and not request.config.getoption("loadgroup", default=False):
            return [row]
        asked = map(_asked, request.session.items)
        return [one for where, one in asked if where == place and one is not None]

    def ask(place: str, row: Row) -> str:
        if (place, row.name) not in known:
            answers = _ask(place, wanted(place, row), Path(tempfile.mkdtemp(dir=folder)))
            known.update({(place, name): facts for name, facts in answers.items()})
        facts = known[place, row.name]
        if isinstance(facts, Exception):
            raise facts
        return facts

    return ask


def _ask(place: str, rows: list[Row], folder: Path) -> dict[str, Answer]:
    """Start a place and let it answer rows."""
    if place == PLANTED:
        return run_planted(rows, folder, MINISLURM_WORKERS)
    if place == MINISLURM:
        with minislurm(folder) as run:
            return run_all(rows, run, MINISLURM_WORKERS)
    with slurm(place) as run:
        return run_all(rows, run, SLURM_WORKERS)
