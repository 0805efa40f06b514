"""scontrol hold, release and requeue: what each version answers, and what that means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.slurm import reasons, scontrol
from trainsub.slurm.scontrol import Ordered


def test_one_job_at_a_time() -> None:
    """So that it is clear which one a complaint is about."""
    assert scontrol.order_argv("hold", 5) == ["scontrol", "hold", "5"]
    assert scontrol.order_argv("requeue", 5, slurm_bin="/s/") == ["/s/scontrol", "requeue", "5"]


# Recorded on 22.05.8, 24.11.5 and 26.05.5; where they differ, the last one comes second.
@pytest.mark.parametrize(
    ("rc", "text", "ordered"),
    [
        (0, "", Ordered(taken=True, complaint="")),
        (
            1,
            "Job has already finished for job 5\nslurm_suspend error: Job has already finished\n",
            Ordered(taken=False, complaint="Job has already finished"),
        ),
        (
            1,
            "Job has already finished for job 5\nslurm_suspend error:Job has already finished\n",
            Ordered(taken=False, complaint="Job has already finished"),
        ),
        (
            1,
            "Access/permission denied for job 13\nslurm_suspend error: Access/permission denied\n",
            Ordered(taken=False, complaint="Access/permission denied"),
        ),
        (1, "Job is pending execution for job 3\n", Ordered(taken=False, complaint="Job is pending execution")),
        (
            1,
            "Requested operation is presently disabled for job 6\n",
            Ordered(taken=False, complaint="Requested operation is presently disabled"),
        ),
        (
            1,
            "7_0-1: No error\n7_2-3: Job is pending execution\n",
            Ordered(taken=True, complaint="tasks 2-3: Job is pending execution"),
        ),
        (
            1,
            "7_[0-1]: No error\n7_[2-3]: Job is pending execution\n",
            Ordered(taken=True, complaint="tasks 2-3: Job is pending execution"),
        ),
        (
            1,
            "7_[2-3]: Job is pending execution\n",
            Ordered(taken=False, complaint="tasks 2-3: Job is pending execution"),
        ),
        (1, "", Ordered(taken=False, complaint="exit status 1")),
        (
            1,
            "slurm_update error: Unable to contact slurm controller (connect failure)",
            Ordered(taken=False, complaint="slurm_update error: Unable to contact slurm controller (connect failure)"),
        ),
    ],
)
def test_what_became_of_an_order(rc: int, text: str, ordered: Ordered) -> None:
    """It says some things twice, and of arrays what became of which tasks."""
    assert scontrol.parse_order(rc, text) == ordered


@given(st.integers(1, 255), st.text())
def test_any_answer_is_read(rc: int, text: str) -> None:
    """What was not taken has a complaint."""
    answer = scontrol.parse_order(rc, text)
    assert answer.taken or answer.complaint


def test_what_complaints_mean() -> None:
    """Slurm's words alone do not tell what to do."""
    assert "requeue = false" in scontrol.meaning("Requested operation is presently disabled")
    assert "in the queue already" in scontrol.meaning("tasks 2-3: Job is pending execution")
    assert "forgotten" in scontrol.meaning("Invalid job id specified")
    assert scontrol.meaning("Access/permission denied") == ""
    assert "only an administrator" in scontrol.meaning("Access/permission denied", by_administrator=True)


@pytest.mark.parametrize(
    ("reason", "held"),
    [
        ("JobHeldUser", True),
        ("JobHeldAdmin", True),
        ("BadConstraints", True),
        ("job requeued in held state", True),
        ("launch failed requeued held", True),
        ("launch failure limit exceeded requeued held", True),
        ("job requeued in special exit state", True),
        ("Priority", False),
        ("", False),
    ],
)
def test_holds_are_known_by_their_reasons(reason: str, held: bool) -> None:  # noqa: FBT001 -- a parameter of the table
    """Codes, and the controller's sentences."""
    assert reasons.is_held(reason) is held


@pytest.mark.parametrize(
    ("phase", "reason", "words"),
    [
        ("pending", "Priority", "jobs of a higher priority are before it in the queue"),
        ("pending", "", "Slurm has not looked at the job yet, or gives no reason"),
        (
            "pending",
            "NonZeroExitCode",
            "it is back in the queue, and Slurm has not looked at it yet; before, its script",
        ),
        (
            "pending",
            "RaisedSignal:9(Killed)",
            "it is back in the queue, and Slurm has not looked at it yet; before, sig",
        ),
        ("running", "JobHeldUser", "it runs on, and is held: it would not start again after a requeue"),
        ("running", "", None),
        ("running", "Prolog", None),
        ("finished", "TimeLimit", "it reached its time limit"),
        ("finished", "CANCELLED by 1000", "user 1000 cancelled it"),
        ("finished", "", None),
        ("unknown", "Priority", None),
    ],
)
def test_a_reason_in_its_phase(phase: str, reason: str, words: str | None) -> None:
    """A job that waits again still has the reason of its former end for a while."""
    meaning = reasons.of_job(phase, reason)
    assert (meaning is None) if words is None else (meaning is not None and meaning.words.startswith(words))
