"""When each cluster may be asked, shared by all processes that use one store."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import astuple
from pathlib import Path

from trainsub.store import rows
from trainsub.store.claims import Claims
from trainsub.store.listing import Lists
from trainsub.tracker.schedule import Schedule

_TIMES = ("asked_at", "next_at", "filled_at", "held_until", "asking_since", "accounts_at")


class Schedules:
    """The schedules.

    Args:
        transaction: Begins a transaction of the store.
        folder: Where the lock files of those who ask lie; None where nobody else can ask.
    """

    def __init__(
        self, transaction: Callable[[], AbstractContextManager[sqlite3.Connection]], folder: Path | None, lists: Lists
    ) -> None:
        self._transaction = transaction
        self._asking = Claims(folder)
        self._lists = lists

    def hold(self, cluster: str) -> AbstractContextManager[bool]:
        """Be the one process that asks a cluster; yields whether it is, and waits for no other one.

        The lock is gone with the process that holds it, however it ends.

        Raises:
            StoreError: The folder cannot be written to.
        """
        return self._asking.hold(f"{cluster}.lock", wait=False)

    def get(self, cluster: str) -> Schedule:
        """A cluster's schedule.

        Raises:
            StoreError: The store cannot be read.
        """
        with self._transaction() as db:
            return read(db, cluster)

    def change(self, cluster: str, decide: Callable[[Schedule], Schedule | None]) -> Schedule | None:
        """Decide on what is there, and write it, with no other process in between.

        Args:
            cluster: The cluster.
            decide: What is to be written; None for nothing.

        Returns:
            What was written.

        Raises:
            StoreError: The store cannot be written to.
        """
        with self._transaction() as db:
            after = decide(read(db, cluster))
            if after is not None:
                current = self._lists.is_current(db)
                write(db, cluster, after)
                if current:
                    self._lists.replace(db, ())
            return after


def read(db: sqlite3.Connection, cluster: str) -> Schedule:
    """The schedule of a cluster; a new one if it was never asked."""
    row = db.execute("SELECT * FROM schedules WHERE cluster = ?", (cluster,)).fetchone()
    if row is None:
        return Schedule()
    times = {name: rows.time(row[name]) for name in _TIMES}
    return Schedule(
        interval=row["interval"], ordinary=row["ordinary"], news=row["news"], trouble=row["trouble"], **times
    )


def write(db: sqlite3.Connection, cluster: str, one: Schedule) -> None:
    """Write the schedule of a cluster."""
    asked_at, next_at, interval, ordinary, news, *times, trouble = astuple(one)
    values = (
        cluster,
        rows.text(asked_at),
        rows.text(next_at),
        interval,
        ordinary,
        news,
        *map(rows.text, times),
        trouble,
    )
    db.execute("REPLACE INTO schedules VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
