"""The store's schema as a list of named steps, and the ledger of those that were applied.

A step is never changed after a release; a new one is added. Each runs in one transaction.
"""

import sqlite3
from datetime import UTC, datetime

from trainsub.errors import StoreError

RUNS = """
CREATE TABLE runs (
    run TEXT PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL, cluster TEXT NOT NULL, created_at TEXT NOT NULL,
    plan_hash TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('open', 'accepted', 'refused', 'void', 'unknown')),
    detail TEXT, script TEXT NOT NULL, spec TEXT NOT NULL, code TEXT);
CREATE INDEX runs_by_cluster ON runs (cluster, outcome);
CREATE TABLE jobs (
    run TEXT NOT NULL REFERENCES runs (run), link INTEGER NOT NULL, cluster TEXT NOT NULL, job_id INTEGER NOT NULL,
    submitted TEXT NOT NULL, state TEXT, reason TEXT, source TEXT, observed_at TEXT, start_time TEXT, end_time TEXT,
    nodes INTEGER, gpus INTEGER, exit_code INTEGER, exit_signal INTEGER, missing_since TEXT,
    PRIMARY KEY (run, link));
CREATE INDEX jobs_by_id ON jobs (job_id, cluster);
CREATE TABLE allocations (
    run TEXT NOT NULL, link INTEGER NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, submit TEXT, start TEXT,
    end TEXT, elapsed INTEGER NOT NULL, nodes INTEGER NOT NULL, gpus INTEGER, nodelist TEXT NOT NULL,
    partition TEXT NOT NULL, exit_code INTEGER, exit_signal INTEGER,
    PRIMARY KEY (run, link, number), FOREIGN KEY (run, link) REFERENCES jobs (run, link));
CREATE TABLE events (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (run), link INTEGER, at TEXT NOT NULL,
    what TEXT NOT NULL, source TEXT, detail TEXT);
CREATE INDEX events_by_run ON events (run, id);
CREATE TABLE polls (cluster TEXT PRIMARY KEY, at TEXT NOT NULL, accounting INTEGER);
CREATE TABLE sent (cluster TEXT NOT NULL, sha256 TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (cluster, sha256));
"""

TASKS = """
ALTER TABLE allocations RENAME TO allocations_0001;
ALTER TABLE jobs RENAME TO jobs_0001;
DROP INDEX jobs_by_id;
CREATE TABLE jobs (
    run TEXT NOT NULL REFERENCES runs (run), link INTEGER NOT NULL, task INTEGER NOT NULL, cluster TEXT NOT NULL,
    job_id INTEGER NOT NULL, submitted TEXT NOT NULL, state TEXT, reason TEXT, source TEXT, observed_at TEXT,
    start_time TEXT, end_time TEXT, nodes INTEGER, gpus INTEGER, exit_code INTEGER, exit_signal INTEGER,
    missing_since TEXT, expected_start TEXT, seen_there TEXT, resubmitted TEXT, runaway INTEGER NOT NULL, indices TEXT,
    PRIMARY KEY (run, link, task));
CREATE INDEX jobs_by_id ON jobs (job_id, cluster);
INSERT INTO jobs SELECT
    run, link, -1, cluster, job_id, submitted, state, reason, source, observed_at, start_time, end_time, nodes, gpus,
    exit_code, exit_signal, missing_since, NULL, NULL, NULL, 0, NULL FROM jobs_0001;
CREATE TABLE allocations (
    run TEXT NOT NULL, link INTEGER NOT NULL, task INTEGER NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL,
    submit TEXT, start TEXT, end TEXT, elapsed INTEGER NOT NULL, nodes INTEGER NOT NULL, gpus INTEGER,
    nodelist TEXT NOT NULL, partition TEXT NOT NULL, exit_code INTEGER, exit_signal INTEGER,
    PRIMARY KEY (run, link, task, number), FOREIGN KEY (run, link, task) REFERENCES jobs (run, link, task));
INSERT INTO allocations SELECT
    run, link, -1, number, state, submit, start, end, elapsed, nodes, gpus, nodelist, partition, exit_code,
    exit_signal FROM allocations_0001;
DROP TABLE allocations_0001;
DROP TABLE jobs_0001;
"""

SCHEDULES = """
CREATE TABLE schedules (
    cluster TEXT PRIMARY KEY, asked_at TEXT, next_at TEXT, interval REAL NOT NULL, ordinary REAL NOT NULL,
    news REAL NOT NULL, filled_at TEXT, held_until TEXT, asking_since TEXT, accounts_at TEXT, trouble TEXT);
ALTER TABLE jobs ADD COLUMN seen_row INTEGER;
ALTER TABLE polls ADD COLUMN gpus_tracked INTEGER;
ALTER TABLE polls ADD COLUMN gpus_tracked_at TEXT;
"""

CHAINS = """
ALTER TABLE jobs ADD COLUMN chain INTEGER NOT NULL DEFAULT 0;
"""

SECRETS = """
CREATE TABLE secrets (run TEXT PRIMARY KEY);
"""

STEPS: tuple[tuple[str, str], ...] = (
    ("0001 runs, jobs, allocations, events, polls, sent", RUNS),
    ("0002 tasks of arrays, expected starts, signs of life", TASKS),
    ("0003 schedules", SCHEDULES),
    ("0004 chains", CHAINS),
    ("0005 secrets that lie on clusters", SECRETS),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date.

    Raises:
        StoreError: The file was written by a newer trainsub.
    """
    known = [name for name, _ in STEPS]
    if applied(connection) == known:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, at TEXT NOT NULL)")
        done = applied(connection)  # again: another process may have been quicker to the lock
        _refuse_newer(done, known)
        for name, sql in STEPS:
            if name not in done:
                _apply(connection, name, sql)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _refuse_newer(done: list[str], known: list[str]) -> None:
    """Leave a store alone that knows steps which we do not."""
    newer = [name for name in done if name not in known]
    if newer:
        raise StoreError(
            f"the store was written by a newer trainsub (it knows {newer[0]!r})",
            hint="Upgrade trainsub, or point TRAINSUB_STATE_DIR at another folder.",
        )


def applied(connection: sqlite3.Connection) -> list[str]:
    """Names of the steps that the file has seen, in order."""
    exists = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'").fetchone()
    if exists is None:
        return []
    return [row[0] for row in connection.execute("SELECT name FROM migrations ORDER BY name")]


def _apply(connection: sqlite3.Connection, name: str, sql: str) -> None:
    """Run one step statement by statement (``executescript`` would commit) and note it in the ledger."""
    for statement in sql.split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute("INSERT INTO migrations VALUES (?, ?)", (name, datetime.now(UTC).isoformat()))
