from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.tracker.merge import contradiction, merge
from trainsub.tracker.values import ACCEPTED, OPEN, REFUSED, UNKNOWN, VOID, Code, Job, Run

NOW = datetime(2026, 7, 1, tzinfo=UTC)
CODE = Code("ab" * 32, 10, 1)
ROW = Run("demo-3f9a1c2e", "demo", "key", "hpc", NOW, "hash", ACCEPTED, "script", "spec", CODE)


def job(link: int = 1, job_id: int = 7, state: str | None = None) -> Job:
    """A job of the run."""
    return Job(ROW.run, link, job_id, NOW, state=state)


def run(outcome: str, *jobs: Job, bare: bool = False) -> Run:
    """The run; a bare one as an old directory tells of it."""
    made = replace(ROW, outcome=outcome, jobs=jobs)
    return replace(made, key="", plan_hash="", code=None) if bare else made


def test_a_finished_job_is_not_replaced_by_one_that_was_never_seen() -> None:
    """The directory tells nothing of states."""
    known = run(ACCEPTED, job(state="COMPLETED"))
    assert merge(known, run(ACCEPTED, job(), bare=True)) == known
    assert merge(known, run(VOID)) == known


def test_what_is_lacking_is_taken() -> None:
    """The key, the code, the next link; and nothing else is touched."""
    known = replace(run(ACCEPTED, job(state="RUNNING"), bare=True), script="", spec="")
    after = merge(known, run(ACCEPTED, job(), job(2, 8)))
    assert after == run(ACCEPTED, job(state="RUNNING"), job(2, 8))


def test_when_it_was_submitted_is_told_by_its_cluster() -> None:
    """Not by the machine that found it a day later; an old directory cannot tell as well, and is not believed."""
    late = NOW + timedelta(days=1)
    task = replace(job(state="RUNNING"), array_task=0, submitted=late)
    mine = replace(job(state="RUNNING"), submitted=late, array="0", tasks=(task,))
    known = replace(run(ACCEPTED, mine), created_at=late)
    after = merge(known, run(ACCEPTED, job()))
    assert (after.created_at, after.jobs[0].submitted, after.jobs[0].tasks[0].submitted) == (NOW, NOW, NOW)
    assert after.jobs[0].state == "RUNNING"
    assert merge(known, run(ACCEPTED, job(), bare=True)) == known
    early = replace(run(ACCEPTED, job()), created_at=NOW - timedelta(days=1))
    assert merge(early, run(ACCEPTED, replace(job(), submitted=late))).jobs == early.jobs


@pytest.mark.parametrize("outcome", [OPEN, UNKNOWN, REFUSED, VOID])
def test_the_run_that_was_accepted_is_the_run(outcome: str) -> None:
    """Perhaps another machine submitted the same key with another plan."""
    theirs = replace(run(ACCEPTED, job()), plan_hash="theirs", script="theirs", code=None)
    assert merge(run(outcome), theirs) == theirs
    ours = merge(replace(run(outcome), detail="no answer"), run(ACCEPTED, job(), bare=True))
    assert ours == run(ACCEPTED, job())


ARRAY = Job(ROW.run, 1, 7, NOW, array="0", tasks=(replace(job(), array_task=0),))
SWEEP = replace(ROW, spec="[sweep]\npoints = [{ a = 1 }]\n", script="#!/bin/bash\n#SBATCH --array=0\n")


@pytest.mark.parametrize("hidden", [{"spec": ""}, {"script": ""}, {"spec": "", "script": ""}])
@pytest.mark.parametrize("outcome", [OPEN, UNKNOWN, REFUSED, VOID])
def test_what_could_not_be_read_does_not_replace_what_is_known(outcome: str, hidden: dict[str, str]) -> None:
    """The spec, the script, and that it is an array: the directory may tell less than this machine knows."""
    known = replace(SWEEP, outcome=outcome)
    there = replace(SWEEP, jobs=(job() if len(hidden) == 2 else ARRAY,), **hidden)  # type: ignore[arg-type]
    assert merge(known, there) == replace(SWEEP, jobs=(ARRAY,))
    other = merge(known, replace(there, plan_hash="theirs"))
    assert (other.spec, other.script, other.jobs) == (SWEEP.spec, SWEEP.script, there.jobs)
    opened = merge(replace(SWEEP, outcome=REFUSED, detail="no"), replace(SWEEP, outcome=OPEN, **hidden))  # type: ignore[arg-type]
    assert opened == replace(SWEEP, outcome=OPEN)


def test_a_job_that_was_taken_for_none_is_an_array_once_its_spec_is_read() -> None:
    """What was said of it as a plain job was said of one task."""
    known = replace(SWEEP, spec="", script="", jobs=(job(state="COMPLETED"),))
    later = replace(ARRAY, submitted=NOW + timedelta(days=1))
    assert merge(known, replace(SWEEP, jobs=(later,))) == replace(SWEEP, jobs=(ARRAY,))
    whole = replace(SWEEP, jobs=(replace(ARRAY, state="RUNNING"),))
    assert merge(whole, replace(SWEEP, spec="", script="", jobs=(job(),))) == whole
    assert merge(whole, replace(SWEEP, jobs=(ARRAY,))) == whole


def test_what_was_given_up_is_given_up() -> None:
    """And what was refused, and is being tried again from elsewhere, is open."""
    assert merge(run(UNKNOWN), replace(run(VOID), detail="no job")) == replace(run(VOID), detail="no job")
    assert merge(run(REFUSED), run(OPEN)).outcome == OPEN
    assert merge(run(REFUSED), run(VOID)).outcome == REFUSED
    assert merge(run(VOID), run(OPEN)).outcome == VOID


def test_what_cannot_both_be_true_is_told() -> None:
    """Nothing is decided then."""
    assert "directory says that it was given up" in contradiction(run(ACCEPTED, job()), run(VOID))
    assert "job 7, and its directory says job 8" in contradiction(run(ACCEPTED, job()), run(ACCEPTED, job(1, 8)))
    assert contradiction(run(ACCEPTED, job()), run(ACCEPTED, job(), job(2, 8))) == ""


outcomes = st.sampled_from([OPEN, UNKNOWN, REFUSED, VOID, ACCEPTED])


@given(ours=outcomes, theirs=outcomes, bare=st.booleans(), other=st.booleans())
def test_merging_again_changes_nothing(ours: str, theirs: str, *, bare: bool, other: bool) -> None:
    """And a job that was known is never lost, nor the key."""
    known = run(ours, *([job(state="RUNNING")] if ours == ACCEPTED else []))
    found = run(theirs, *([job(), *([job(2, 9)] if other else [])] if theirs == ACCEPTED else []), bare=bare)
    once = merge(known, found)
    assert merge(once, found) == once
    assert {(one.link, one.job_id) for one in known.jobs} <= {(one.link, one.job_id) for one in once.jobs}
    assert once.key == "key" or (ours, theirs, bare) == (REFUSED, OPEN, True)
