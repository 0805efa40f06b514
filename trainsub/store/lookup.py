"""RUN as a person types it: a run id, a unique prefix of one, a Slurm job id, or cluster:job_id."""

from collections.abc import Sequence

from trainsub.errors import AmbiguousRunError, UnknownRunError
from trainsub.store.db import Store
from trainsub.tracker.values import Run

SHOWN = 8
"""How many candidates an error lists."""


def find_runs(store: Store, texts: Sequence[str]) -> list[Run]:
    """The runs meant, in the order given, each once.

    Raises:
        UnknownRunError: One is not known here.
        AmbiguousRunError: One means several.
    """
    found = {run.run: run for run in (find_run(store, text) for text in texts)}
    return list(found.values())


def find_run(store: Store, text: str) -> Run:
    """The one run that is meant.

    Raises:
        UnknownRunError: It is not known here.
        AmbiguousRunError: It means several.
    """
    exact = store.run(text)
    if exact is not None:
        return exact
    cluster, colon, digits = text.rpartition(":")
    if digits.isascii() and digits.isdigit() and len(digits) <= 18:  # noqa: PLR2004 -- what SQLite's integers hold
        candidates = store.by_job(int(digits), cluster if colon else None)
        # Ids are reused and a name may be digits: the newest run with this job id, unless it is on several clusters.
        if candidates and len({run.cluster for run in candidates}) == 1:
            return candidates[-1]
    else:
        candidates = []
    candidates = candidates or (store.matching(text) if text else [])
    if not candidates:
        raise UnknownRunError(
            f"no run {text!r} is known on this machine", hint="`trainsub status` lists the runs that are."
        )
    if len(candidates) > 1:
        raise AmbiguousRunError(f"{text!r} means several runs: {_list(candidates)}", hint="Give more of the run id.")
    return candidates[0]


def _list(runs: Sequence[Run]) -> str:
    shown = ", ".join(f"{run.run} ({run.cluster})" for run in runs[:SHOWN])
    more = len(runs) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
