"""The pace of the fault suite, and its switch: FAULTS=all for every byte and every step, a drawn sample without it."""

import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from faults.figures import PROPERTY
from faults.pace import PACE
from faults.trial import Figures
from faults.world import fast_folder

_T = TypeVar("_T")


@dataclass(frozen=True)
class Amount:
    """How much is tried.

    Attributes:
        everything: Every byte and every step.
        seed: Of what is drawn.
    """

    everything: bool
    seed: int

    def some(self, of: Sequence[_T], count: int) -> list[_T]:
        """As many of them, drawn; all of them if everything is wanted."""
        if self.everything or len(of) <= count:
            return list(of)
        return random.Random(self.seed).sample(of, count)

    def drawn(self, below: int, count: int) -> list[int]:
        """So many numbers."""
        draw = random.Random(self.seed + 1)
        return [draw.randrange(below) for _ in range(count)]


@pytest.fixture(scope="session")
def amount() -> Amount:
    """The switch; FAULTS_SEED repeats a sample."""
    seed = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(1 << 32))
    return Amount(os.environ.get("FAULTS") == "all", seed)


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """See pace.py."""
    for module, name, value in PACE:
        monkeypatch.setattr(module, name, value)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a world lies."""
    made = fast_folder()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def tell(record_property: Callable[[str, object], None], amount: Amount) -> Callable[..., None]:
    """Tells a line of figures, and fails where something is wrong."""

    def told(title: str, figures: Figures, *, drawn: bool = True) -> None:
        seed = f" (seed {amount.seed})" if drawn and not amount.everything else ""
        record_property(PROPERTY, f"{title}{seed}: {figures.line()}")
        assert not figures.wrong, "\n".join([figures.line(), *figures.wrong[:20]])

    return told
