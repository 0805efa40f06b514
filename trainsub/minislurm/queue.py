"""The queue and the accounts: one SQLite file in the home of the cluster, this room's only door to it.

Rollback journal and short transactions: a process that is killed at any moment leaves the former state or the new one.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self, TypeVar

from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Array, Job, Process, Record, Request, Share, Signal

FILE = "queue.sqlite"
BUSY_SECONDS = 30.0
VERSION = 1

_SCHEMA = """
CREATE TABLE jobs (job_id INTEGER PRIMARY KEY, array_id INTEGER, name TEXT NOT NULL, open INTEGER NOT NULL,
    ended INTEGER, body TEXT NOT NULL);
CREATE INDEX open_jobs ON jobs (open, ended);
CREATE INDEX array_jobs ON jobs (array_id);
CREATE TABLE records (job_id INTEGER NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (job_id, number));
CREATE TABLE steps (job_id INTEGER NOT NULL, restarts INTEGER NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (job_id, restarts, name));
CREATE TABLE counter (next_job_id INTEGER NOT NULL);
INSERT INTO counter VALUES (1);
"""

_Value = TypeVar("_Value")


class QueueError(Exception):
    """The file cannot be used; the message says where and why."""


class Queue:
    """One connection to the queue.

    Args:
        home: The cluster's home.

    Raises:
        QueueError: The file cannot be opened or is no queue.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / FILE
        with self._explained():
            # The first to come makes it; nobody else may read what jobs were asked to do.
            # Not opened if it is there: to close it would undo the locks that this process has on it already.
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            self._db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._make()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def folder(self, job_id: int) -> Path:
        """Where a job's script and environment lie, by the id that sbatch printed."""
        return self.home / "jobs" / str(job_id)

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold the queue: what is read stays true until what is written is in it, all or nothing."""
        with self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # SQLite itself has rolled back after some errors, such as a full disk.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    # -- jobs ------------------------------------------------------------------------------------------------------

    def new_id(self, least: int = 1) -> int:
        """Return an id that no job has had, ``least`` or more. Inside ``change`` only."""
        (following,) = self._db.execute("SELECT next_job_id FROM counter").fetchone()
        number = max(int(following), least)
        self._db.execute("UPDATE counter SET next_job_id = ?", (number + 1,))
        return number

    def put(self, job: Job) -> None:
        """Write a job, new or changed."""
        # A name on the command line need not be text; SQLite takes nothing else.
        name = job.request.name.encode(errors="backslashreplace").decode()
        row = (job.job_id, job.array_job_id, name, not job.ended, job.end if job.ended else None)
        with self._explained():
            self._db.execute("REPLACE INTO jobs VALUES (?, ?, ?, ?, ?, ?)", (*row, _dump(job)))

    def job(self, job_id: int) -> Job | None:
        """Return the job, ended or not."""
        return next(self._jobs("WHERE job_id = ?", job_id), None)

    def open_jobs(self) -> list[Job]:
        """Return the jobs that have not ended, by id."""
        return list(self._jobs("WHERE open = 1 ORDER BY job_id"))

    def has_open_jobs(self) -> bool:
        """Whether there are jobs that have not ended."""
        return bool(self._read("SELECT 1 FROM jobs WHERE open = 1 LIMIT 1"))

    def version(self) -> int:
        """Return a number that is another one once somebody else has changed the queue."""
        with self._explained():
            (number,) = self._db.execute("PRAGMA data_version").fetchone()
        return int(number)

    def shown_jobs(self, ended_since: float) -> list[Job]:
        """Return what squeue knows: jobs that have not ended, and those that ended since then; by id."""
        return list(self._jobs("WHERE open = 1 OR open = 0 AND ended >= ? ORDER BY job_id", ended_since))

    def array_jobs(self, array_id: int) -> list[Job]:
        """Return the rows of an array, or the job itself where it is none; by id."""
        return list(self._jobs("WHERE array_id = ? ORDER BY job_id", array_id))

    def all_jobs(self) -> list[Job]:
        """Return every job that there ever was, by id."""
        return list(self._jobs("ORDER BY job_id"))

    # -- accounts --------------------------------------------------------------------------------------------------

    def close_record(self, record: Record) -> None:
        """Add a period that ended to the accounts; the job goes on with the next one."""
        with self._explained():
            found = self._db.execute("SELECT count(*) FROM records WHERE job_id = ?", (record.job_id,)).fetchone()
            self._db.execute("INSERT INTO records VALUES (?, ?, ?)", (record.job_id, found[0], _dump(record)))

    def closed_records(self) -> list[Record]:
        """Return the periods that have ended, by job and in their order; the last one of each job is the job's own."""
        rows = self._read("SELECT body FROM records ORDER BY job_id, number")
        return [self._value(_record, body) for (body,) in rows]

    def put_step(self, step: Step) -> None:
        """Write a step, new or changed."""
        with self._explained():
            key = (step.job_id, step.restarts, step.name)
            # Not REPLACE, which would move the row to the end.
            self._db.execute(
                "INSERT INTO steps VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
                (*key, _dump(step)),
            )

    def steps(self, job_id: int | None = None) -> list[Step]:
        """Return the steps of one job, or of all, in the order in which they began."""
        where = "" if job_id is None else " WHERE job_id = ?"
        rows = self._read("SELECT body FROM steps" + where + " ORDER BY rowid", *(() if job_id is None else (job_id,)))  # noqa: S608
        return [self._value(_step, body) for (body,) in rows]

    # -- inside ----------------------------------------------------------------------------------------------------

    def _make(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == VERSION:
            return
        with self.change():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version not in {0, VERSION}:
                raise QueueError(f"{self.path}: made by another trainsub (queue version {version}, here {VERSION})")
            if version == 0:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {VERSION}")

    def _jobs(self, where: str, *values: float) -> Iterator[Job]:
        return (self._value(_job, body) for (body,) in self._read(f"SELECT body FROM jobs {where}", *values))  # noqa: S608

    def _read(self, query: str, *values: float) -> list[tuple[str]]:
        with self._explained():
            return self._db.execute(query, values).fetchall()

    def _value(self, take: Callable[[dict[str, Any]], _Value], body: str) -> _Value:
        try:
            return take(json.loads(body))
        except (KeyError, TypeError, ValueError) as error:
            raise QueueError(
                f"{self.path}: holds what this trainsub does not know ({error!r}); it was written by another one. "
                "Remove the directory once its jobs have ended"
            ) from error

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise QueueError(f"{self.path}: {error}") from error


def _dump(value: Job | Record | Step) -> str:
    return json.dumps(asdict(value), separators=(",", ":"))


def _job(data: dict[str, Any]) -> Job:
    return Job(**{**_parts(data), "stepd": _process(data["stepd"])})


def _record(data: dict[str, Any]) -> Record:
    return Record(**_parts(data))


def _step(data: dict[str, Any]) -> Step:
    tasks = tuple(Process(**one) for one in data.pop("tasks"))
    process = _process(data.pop("process"))
    return Step(**{**data, "shares": _shares(data["shares"])}, process=process, tasks=tasks)


def _parts(data: dict[str, Any]) -> dict[str, Any]:
    array = data["array"]
    return {
        **data,
        "request": _request(data["request"]),
        "array": None if array is None else _array(array),
        "shares": _shares(data["shares"]),
    }


def _array(data: dict[str, Any]) -> Array:
    return Array(**{**data, **{key: tuple(data[key]) for key in ("pending", "cancelled")}})


def _request(data: dict[str, Any]) -> Request:
    lists = {key: tuple(data[key]) for key in ("nodelist", "exclude", "arguments")}
    signal = data["signal"]
    lists["told"] = tuple((key, value) for key, value in data["told"])
    return Request(**{**data, **lists, "signal": None if signal is None else Signal(**signal)})


def _shares(data: list[Mapping[str, Any]]) -> tuple[Share, ...]:
    return tuple(Share(node=one["node"], cpus=one["cpus"], gpus=tuple(one["gpus"])) for one in data)


def _process(data: Mapping[str, Any] | None) -> Process | None:
    return None if data is None else Process(**data)
