"""Job states: what Slurm's words mean. Python 3.6 syntax, standard library only; pure.

An unknown word is kept, is never terminal and never raises: a newer Slurm may say more than we know.
"""

from functools import lru_cache
from typing import FrozenSet, Iterable, Optional

PENDING = "pending"
RUNNING = "running"
FINISHED = "finished"
UNKNOWN = "unknown"

TERMINAL: FrozenSet[str] = frozenset(
    (
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "REVOKED",
        "TIMEOUT",
    )
)
"""Words that end a job. Of sacct's records only the newest tells: after NODE_FAIL or PREEMPTED may come a requeue."""

RECORD_ONLY: FrozenSet[str] = frozenset(("REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESIZING", "SPECIAL_EXIT"))
"""Words that end a record of sacct but not its job."""

_PENDING: FrozenSet[str] = frozenset(
    ("EXPEDITING", "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT")
)

# CONFIGURING counts as running, because the nodes are allocated and billed while they power up. COMPLETING hides
# the state that the job will end in, so it is not an end.
_RUNNING: FrozenSet[str] = frozenset(
    (
        "COMPLETING",
        "CONFIGURING",
        "POWER_UP_NODE",
        "RECONFIG_FAIL",
        "RESIZING",
        "RUNNING",
        "SIGNALING",
        "STAGE_OUT",
        "STOPPED",
        "SUSPENDED",
    )
)

EXIT_OK = 0
EXIT_FAILED = 10
EXIT_CANCELLED = 11
EXIT_INFRASTRUCTURE = 12

_EXIT_CODES = {
    "COMPLETED": EXIT_OK,
    "FAILED": EXIT_FAILED,
    "OUT_OF_MEMORY": EXIT_FAILED,
    "CANCELLED": EXIT_CANCELLED,
    "REVOKED": EXIT_CANCELLED,
    "BOOT_FAIL": EXIT_INFRASTRUCTURE,
    "DEADLINE": EXIT_INFRASTRUCTURE,
    "NODE_FAIL": EXIT_INFRASTRUCTURE,
    "PREEMPTED": EXIT_INFRASTRUCTURE,
    "TIMEOUT": EXIT_INFRASTRUCTURE,
}

_NO_FAULT_OF_THE_TRAINING = (75, 76, 85)
"""What a script exits with when the nodes were at fault, or when it has saved and would go on, as at a time limit."""

NEVER_SATISFIED = "DependencyNeverSatisfied"
"""The reason with which Slurm cancels a job whose dependency has failed."""

WORST_FIRST = (EXIT_FAILED, EXIT_INFRASTRUCTURE, EXIT_CANCELLED, EXIT_OK)
"""Exit codes, that of the worst end first."""


@lru_cache(maxsize=256)
def base_word(text: str) -> str:
    """Return the bare state word: ``CANCELLED by 1000`` and ``CANCELLED+`` are ``CANCELLED``."""
    words = text.split(None, 1)
    return words[0].rstrip("+").upper() if words else ""


@lru_cache(maxsize=256)
def phase(word: Optional[str]) -> str:
    """Return ``pending``, ``running``, ``finished`` or ``unknown`` for a state as Slurm printed it."""
    base = base_word(word or "")
    if base in TERMINAL:
        return FINISHED
    if base in _PENDING:
        return PENDING
    if base in _RUNNING:
        return RUNNING
    return UNKNOWN


def exit_code(word: str, code: int = 0, reason: str = "") -> Optional[int]:
    """Return how the command line ends for one job in this state, or None while the job is not finished.

    Args:
        word: The state as Slurm printed it.
        code: The job's own exit code.
        reason: Slurm's reason.
    """
    base = base_word(word)
    if base == "FAILED" and code in _NO_FAULT_OF_THE_TRAINING:
        return EXIT_INFRASTRUCTURE
    if base == "CANCELLED" and reason == NEVER_SATISFIED:
        return EXIT_INFRASTRUCTURE
    return _EXIT_CODES.get(base)


def worst(codes: Iterable[int]) -> int:
    """Return the exit code that counts among those of several jobs: 10 before 12 before 11 before 0."""
    return min(codes, key=WORST_FIRST.index, default=EXIT_OK)


def exit_code_of(words: Iterable[str]) -> int:
    """Return how the command line ends for jobs that finished in these states.

    Raises:
        ValueError: A word is not terminal; what is not finished has no exit code.
    """
    codes = []
    for word in words:
        code = exit_code(word)
        if code is None:
            raise ValueError(f"not a final state: {word!r}")
        codes.append(code)
    return worst(codes)
