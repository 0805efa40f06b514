"""Each cluster answers all rows at once, at the first question; see facts.py."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from contract.facts import MINISLURM, Row
from contract.places import minislurm, run_all, slurm
from contract.table import PROPERTY

SLURM_WORKERS = 6
MINISLURM_WORKERS = 4


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With ``-n 2 --dist loadgroup`` all rows of a cluster are one worker's."""
    for item in items:
        place, row = _asked(item)
        if row is not None:
            item.user_properties.append((PROPERTY, f"{place} {row.name}"))
            item.add_marker(pytest.mark.xdist_group(place))
            if place != MINISLURM:
                item.add_marker(pytest.mark.cluster)


def _asked(item: pytest.Item) -> tuple[str, Row | None]:
    """Place and row of a test that asks a cluster."""
    values: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return values.get("place", ""), values.get("row") if "place" in values else None


class Answers:
    """What clusters answered in this session."""

    def __init__(self, session: pytest.Session, folder: Path) -> None:
        self._session = session
        self._folder = folder
        self._known: dict[str, dict[str, str | Exception]] = {}

    def of(self, place: str, row: Row) -> str:
        """Return the facts of a row; the first question asks for all rows that this session will want.

        Raises:
            Exception: The row did not come to its end.
        """
        known = self._known.setdefault(place, {})
        if row.name not in known:
            known.update(self._ask(place, self._wanted(place, row)))
        answer = known[row.name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _wanted(self, place: str, row: Row) -> list[Row]:
        # Where other workers may run the neighbours of this test, each asks for its own.
        if "PYTEST_XDIST_WORKER" in os.environ and not self._session.config.getoption("loadgroup", default=False):
            return [row]
        asked = [_asked(item) for item in self._session.items]
        return [one for where, one in asked if where == place and one is not None]

    def _ask(self, place: str, rows: list[Row]) -> dict[str, str | Exception]:
        if place == MINISLURM:
            return run_all(rows, minislurm(Path(tempfile.mkdtemp(dir=self._folder))), MINISLURM_WORKERS)
        with slurm(place) as run:
            return run_all(rows, run, SLURM_WORKERS)


@pytest.fixture(scope="session")
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What clusters answer."""
    return Answers(request.session, tmp_path_factory.mktemp("contract"))
