"""What this machine knows of its runs, in one SQLite file. sqlite3's one door; keeps values, decides nothing."""

from trainsub.store.db import Event, Store
from trainsub.store.lookup import find_run, find_runs

__all__ = ["Event", "Store", "find_run", "find_runs"]
