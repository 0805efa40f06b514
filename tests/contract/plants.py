"""Errors planted in copies of minislurm, one for each row, to see that the row finds it; plants.toml says which."""

import shutil
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from contract.facts import HERE, Row, RowError
from contract.places import PACKAGE, minislurm

PLANTED = "planted"
"""The place of a test whose minislurm has an error."""

TICKS = 60
"""A row that an error lets wait need not wait for long."""


@dataclass(frozen=True)
class Plant:
    """A text of one file of minislurm, and what stands there instead."""

    file: str
    old: str
    new: str

    def place(self, package: Path) -> None:
        """Plant it in a copy of trainsub.

        Raises:
            ValueError: The text is not there, or more than once.
        """
        path = package / "minislurm" / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} holds this text {text.count(self.old)} times, not once: {self.old!r}")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


def load() -> dict[str, Plant]:
    """Return the error for each row."""
    table = tomllib.loads((HERE / "plants.toml").read_text(encoding="utf-8"))
    return {row: Plant(**plant) for row, plant in table.items()}


def run_planted(rows: Sequence[Row], folder: Path, workers: int) -> dict[str, str | Exception]:
    """Let each row ask a minislurm of its own with its error.

    Returns:
        The facts of each row, or why there are none.
    """
    plants = load()

    def ask(row: Row) -> str | Exception:
        try:
            own = folder / row.name
            package = own / "trainsub"
            shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
            plants[row.name].place(package)
            with minislurm(own, package, patience=300 if row.slow else TICKS) as run:
                return row.facts(run)
        except RowError as error:
            return f"the row came to no end: {error}"
        except (ValueError, OSError, KeyError, RuntimeError) as error:
            return error

    with ThreadPoolExecutor(workers) as pool:
        return dict(zip((row.name for row in rows), pool.map(ask, rows), strict=True))
