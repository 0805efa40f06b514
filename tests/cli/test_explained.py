"""What `status` says in words: why runs wait, and the page of one run."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest

from trainsub.cli import explained, words
from trainsub.slurm.values import ExitCode
from trainsub.store import Event
from trainsub.tracker.values import ACCEPTED, Allocation, Job, Run

NOW = datetime.now(UTC)
ENDED = Allocation("REQUEUED", NOW, NOW, NOW, 30, 2, 16, "n[1-2]", "gpu", ExitCode(0, 15))
JOB = Job("a-00000001", 1, 7, NOW, "PENDING", "Priority", "squeue", NOW, nodes=2, gpus=16)


class Stopped(datetime):
    """A clock that stands: how long ago something was must not depend on how busy the machine is."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Stopped":
        """See datetime."""
        return cls.fromtimestamp(NOW.timestamp(), tz)


@pytest.fixture(autouse=True)
def _stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (explained, words):
        monkeypatch.setattr(module, "datetime", Stopped)


def run(name: str = "a-00000001", jobs: tuple[Job, ...] = (JOB,), **more: Any) -> Run:
    """A run that waits."""
    values: dict[str, Any] = {"outcome": ACCEPTED, "script": "", "spec": "", **more}
    return Run(name, "a", "k", "hpc", NOW, "h", jobs=tuple(replace(job, run=name) for job in jobs), **values)


def page(capsys: pytest.CaptureFixture[str], one: Run, *events: Event) -> str:
    """The page of a run."""
    explained.page(one, events, "STATE")
    return capsys.readouterr().out


def test_runs_that_wait_for_the_same_reason_have_one_paragraph(capsys: pytest.CaptureFixture[str]) -> None:
    """Named up to three; the remedy is told once."""
    many = [run(f"a-{number}") for number in range(5)]
    first = replace(JOB, reason="Resources", expected_start=NOW + timedelta(hours=3))
    explained.waiting([*many, run("b-1", (first,)), run("c-1", (replace(JOB, state="RUNNING", reason=""),))])
    empty, same, other = capsys.readouterr().out.splitlines()
    assert empty == ""
    assert same.startswith("a-0, a-1, a-2 and 2 more: jobs of a higher priority are before it in the queue. A shorter")
    assert "b-1: it is first in line" in other
    assert "(in 3 h 0 min)." in other
    assert "A shorter" not in other


def test_many_reasons_are_cut_short(capsys: pytest.CaptureFixture[str]) -> None:
    """There is a way to see the rest."""
    reasons = ["Priority", "Resources", "BeginTime", "Licenses", "Prolog", "Cleaning", "JobHeldUser"]
    explained.waiting([run(f"a-{reason}", (replace(JOB, reason=reason),)) for reason in reasons])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + explained.REASONS_SHOWN + 1
    assert lines[-1] == "2 more reasons: `trainsub status RUN` tells each"


def test_nothing_is_said_where_nothing_waits(capsys: pytest.CaptureFixture[str]) -> None:
    """Not even an empty line."""
    explained.waiting([run(jobs=(replace(JOB, state="RUNNING"),))])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("job", "says"),
    [
        (replace(JOB, expected_start=NOW + timedelta(seconds=90)), "as Slurm plans now"),
        (replace(JOB, expected_start=NOW - timedelta(seconds=90)), "(any moment)"),
        (JOB, "may start      not known: Slurm has no plan for it that can be believed"),
        (replace(JOB, reason="JobHeldUser"), "may start      not before it is released"),
        (replace(JOB, reason="JobHeldUser"), "what to do     `trainsub release a-00000001` lets it go."),
        (replace(JOB, resubmitted=NOW - timedelta(minutes=20)), "20 min ago"),
        (replace(JOB, state="FAILED", reason="", exit_code=ExitCode(7, 0)), "exit code      7\n"),
        (replace(JOB, state="FAILED", reason="", exit_code=ExitCode(0, 9)), "exit code      0, signal 9\n"),
        (replace(JOB, allocations=(ENDED,)), "30 s, 2 nodes, 16 GPUs on n[1-2]: REQUEUED, exit code 0, signal 15\n"),
        (replace(JOB, allocations=(replace(ENDED, start=None),)), "allocation 1   never started, REQUEUED\n"),
        (replace(JOB, allocations=(replace(ENDED, end=None, exit_code=None),)), "to now, 30 s, 2 nodes"),
        (replace(JOB, nodes=None, gpus=None), "job            7: nodes not known yet, GPUs not recorded\n"),
        (replace(JOB, nodes=1, gpus=1), "job            7: 1 node, 1 GPU\n"),
    ],
)
def test_the_page_of_a_run(capsys: pytest.CaptureFixture[str], job: Job, says: str) -> None:
    """Why, what to do, when it may start, on what it ran and how that ended."""
    assert says in page(capsys, run(jobs=(job,)))


def test_links_and_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    """Each link has its lines; each task of an array one, and more where it was requeued."""
    task = replace(JOB, state="COMPLETED", reason="", array_task=3, start_time=NOW, allocations=(ENDED, ENDED))
    text = page(capsys, run(jobs=(JOB, replace(JOB, link=2, job_id=8, tasks=(task,) * 30))))
    assert "job            7, link 1: 2 nodes, 16 GPUs\n" in text
    assert "job            8, link 2: 2 nodes, 16 GPUs\n" in text
    assert text.count("task 3         COMPLETED") == explained.TASKS_SHOWN
    assert text.count("  allocation 2 ") == explained.TASKS_SHOWN
    assert "and 6 more tasks; --json tells all" in text


def test_the_history_says_when_what_and_who(capsys: pytest.CaptureFixture[str]) -> None:
    """In columns, without trailing blanks."""
    events = (
        Event("a", None, NOW, "intent recorded"),
        Event("a", 1, NOW, "hold ordered", "trainsub"),
        Event("a", 1, NOW, "PENDING", "squeue", "JobHeldUser"),
    )
    lines = page(capsys, run(), *events).rpartition("history\n")[2].splitlines()
    assert [line[23:] for line in lines] == [
        "intent recorded",
        "hold ordered    (trainsub)",
        "PENDING         (squeue) JobHeldUser",
    ]


def test_a_job_that_waits_once_more_has_not_run_since(capsys: pytest.CaptureFixture[str]) -> None:
    """After a requeue its start is that of the allocation before; the time since then held no nodes."""
    again = replace(JOB, start_time=NOW - timedelta(hours=5), allocations=(ENDED,))
    assert words.elapsed(again) == "-"
    assert words.elapsed(replace(again, state="RUNNING")) == "5 h 0 min"
    shown = page(capsys, run(jobs=(again,)))
    assert "ran " not in shown
    assert "allocation 1" in shown
