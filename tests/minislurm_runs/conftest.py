"""A machine without any cluster but its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from minislurm_runs.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A user's machine."""
    made = Machine(tmp_path / "ho me")
    yield made
    made.leave()
