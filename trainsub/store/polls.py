"""What a poll told, written at once for all jobs of a cluster; functions on an open transaction."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trainsub.store import rows
from trainsub.tracker.values import Job

OVERTAKEN = timedelta(minutes=1)
"""By how much another process may have been quicker; what seems to be later still is the mark of a wrong clock."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was learned of a cluster's accounts.

    Attributes:
        accounting: Whether it keeps any; None if that is not known.
        gpus_tracked: Whether they record GPUs; None if that is not known.
        gpus_tracked_at: When that was learned.
    """

    accounting: bool | None = None
    gpus_tracked: bool | None = None
    gpus_tracked_at: datetime | None = None


def facts(db: sqlite3.Connection, cluster: str) -> Facts:
    """Read what was learned of a cluster's accounts."""
    row = db.execute("SELECT * FROM polls WHERE cluster = ?", (cluster,)).fetchone()
    if row is None:
        return Facts()
    return Facts(_flag(row["accounting"]), _flag(row["gpus_tracked"]), rows.time(row["gpus_tracked_at"]))


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def note_poll(
    db: sqlite3.Connection, cluster: str, at: datetime, *, accounting: bool | None, gpus_tracked: bool | None
) -> None:
    """Remember when a cluster answered, and what was learned of its accounts, None for nothing."""
    values = (cluster, rows.text(at), accounting)
    db.execute(
        "INSERT INTO polls (cluster, at, accounting) VALUES (?1, ?2, ?3) ON CONFLICT (cluster) DO UPDATE"
        " SET at = ?2, accounting = coalesce(?3, accounting)",
        values,
    )
    if gpus_tracked is not None:
        db.execute(
            "UPDATE polls SET gpus_tracked = ?, gpus_tracked_at = ? WHERE cluster = ?",
            (gpus_tracked, rows.text(at), cluster),
        )


def only_seen(before: Job, after: Job) -> bool:
    """Whether a poll told nothing of a job but that it is as it was."""
    if before.tasks or after.tasks:
        return False
    if before.seen_row is not None and before.seen_row == after.seen_row and before.allocations is after.allocations:
        return True  # the same row of squeue, and nothing from sacct
    return replace(before, observed_at=after.observed_at, seen_there=after.seen_there) == after


def touch(db: sqlite3.Connection, cluster: str, pairs: Sequence[tuple[Job, Job]], *, current: bool) -> bool:
    """Write when jobs were seen that are as they were.

    Args:
        db: The connection.
        cluster: Where they are.
        pairs: As they were known, and as they are.
        current: Nobody has written since they were read.

    Returns:
        Whether all of them are in the store as they were; False if another process has written meanwhile.
    """
    if current and _all_at_once(db, cluster, pairs):
        return True
    cursor = db.executemany(
        "UPDATE jobs SET observed_at = ?, seen_there = ?, seen_row = ?"
        " WHERE run = ? AND link = ? AND task = ? AND observed_at IS ? AND state IS ? AND missing_since IS NULL",
        [
            (rows.text(after.observed_at), rows.text(after.seen_there), after.seen_row, after.run, after.link,
             rows.WHOLE_JOB, rows.text(before.observed_at), before.state)
            for before, after in pairs
        ],
    )  # fmt: skip
    return cursor.rowcount == len(pairs)


def _all_at_once(db: sqlite3.Connection, cluster: str, pairs: Sequence[tuple[Job, Job]]) -> bool:
    """Where all jobs whose rows are known were seen together, before and now: one statement for thousands of them."""
    times = {(before.observed_at, after.observed_at, after.seen_there) for before, after in pairs}
    if len(times) != 1 or any(before.seen_row is None or before.seen_row != after.seen_row for before, after in pairs):
        return False
    ((was, now, there),) = times
    chosen = "cluster = ? AND task = ? AND observed_at IS ? AND seen_row IS NOT NULL"
    given = (cluster, rows.WHOLE_JOB, rows.text(was))
    (count,) = db.execute(f"SELECT count(*) FROM jobs WHERE {chosen}", given).fetchone()  # noqa: S608 -- a constant
    if count != len(pairs):
        return False
    times_now = (rows.text(now), rows.text(there))
    db.execute(f"UPDATE jobs SET observed_at = ?, seen_there = ? WHERE {chosen}", (*times_now, *given))  # noqa: S608 -- the same
    return True


def known_later(db: sqlite3.Connection, job: Job) -> bool:
    """Whether another process wrote what it learned after this was asked.

    An array's own time is that of the tasks that speak for it, which may be older than what is new of the others.
    """
    found = db.execute("SELECT observed_at FROM jobs WHERE run = ? AND link = ?", (job.run, job.link))
    known = [time for row in found if (time := rows.time(row["observed_at"]))]
    learned = [one.observed_at for one in (job, *job.tasks) if one.observed_at]
    return bool(known and learned) and timedelta(0) < max(known) - max(learned) < OVERTAKEN
