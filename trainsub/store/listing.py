"""Runs as lists show them: read without scripts and specs, which are most of the store."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime

from trainsub.slurm.states import TERMINAL
from trainsub.store import rows
from trainsub.tracker.values import ACCEPTED, OPEN, UNKNOWN, Job, Run, with_jobs

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
        self._cached: tuple[tuple[int, int], list[Run]] | None = None

    def all(self) -> list[Run]:
        """All runs, oldest first, with empty scripts and specs."""
        with self._transaction() as db:
            if self._cached is None or self._cached[0] != _version(db):
                self._cached = _version(db), self._read(db)
            return list(self._cached[1])

    def is_current(self, db: sqlite3.Connection) -> bool:
        """Whether nobody has written since all runs were read."""
        return self._cached is not None and self._cached[0] == _version(db)

    def replace(self, db: sqlite3.Connection, jobs: Iterable[Job]) -> None:
        """Take over jobs that have just been written, where nothing else was: what was read need not be read again."""
        if self._cached is None:
            return
        newer = {(job.run, job.link): job for job in jobs}
        runs = self._cached[1]
        if not newer:
            self._cached = _version(db), runs
            return
        for number, run in enumerate(runs):
            if any((job.run, job.link) in newer for job in run.jobs):
                jobs_now = tuple(newer.get((job.run, job.link), job) for job in run.jobs)
                runs[number] = with_jobs(run, jobs_now)
        self._cached = _version(db), runs

    def _read(self, db: sqlite3.Connection) -> list[Run]:
        runs = db.execute(f"SELECT {_LIGHT} FROM runs ORDER BY created_at, run").fetchall()  # noqa: S608 -- a constant
        jobs = db.execute("SELECT * FROM jobs ORDER BY run, link, task").fetchall()
        allocations = db.execute("SELECT * FROM allocations ORDER BY run, link, task, number").fetchall()
        return rows.runs_of(runs, jobs, allocations)

    def open_jobs(self, cluster: str, since: datetime | None) -> list[Job]:
        """Jobs of accepted runs on a cluster: those that have not ended, or did since then; None for all."""
        with self._transaction() as db:
            if self._cached is not None and self.is_current(db):
                runs = [run for run in self._cached[1] if run.cluster == cluster and run.outcome == ACCEPTED]
                return [job for run in runs for job in run.jobs if _may_be_open(job, since)]
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


def _version(db: sqlite3.Connection) -> tuple[int, int]:
    """Changes when another connection has written, or this one."""
    return db.execute("PRAGMA data_version").fetchone()[0], db.total_changes


def _may_be_open(job: Job, since: datetime | None) -> bool:
    """The same as the condition of ``_open``."""
    seen = job.observed_at or job.end_time
    return since is None or job.state not in TERMINAL or (seen is not None and seen >= since)


def _open(since: datetime | None) -> tuple[str, tuple[object, ...]]:
    """A condition on ``jobs``, with its values."""
    if since is None:
        return "1", ()
    # That too is asked about for a while yet: its accounts may be late. Whoever reads it then looks closer.
    return f"({_UNFINISHED} OR coalesce(observed_at, end_time) >= ?)", (*_ENDS, rows.text(since))
