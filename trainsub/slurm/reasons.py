"""Why a job waits, or how it ended: Slurm's reason in plain words, and what can be done about it. Pure."""

import re
from functools import lru_cache

from trainsub.slurm import limit_reasons, states
from trainsub.slurm.reason_words import ADMINISTRATORS, CODES, RELEASE, SENTENCES, Meaning

NOTHING = frozenset({"", "None", "(null)"})
"""What Slurm prints where there is no reason."""
_ENDS = frozenset(
    {
        "DeadLine",
        "InactiveLimit",
        "JobLaunchFailure",
        "NodeDown",
        "NonZeroExitCode",
        "OutOfMemory",
        "RaisedSignal",
        "SystemFailure",
        "TimeLimit",
    }
)
BY_ADMINISTRATOR = "JobHeldAdmin"
"""The reason of a hold that its owner cannot release."""
_HOLDS = frozenset(
    {"JobHeldUser", BY_ADMINISTRATOR, "JobHoldMaxRequeue", "BadConstraints", "ReservationDeleted", "ReservationInvalid"}
)
_HELD = re.compile(r".*\b(?:requeued held|requeued in (?:held|special exit) state)", re.IGNORECASE)
_RULES = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), meaning) for pattern, meaning in SENTENCES)


@lru_cache(maxsize=1000)  # thousands of jobs wait for a few reasons
def explain(reason: str) -> Meaning:
    """Return what a reason means; one that is not known is shown as it is, and is called unknown.

    Args:
        reason: As squeue or sacct printed it; parentheses around it do not matter.
    """
    text = reason.strip()
    if text not in NOTHING and text[0] == "(" and text[-1] == ")":
        text = text[1:-1].strip()
    if text in NOTHING:
        return CODES["None"]
    known = _of_code(text) or _of_sentence(text)
    if known is not None:
        return known
    # Tasks of an array that wait for different reasons share one row: their codes, with commas.
    parts = [_of_code(part) for part in text.split(",")]
    several = [part for part in parts if part is not None]
    if len(several) == len(parts):
        remedies = dict.fromkeys(part.remedy for part in several if part.remedy)
        return Meaning("; of other tasks: ".join(part.words for part in several), " ".join(remedies))
    return Meaning(f'Slurm says "{text}", which trainsub does not know', ADMINISTRATORS)


def of_job(phase: str, reason: str) -> Meaning | None:
    """Return why a job waits, or how it ended; None where there is nothing to say.

    Args:
        phase: As of ``states.phase``.
        reason: As squeue or sacct printed it.
    """
    if phase == states.PENDING:
        # The reason of its former end stands until the scheduler has looked at it again.
        again = f"it is back in the queue, and Slurm has not looked at it yet; before, {explain(reason).words}"
        return Meaning(again) if reason.partition(":")[0] in _ENDS else explain(reason)
    if phase == states.RUNNING and is_held(reason):
        return Meaning("it runs on, and is held: it would not start again after a requeue", RELEASE)
    if phase == states.FINISHED and reason not in NOTHING and not _was_waiting(reason):
        return explain(reason)
    return None


def _was_waiting(reason: str) -> bool:
    """Whether a reason is why a job waited: Slurm leaves it on one that was cancelled meanwhile."""
    ends = reason.partition(":")[0] in _ENDS or reason == states.NEVER_SATISFIED
    return not ends and _of_code(reason) is not None


def is_held(reason: str) -> bool:
    """Say whether a job with this reason is held: it does not start before it is released."""
    return reason in _HOLDS or _HELD.fullmatch(reason) is not None


def _of_code(code: str) -> Meaning | None:
    if code in CODES:
        return CODES[code]
    limit = limit_reasons.read(code)
    return None if limit is None else Meaning(limit.words, limit.remedy)


def _of_sentence(text: str) -> Meaning | None:
    for pattern, meaning in _RULES:
        match = pattern.fullmatch(text)
        if match is not None:
            found = match.groupdict().get("it", "").strip()
            return Meaning(meaning.words.replace("{it}", found), meaning.remedy)
    return None
