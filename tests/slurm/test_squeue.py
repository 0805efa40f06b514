import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.errors import OutputError
from trainsub.slurm import squeue

US = "\x1f"

# Recorded on 22.05.8 and 24.11.5, alike on both: a running job with a wild name, an array that waits, a held job.
RECORDED = (
    "2^2^0-5%1^PENDING^Resources^1795365730^1795366030^1795366330^1^0^gpu"
    "^cpu=1,mem=4000M,node=1,billing=1,gres/gpu=2,gres/gpu:h100=2^^arr^(null)^\n"
    "3^3^N/A^PENDING^JobHeldUser^1795365730^N/A^N/A^1^0^gpu^cpu=1,mem=4000M,node=1,billing=1,gres/gpu=2^^^line1\nline2^\n"
    "1^1^N/A^RUNNING^None^1795365730^1795365730^1795366030^2^3^gpu"
    "^cpu=2,mem=8000M,node=2,billing=2,gres/gpu=16,gres/gpu:h100=16^n[1-2]^a|b\nc^trainsub:x:1^\n"
).replace("^", US)


def at(seconds: int) -> datetime:
    """Return an aware time."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def test_recorded_rows() -> None:
    """Condensed arrays, held jobs and user text with newlines and bars."""
    array, held, running = squeue.parse(RECORDED)
    assert (array.job_id, array.array_job_id, array.array_task, array.array_pending) == (2, 2, None, "0-5%1")
    assert (held.name, held.comment, held.reason, held.start_time) == ("", "line1\nline2", "JobHeldUser", None)
    assert running == squeue.QueueRow(
        job_id=1,
        array_job_id=None,
        array_task=None,
        array_pending=None,
        state="RUNNING",
        reason="",
        name="a|b\nc",
        comment="trainsub:x:1",
        partition="gpu",
        submit_time=at(1795365730),
        start_time=at(1795365730),
        end_time=at(1795366030),
        nodes=2,
        nodelist="n[1-2]",
        restarts=3,
        tres="cpu=2,mem=8000M,node=2,billing=2,gres/gpu=16,gres/gpu:h100=16",
    )


def test_an_array_task() -> None:
    """A started task has an id of its own and its index; unknown states are kept."""
    line = "5^2^0^HOVERING^None^1^2^3^1^0^gpu^N/A^n1^arr^(null)^\n"
    (row,) = squeue.parse(line.replace("^", US))
    assert (row.job_id, row.array_job_id, row.array_task, row.array_pending) == (5, 2, 0, None)
    assert (row.state, row.tres, row.comment) == ("HOVERING", "", "")


@pytest.mark.parametrize(
    "row", ["x 2 0 RUNNING None 1 2 3 1 0 gpu N/A n1 arr c", "5 2 0 RUNNING None today 2 3 1 0 gpu N/A n1 arr c"]
)
def test_a_wrong_row_is_refused(row: str) -> None:
    """Nothing is guessed from columns that do not fit."""
    with pytest.raises(OutputError):
        squeue.parse(US.join(row.split()) + US + "\n")


def test_a_row_without_a_state_is_refused() -> None:
    """A job in no state would be taken for one that vanished."""
    with pytest.raises(OutputError, match="no state"):
        squeue.parse(US.join(["5", "5", "N/A", *[""] * 12]) + US + "\n")


@given(st.text() | st.text(alphabet=US + "\n15NA/%"))
def test_any_text_is_rows_or_an_output_error(text: str) -> None:
    """Nothing else escapes."""
    with contextlib.suppress(OutputError):
        squeue.parse(text)


@given(st.binary())
def test_any_bytes_are_rows_or_an_output_error(data: bytes) -> None:
    """The same for what is no text at all."""
    with contextlib.suppress(OutputError):
        squeue.parse(data.decode("utf-8", "replace"))


def test_argv() -> None:
    """One query for all jobs of the user, or for those of one name."""
    argv = squeue.argv(slurm_bin="/opt/slurm/bin")
    assert argv[:5] == ["/opt/slurm/bin/squeue", "--me", "--all", "--noheader", "--states=all"]
    assert argv[5].startswith(f"--Format=JobID:{US},")
    assert argv[5].endswith(f"Name:{US},Comment:{US}")
    assert squeue.by_name_argv("run-1")[-1] == "--name=run-1"
