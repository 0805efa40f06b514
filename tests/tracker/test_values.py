"""Quick copies of values are what `replace` would make of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from trainsub.slurm.values import ExitCode
from trainsub.tracker.values import ACCEPTED, Job, Run, seen_again, with_jobs

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job("a-00000001", 1, 7, NOW, "RUNNING", "", "squeue", NOW, nodes=2, gpus=16, exit_code=ExitCode(1, 2), seen_row=5)


def test_a_job_that_is_seen_again_changes_its_times_only() -> None:
    """Each other field stays, those too that do not count for equality."""
    later, there = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)
    again = seen_again(JOB, later, there)
    assert again == replace(JOB, observed_at=later, seen_there=there)
    assert again.seen_row == JOB.seen_row
    assert seen_again(JOB, later, None).seen_there is None


def test_a_run_with_other_jobs_stays_the_run() -> None:
    """Also with none."""
    run = Run("a-00000001", "a", "k", "hpc", NOW, "h", ACCEPTED, "script", "spec", detail="words", jobs=(JOB,))
    assert with_jobs(run, ()) == replace(run, jobs=())
    assert with_jobs(with_jobs(run, ()), (JOB,)) == run
