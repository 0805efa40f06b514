"""Runs as lists show them: read without scripts and specs, which are most of the store; functions on a connection."""

import sqlite3
from datetime import datetime

from trainsub.slurm.states import TERMINAL
from trainsub.store import rows
from trainsub.tracker.values import ACCEPTED, OPEN, UNKNOWN, Job, Run

_LIGHT = "run, name, key, cluster, created_at, plan_hash, outcome, detail, '' AS script, '' AS spec, code"
# An end is asked about for a while yet, until its accounts are complete; whoever reads it then looks closer.
_MAY_BE_OPEN = "(state IS NULL OR state NOT IN ({ends}) OR coalesce(observed_at, end_time) >= ?)"


def listed(db: sqlite3.Connection) -> list[Run]:
    """All runs, oldest first, with empty scripts and specs."""
    runs = db.execute(f"SELECT {_LIGHT} FROM runs ORDER BY created_at, run").fetchall()  # noqa: S608 -- a constant
    jobs = db.execute("SELECT * FROM jobs ORDER BY run, link, task").fetchall()
    allocations = db.execute("SELECT * FROM allocations ORDER BY run, link, task, number").fetchall()
    return rows.runs_of(runs, jobs, allocations)


def open_jobs(db: sqlite3.Connection, cluster: str, since: datetime | None) -> list[Job]:
    """Jobs of accepted runs on a cluster: those that have not ended, or did since then; None for all."""
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


def open_clusters(db: sqlite3.Connection, since: datetime) -> set[str]:
    """Clusters with a submission to settle, or a job of which a question may tell something new."""
    where, values = _open(since)
    found = db.execute(
        "SELECT DISTINCT cluster FROM runs WHERE outcome IN (?, ?) UNION "  # noqa: S608 -- the same
        "SELECT DISTINCT runs.cluster FROM jobs JOIN runs USING (run)"
        f" WHERE outcome = ? AND task = {rows.WHOLE_JOB} AND {where}",
        (OPEN, UNKNOWN, ACCEPTED, *values),
    )
    return {row[0] for row in found}


def _open(since: datetime | None) -> tuple[str, tuple[object, ...]]:
    if since is None:
        return "1", ()
    return _MAY_BE_OPEN.format(ends=", ".join("?" * len(TERMINAL))), (*sorted(TERMINAL), rows.text(since))
