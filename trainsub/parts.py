"""The parts of a sweep that needs several arrays: submitted one after another, each a run of its own, exactly once.

Whoever breaks off and types the same command again goes on where it stopped: the parts' keys follow from the first
one's, and with a key that was drawn the first part is found by what it is.
"""

from collections.abc import Callable, Sequence

from trainsub.errors import SpecError, TrainsubError, UsageError
from trainsub.plan import Plan, part_key
from trainsub.record import names
from trainsub.session import Session
from trainsub.spec import JobSpec, parse_spec
from trainsub.tracker.values import ACCEPTED, VOID, Run


def submit_parts(
    plans: Sequence[Plan], submit: Callable[[Plan], Run], *, accepted: Callable[[Run], None] | None = None
) -> list[Run]:
    """Submit the plans of one spec in their order; where one is not accepted, those behind it are not sent.

    Where only some points may run at a time, each part waits for the one before: Slurm counts in each array.

    Args:
        plans: What ``make_plans`` returned.
        submit: Submits one of them, exactly once.
        accepted: Called with each run as soon as it has its job.

    Raises:
        SpecError: The key has a run of other points.
        UsageError: The key has a run on another cluster.
        TrainsubError: What ``submit`` raises; the hint says what is submitted by then.
    """
    runs: list[Run] = []
    for plan in plans:
        following = _following(plan, plans[0], runs) if runs else plan
        try:
            run = submit(following)
            _refuse_another(following, run)
        except TrainsubError as error:
            error.hint = _with_progress(error.hint, runs, plan.parts)
            raise
        runs.append(run)
        if accepted is not None:
            accepted(run)
    return runs


def _following(plan: Plan, first: Plan, before: Sequence[Run]) -> Plan:
    """The plan as one of those runs: the first part may have turned out to be another submission's."""
    following = plan.keyed(part_key(before[0].key or first.key, len(before) + 1))
    return following.after(before[-1].jobs[0].job_id) if plan.waits else following


def _with_progress(hint: str | None, done: Sequence[Run], parts: int) -> str | None:
    if not done:
        return hint
    listed = ", ".join(run.run for run in done)
    said = f"Of {parts} parts {len(done)} {'is' if len(done) == 1 else 'are'} submitted ({listed})"
    return f"{hint or ''} {said}; the same command goes on with the next.".lstrip()


def _refuse_another(plan: Plan, run: Run) -> None:
    """Let no sweep go on behind a part of another one: some points would be trained twice, others never.

    Nor on two clusters: no job waits for one elsewhere.
    """
    if plan.parts > 1 and run.cluster != plan.cluster:
        raise UsageError(
            f"the key of this submission has run {run.run} on cluster {run.cluster} already",
            hint=f"`--cluster {run.cluster}` goes on there; with another --key it is another sweep.",
        )
    if plan.parts == 1 or run.plan_hash in {"", plan.plan_hash} or not run.spec:
        return
    there = parse_spec(run.spec, origin=f"the spec of run {run.run}")
    other = "points" if _points(there) != _points(plan.spec) else "code" if _code(run) != _code(plan) else "settings"
    if other == "settings" and there == plan.spec:
        return  # another version of trainsub may have written another script for it
    raise SpecError(
        f"the key of this submission has run {run.run} on {run.cluster} already, with other {other}",
        hint="One sweep would be of two kinds. Give another --key; or the spec, the code and the cluster's "
        "max_array_size of that run.",
    )


def _points(spec: JobSpec) -> str | None:
    """The points, with their types."""
    sweep = spec.sweep
    return None if sweep is None else repr([sweep.all_points[index] for index in sweep.chosen])


def _code(what: Run | Plan) -> str | None:
    return None if what.code is None else what.code.sha256


def begun(session: Session, plan: Plan) -> list[Run]:
    """Return the first part of a sweep of which this plan is the first part, too, and which was broken off.

    A key that was drawn for it means the same wish, as long as a part of it is not submitted, and none was cancelled.
    """
    if plan.parts == 1 or not plan.key_drawn:
        return []
    known = {run.run: run for run in session.store.lists.all() if run.cluster == plan.cluster}
    alike = [run for run in known.values() if run.plan_hash == plan.plan_hash and run.outcome == ACCEPTED]
    return [run for run in alike if _is_broken_off(run, plan, known)][-1:]


def _is_broken_off(first: Run, plan: Plan, known: dict[str, Run]) -> bool:
    parts = [first, *(_part(first, number, known) for number in range(2, plan.parts + 1))]
    accepted = [part for part in parts if part is not None and part.outcome == ACCEPTED]
    # An array's own word is that of its worst task, and a failure is worse than a cancellation.
    ends = [one.state for part in accepted for job in part.jobs for one in (job, *job.tasks)]
    if "CANCELLED" in ends:
        return False
    return len(accepted) < plan.parts


def _part(first: Run, number: int, known: dict[str, Run]) -> Run | None:
    """A part of a sweep, as far as it is known; runs of its key that were given up have a successor."""
    again = 1
    while True:
        run = known.get(names.run_id(first.name, part_key(first.key, number), again))
        if run is None or run.outcome != VOID:
            return run
        again += 1
