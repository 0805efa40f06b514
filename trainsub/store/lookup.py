"""RUN as a person types it: a run id, a unique prefix of one, a Slurm job id, or cluster:job_id."""

import re
from collections.abc import Sequence

from trainsub.errors import AmbiguousRunError, UnknownRunError
from trainsub.store.db import Store
from trainsub.tracker.values import Run

SHOWN = 8
"""How many candidates an error lists."""
_TASK = re.compile(r"((?:[^:]+:)?[0-9]+)_[0-9]+")
"""An array's task as Slurm names it."""


def find_runs(store: Store, texts: Sequence[str], *, cluster: str | None = None) -> list[Run]:
    """The runs meant, in the order given, each once.

    Args:
        store: Where they are known.
        texts: RUNs.
        cluster: Only runs on this cluster are meant; None for all.

    Raises:
        UnknownRunError: One is not known here.
        AmbiguousRunError: One means several.
    """
    found = {run.run: run for run in (find_run(store, text, cluster=cluster) for text in texts)}
    return list(found.values())


def find_run(store: Store, text: str, *, cluster: str | None = None) -> Run:
    """The one run that is meant.

    Raises:
        UnknownRunError: It is not known here.
        AmbiguousRunError: It means several.
    """
    exact = store.run(text)
    if exact is not None and cluster in {None, exact.cluster}:
        return exact
    named, colon, digits = text.rpartition(":")
    if digits.isascii() and digits.isdigit() and len(digits) <= 18:  # noqa: PLR2004 -- what SQLite's integers hold
        candidates = _on(store.by_job(int(digits), named if colon else None), cluster)
        # Ids are reused and a name may be digits: the newest run with this job id, unless it is on several clusters.
        if candidates and len({run.cluster for run in candidates}) == 1:
            return candidates[-1]
        if candidates:
            raise AmbiguousRunError(
                f"job {text} is on several clusters: {_list(candidates)}",
                hint=f"Write it like {candidates[0].cluster}:{digits}.",
            )
    candidates = _on(store.matching(text), cluster) if text else []
    if not candidates:
        where = f" on cluster {cluster}" if cluster else " on this machine"
        task = _TASK.fullmatch(text)
        if task is not None:
            hint = f"A task belongs to its array's run: give that, or the array's id {task[1]}."
            raise UnknownRunError(f"no run {text!r} is known{where}", hint=hint)
        raise UnknownRunError(
            f"no run {text!r} is known{where}",
            hint="`trainsub status` lists the runs that are; "
            f"`trainsub sync {cluster or 'CLUSTER'}` finds those that were submitted from elsewhere.",
        )
    if len(candidates) > 1:
        raise AmbiguousRunError(f"{text!r} means several runs: {_list(candidates)}", hint="Give more of the run id.")
    return candidates[0]


def _on(runs: Sequence[Run], cluster: str | None) -> list[Run]:
    return [run for run in runs if cluster in {None, run.cluster}]


def _list(runs: Sequence[Run]) -> str:
    shown = ", ".join(f"{run.run} ({run.cluster})" for run in runs[:SHOWN])
    more = len(runs) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
