"""Which runs may still have their secrets on their cluster. No secret is ever in the store, and no name of one."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from trainsub.slurm.states import TERMINAL
from trainsub.tracker.begin import has_secrets
from trainsub.tracker.values import ACCEPTED, VOID, Run

_ENDS = tuple(sorted(TERMINAL))
_ENDED = f"""
SELECT run FROM secrets JOIN runs USING (run) WHERE cluster = ? AND (outcome = ? OR outcome = ? AND NOT EXISTS (
    SELECT 1 FROM jobs WHERE jobs.run = secrets.run
    AND (state IS NULL OR state NOT IN ({", ".join("?" * len(_ENDS))})))) ORDER BY run
"""  # noqa: S608 -- only question marks


class Secrets:
    """Runs with secrets, from their intent until these are known to be gone.

    Args:
        transaction: Begins a transaction of the store, of a kind.
    """

    def __init__(self, transaction: Callable[[str], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._transaction = transaction

    def note(self, db: sqlite3.Connection, run: Run) -> None:
        """Remember a run if it has secrets, in a transaction that has begun."""
        if has_secrets(run):
            db.execute("INSERT OR IGNORE INTO secrets VALUES (?)", (run.run,))

    def ended(self, cluster: str) -> list[str]:
        """Ids of the runs on a cluster that have ended, or were given up, and whose secrets may still lie there.

        A run that was refused is not among them: it left no directory, and its id may be another submission's by now.
        """
        with self._transaction("DEFERRED") as db:
            return [row["run"] for row in db.execute(_ENDED, (cluster, VOID, ACCEPTED, *_ENDS))]

    def gone(self, runs: Iterable[str]) -> None:
        """The secrets of these runs have been removed."""
        with self._transaction("IMMEDIATE") as db:
            db.executemany("DELETE FROM secrets WHERE run = ?", [(run,) for run in runs])
