"""The store: one connection to one SQLite file, short transactions, values in and out.

Rollback journal, not WAL: WAL needs shared memory, which network homes do not have (sqlite.org/wal.html).
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from trainsub.errors import StoreError
from trainsub.store import files, rows
from trainsub.store.claims import Claims
from trainsub.store.failures import explained
from trainsub.store.listing import Lists
from trainsub.store.migrations import migrate
from trainsub.store.polls import Facts, facts, known_later, note_poll, only_seen, touch
from trainsub.store.schedules import Schedules, read, write
from trainsub.store.secrets import Secrets
from trainsub.tracker.events import changes
from trainsub.tracker.schedule import Schedule
from trainsub.tracker.values import OPEN, UNKNOWN, VOID, Job, Run


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a run, as it was learned."""

    run: str
    link: int | None
    at: datetime
    what: str
    source: str | None = None
    detail: str | None = None


class Store:
    """Runs, their jobs and what was seen of them.

    Args:
        path: The SQLite file; it and its folder are made when missing, readable by their owner only.
        kept: False for a copy in memory, where the file cannot be written to: what is learned ends with the process.

    Attributes:
        claims: Which runs are being submitted right now.
        schedules: When each cluster may be asked, and which process does.
        lists: What concerns many runs, read quickly.
        secrets: Which runs may still have secrets on their cluster.

    Raises:
        StoreError: The file cannot be opened, is damaged, or is newer than this trainsub.
    """

    def __init__(self, path: Path, *, kept: bool = True) -> None:
        self.path = path
        with explained(path):
            self._db = files.open_file(path) if kept else files.open_copy(path)
            self._lock = threading.RLock()
            self.claims = Claims(path.parent / "claims" if kept else None)
            self.lists = Lists(lambda: self._transaction("DEFERRED"))
            self.schedules = Schedules(self._transaction, path.parent / "asking" if kept else None, self.lists)
            self.secrets = Secrets(self._transaction)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA foreign_keys = ON")
            migrate(self._db)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # -- runs ---------------------------------------------------------------------------------------------------

    def add_run(self, run: Run) -> bool:
        """Record an intent before anything is sent.

        Returns:
            False if the run is there already; nothing is changed then.
        """
        with self._transaction() as db:
            cursor = db.execute(f"INSERT OR IGNORE INTO runs VALUES ({_marks(11)})", rows.run_row(run))  # noqa: S608 -- only question marks
            if cursor.rowcount:
                self._note(db, [Event(run.run, None, run.created_at, "intent recorded")])
                self.secrets.note(db, run)
            return bool(cursor.rowcount)

    def settle(self, run: str, outcome: str, detail: str | None, at: datetime, job: Job | None = None) -> None:
        """Record the outcome of a submission, with the job that it gave."""
        with self._transaction() as db:
            found = db.execute("SELECT cluster, outcome FROM runs WHERE run = ?", (run,)).fetchone()
            if found is None:
                raise StoreError(f"run {run} vanished from the store {self.path} while it was being submitted")
            db.execute("UPDATE runs SET outcome = ?, detail = ? WHERE run = ?", (outcome, detail, run))
            events = []
            if outcome != found["outcome"]:  # what stays unknown is asked about for as long as somebody waits
                events = [Event(run, job.link if job else None, at, f"submission {outcome}", None, detail)]
            if job is not None:
                self._put_job(db, job, found["cluster"])
                events.append(Event(run, job.link, at, f"job {job.job_id}", "sbatch"))
            self._note(db, events)

    def reopen(self, run: Run) -> None:
        """Put a run in the place of one of the same id that was never accepted: same key, perhaps another plan."""
        with self._transaction() as db:
            db.execute("DELETE FROM allocations WHERE run = ?", (run.run,))
            db.execute("DELETE FROM jobs WHERE run = ?", (run.run,))
            db.execute(f"REPLACE INTO runs VALUES ({_marks(11)})", rows.run_row(run))  # noqa: S608 -- only question marks
            self._note(db, [Event(run.run, None, run.created_at, "intent recorded again")])
            self.secrets.note(db, run)

    def restore(self, pairs: Iterable[tuple[Run | None, Run]], at: datetime) -> None:
        """Record runs as their cluster tells of them.

        Args:
            pairs: Each run as it was known here, None if it was not, and as it is known now, with no job fewer.
            at: The time.
        """
        with self._transaction() as db:
            for before, after in pairs:
                verb = "INSERT OR IGNORE" if before is None else "REPLACE"
                if not db.execute(f"{verb} INTO runs VALUES ({_marks(11)})", rows.run_row(after)).rowcount:
                    continue  # another process was quicker
                ours = {job.link: job for job in before.jobs} if before else {}
                for job in after.jobs:
                    if job.link not in ours or job.array != ours[job.link].array:
                        self._put_job(db, job, after.cluster)
                    elif job.submitted != ours[job.link].submitted:  # nothing else: what a poll has just told stands
                        at_first = (rows.text(job.submitted), job.run, job.link)
                        db.execute("UPDATE jobs SET submitted = ? WHERE run = ? AND link = ?", at_first)
                self._note(db, [Event(after.run, None, at, "found on its cluster", "trainsub", after.detail)])
                self.secrets.note(db, after)

    def forget(self, run: str) -> None:
        """Take an intent back of which nothing was sent."""
        with self._transaction() as db:
            if db.execute("SELECT 1 FROM runs WHERE run = ? AND outcome = ?", (run, OPEN)).fetchone():
                db.execute("DELETE FROM events WHERE run = ?", (run,))
                db.execute("DELETE FROM runs WHERE run = ?", (run,))

    def run(self, run: str) -> Run | None:
        """One run by its id."""
        found = self._runs("WHERE run = ?", (run,))
        return found[0] if found else None

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        return self._runs("", ())

    def matching(self, prefix: str) -> list[Run]:
        """Runs whose id begins with a text."""
        return self._runs("WHERE substr(run, 1, ?) = ?", (len(prefix), prefix))

    def by_job(self, job_id: int, cluster: str | None) -> list[Run]:
        """Runs that have a job of this id, on one cluster or on any."""
        where = "WHERE run IN (SELECT run FROM jobs WHERE job_id = ? AND (? IS NULL OR cluster = ?))"
        return self._runs(where, (job_id, cluster, cluster))

    def unsettled(self, cluster: str | None = None) -> list[Run]:
        """Runs whose submission has no known outcome yet."""
        where = "WHERE outcome IN (?, ?) AND (? IS NULL OR cluster = ?)"
        return self._runs(where, (OPEN, UNKNOWN, cluster, cluster))

    def void(self, cluster: str) -> set[str]:
        """Ids of the runs on a cluster that were given up."""
        with self._transaction("DEFERRED") as db:
            found = db.execute("SELECT run FROM runs WHERE outcome = ? AND cluster = ?", (VOID, cluster))
            return {row["run"] for row in found}

    # -- observations -------------------------------------------------------------------------------------------

    def observe(
        self,
        cluster: str,
        changed: Sequence[tuple[Job, Job]],
        at: datetime,
        *,
        accounting: bool | None,
        gpus_tracked: bool | None = None,
        schedule: Callable[[Schedule], Schedule] | None = None,
    ) -> None:
        """Record a poll: the jobs of which it told something, as pairs of before and after, and the rest of it."""
        seen: list[tuple[Job, Job]] = []
        told: list[tuple[Job, Job]] = []
        for pair in changed:
            (seen if only_seen(*pair) else told).append(pair)
        with self._transaction() as db:
            current = self.lists.is_current(db)
            written = [after for _, after in seen]
            if not touch(db, cluster, seen, current=current):
                told, written = list(changed), []
            for before, after in told:
                if known_later(db, after):
                    continue
                self._put_job(db, after, cluster)
                written.append(after)
                news = changes(before, after)
                self._note(db, [Event(after.run, after.link, at, one.what, one.source, one.detail) for one in news])
            note_poll(db, cluster, at, accounting=accounting, gpus_tracked=gpus_tracked)
            if schedule is not None:
                write(db, cluster, schedule(read(db, cluster)))
            if current:
                self.lists.replace(db, written)

    def last_poll(self, cluster: str) -> datetime | None:
        """When the cluster last answered."""
        with explained(self.path):
            row = self._db.execute("SELECT at FROM polls WHERE cluster = ?", (cluster,)).fetchone()
            return rows.time(row["at"]) if row else None

    def facts(self, cluster: str) -> Facts:
        """What was learned of a cluster's accounts."""
        with explained(self.path):
            return facts(self._db, cluster)

    def note(self, event: Event) -> None:
        """Add an event to a run's history."""
        with self._transaction() as db:
            self._note(db, [event])

    def events(self, run: str) -> list[Event]:
        """A run's history, oldest first."""
        with explained(self.path):
            found = self._db.execute("SELECT * FROM events WHERE run = ? ORDER BY id", (run,)).fetchall()
            return [
                Event(row["run"], row["link"], rows.moment(row["at"]), row["what"], row["source"], row["detail"])
                for row in found
            ]

    # -- archives that the clusters have ------------------------------------------------------------------------

    def was_sent(self, cluster: str, sha256: str) -> bool:
        """Whether an archive is known to lie on a cluster. A guess to save a round trip; the cluster decides."""
        with explained(self.path):
            row = self._db.execute("SELECT 1 FROM sent WHERE cluster = ? AND sha256 = ?", (cluster, sha256)).fetchone()
        return row is not None

    def sent(self, cluster: str, sha256: str, at: datetime) -> None:
        """Remember that an archive lies on a cluster."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO sent VALUES (?, ?, ?)", (cluster, sha256, rows.text(at)))

    # -- inside -------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
        with explained(self.path), self._lock:
            self._db.execute(f"BEGIN {kind}")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # on a full disk SQLite has rolled back by itself
                    self._db.execute("ROLLBACK")
                raise

    def _put_job(self, db: sqlite3.Connection, job: Job, cluster: str) -> None:
        db.execute("DELETE FROM allocations WHERE run = ? AND link = ?", (job.run, job.link))
        db.execute("DELETE FROM jobs WHERE run = ? AND link = ?", (job.run, job.link))
        db.executemany(f"INSERT INTO jobs VALUES ({_marks(24)})", rows.job_rows(job, cluster))  # noqa: S608 -- only question marks
        db.executemany(f"INSERT INTO allocations VALUES ({_marks(15)})", rows.allocation_rows(job))  # noqa: S608 -- the same

    def _note(self, db: sqlite3.Connection, events: Iterable[Event]) -> None:
        db.executemany(
            "INSERT INTO events (run, link, at, what, source, detail) VALUES (?, ?, ?, ?, ?, ?)",
            [(one.run, one.link, rows.text(one.at), one.what, one.source, one.detail) for one in events],
        )

    def _runs(self, where: str, values: tuple[object, ...]) -> list[Run]:
        """Runs with their jobs, tasks and allocations: three queries, however many runs."""
        chosen = f"SELECT run FROM runs {where}"  # noqa: S608 -- `where` is ours
        with self._transaction("DEFERRED") as db:
            runs = db.execute(f"SELECT * FROM runs {where} ORDER BY created_at, run", values).fetchall()  # noqa: S608 -- `where` is ours
            jobs = db.execute(f"SELECT * FROM jobs WHERE run IN ({chosen}) ORDER BY run, link, task", values).fetchall()  # noqa: S608 -- the same
            allocations = db.execute(
                f"SELECT * FROM allocations WHERE run IN ({chosen}) ORDER BY run, link, task, number",  # noqa: S608 -- the same
                values,
            ).fetchall()
            return rows.runs_of(runs, jobs, allocations)


def _marks(count: int) -> str:
    return ", ".join("?" * count)
