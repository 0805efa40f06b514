"""Fixtures of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from verbs.desk import Desk

from trainsub import Client


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A user's machine, and two clusters."""
    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.fixture
def client(desk: Desk) -> Client:
    """The library, on that machine."""
    return desk.client()
