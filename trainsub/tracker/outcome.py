"""How runs ended, as the exit code of a command. Pure."""

from collections.abc import Iterable

from trainsub.slurm import states
from trainsub.tracker.values import ACCEPTED, REFUSED, VOID, Run

REFUSED_EXIT = 5
UNSETTLED_EXIT = 7


def exit_code(runs: Iterable[Run]) -> int:
    """The exit code for runs that were waited for: 0 if all ended well, else the worst.

    What has no end yet counts as unsettled; then what was refused; then 10 before 12 before 11.
    """
    codes = [_of_run(run) for run in runs]
    for early in (UNSETTLED_EXIT, REFUSED_EXIT):
        if early in codes:
            return early
    return states.worst(codes)


def _of_run(run: Run) -> int:
    if run.outcome in {REFUSED, VOID}:
        return REFUSED_EXIT
    if run.outcome != ACCEPTED or not run.jobs:
        return UNSETTLED_EXIT
    job = run.jobs[-1]
    code = states.exit_code(job.state or "", job.exit_code.code if job.exit_code else 0, job.reason or "")
    return UNSETTLED_EXIT if code is None else code
