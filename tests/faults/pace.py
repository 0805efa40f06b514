"""How fast things go in trials: who is dead is taken for dead after seconds, not minutes; all in proportion."""

import sys
from types import ModuleType

from trainsub.remote import submission

SETTLE = sys.modules["trainsub.remote.settle"]
"""The package's attribute of that name is the function."""

PACE: tuple[tuple[ModuleType, str, float], ...] = (
    (submission, "BEAT", 1),
    (submission, "SILENCE", 5),
    (SETTLE, "_SILENT", 4),
    (SETTLE, "_WAIT", 2),
    (SETTLE, "_LATE", 1),
)
"""Whose constant becomes what."""
