"""Runs as lists show them: read without scripts and specs, which are most of the store."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from trainsub.slurm.states import TERMINAL
from trainsub.store import rows
from trainsub.tracker.values import ACCEPTED, OPEN, UNKNOWN, Job, Run

_LIGHT = "run, name, key, cluster, created_at, plan_hash, outcome, detail, '' AS script, '' AS spec, code"
_ENDS = tuple(sorted(TERMINAL))
_UNFINISHED = f"(state IS NULL OR state NOT IN ({', '.join('?' * len(_ENDS))}))"


class Lists:
    """Reads what concerns many runs.

    Args:
        transaction: Begins a transaction of the store that only reads.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._transaction = transaction

    def all(self) -> list[Run]:
        """All runs, oldest first, with empty scripts and specs."""
        with self._transaction() as db:
            runs = db.execute(f"SELECT {_LIGHT} FROM runs ORDER BY created_at, run").fetchall()  # noqa: S608 -- a constant
            jobs = db.execute("SELECT * FROM jobs ORDER BY run, link, task").fetchall()
            allocations = db.execute("SELECT * FROM allocations ORDER BY run, link, task, number").fetchall()
            return rows.runs_of(runs, jobs, allocations)

    def open_jobs(self, cluster: str, since: datetime | None) -> list[Job]:
        """Jobs of accepted runs on a cluster: those that have not ended, or did since then; None for all."""
        with self._transaction() as db:
            where, values = _open(since)
            chosen = (
                "SELECT jobs.run FROM jobs JOIN runs USING (run)"  # noqa: S608 -- question marks and constants
                f" WHERE runs.cluster = ? AND outcome = ? AND task = {rows.WHOLE_JOB} AND {where}"
            )
            given = (cluster, ACCEPTED, *values)
            jobs = db.execute(f"SELECT * FROM jobs WHERE run IN ({chosen}) ORDER BY run, link, task", given).fetchall()  # noqa: S608 -- the same
            allocations = db.execute(
                f"SELECT * FROM allocations WHERE run IN ({chosen}) ORDER BY run, link, task, number",  # noqa: S608 -- the same
                given,
            ).fetchall()
            return rows.jobs_of(jobs, allocations)

    def has_unfinished(self, cluster: str) -> bool:
        """Whether a cluster has a job of which no end is known."""
        query = (
            "SELECT 1 FROM jobs JOIN runs USING (run)"  # noqa: S608 -- question marks and constants
            f" WHERE runs.cluster = ? AND outcome = ? AND task = {rows.WHOLE_JOB} AND {_UNFINISHED} LIMIT 1"
        )
        with self._transaction() as db:
            return db.execute(query, (cluster, ACCEPTED, *_ENDS)).fetchone() is not None

    def clusters(self) -> dict[str, bool]:
        """Clusters that have runs, and whether there is one to settle."""
        with self._transaction() as db:
            found = db.execute("SELECT cluster, max(outcome IN (?, ?)) FROM runs GROUP BY cluster", (OPEN, UNKNOWN))
            return {cluster: bool(unsettled) for cluster, unsettled in found}

    def unseen(self, cluster: str) -> bool:
        """Whether a cluster has a job that was never looked for."""
        with self._transaction() as db:
            row = db.execute(
                "SELECT 1 FROM jobs WHERE cluster = ? AND task = ? AND observed_at IS NULL"
                " AND missing_since IS NULL LIMIT 1",
                (cluster, rows.WHOLE_JOB),
            ).fetchone()
            return row is not None


def _open(since: datetime | None) -> tuple[str, tuple[object, ...]]:
    """A condition on ``jobs``, with its values."""
    if since is None:
        return "1", ()
    # That too is asked about for a while yet: its accounts may be late. Whoever reads it then looks closer.
    return f"({_UNFINISHED} OR coalesce(observed_at, end_time) >= ?)", (*_ENDS, rows.text(since))
