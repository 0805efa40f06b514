import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.errors import OutputError
from trainsub.slurm import sacct
from trainsub.slurm.values import ExitCode

US = "\x1f"

# Recorded on 22.05.8 and 24.11.5.
RECORDED = (
    "1^1^RUNNING^0:0^1795365730^1795365730^1795365730^Unknown^5^00:00:00"
    "^billing=2,cpu=2,gres/gpu:h100=16,gres/gpu=16,mem=8000M,node=2^2^n[1-2]^gpu^research^a|b\nc^\n"
    "2^2_[0-5%1]^PENDING^0:0^1795365730^1795365730^Unknown^Unknown^0^00:00:00^^1^None assigned^gpu^research^arr^\n"
    "5^2_0^COMPLETED^0:0^1795365730^1795365730^1795365830^1795365833^3^INVALID^cpu=1^1^n1^gpu^research^arr^\n"
    "3^3^CANCELLED by 2001^0:9^1795365730^Unknown^None^1795365758^0^00:00:00^^1^None assigned^gpu^research^\nx^\n"
).replace("^", US)

SINCE = datetime(2024, 1, 1, tzinfo=UTC)


def test_recorded_rows() -> None:
    """Running, waiting array, finished task, and one that was cancelled before it was eligible."""
    running, array, task, cancelled = sacct.parse(RECORDED)
    assert (running.name, running.elapsed, running.end, running.suspended) == ("a|b\nc", 5, None, 0)
    assert running.start == datetime.fromtimestamp(1795365730, tz=UTC)
    assert (array.array_job_id, array.array_task, array.start, array.nodelist) == (2, None, None, "")
    assert (task.job_id, task.array_job_id, task.array_task, task.suspended) == (5, 2, 0, None)
    assert cancelled == sacct.AccountRow(
        job_id=3,
        array_job_id=None,
        array_task=None,
        array_pending=None,
        state="CANCELLED by 2001",
        submit=datetime.fromtimestamp(1795365730, tz=UTC),
        eligible=None,
        start=None,
        end=datetime.fromtimestamp(1795365758, tz=UTC),
        elapsed=0,
        suspended=0,
        alloc_tres="",
        nodes=1,
        nodelist="",
        partition="gpu",
        account="research",
        exit_code=ExitCode(code=0, signal=9),
        name="\nx",
    )


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_cut_answer_is_refused(cut: int) -> None:
    """Half a row is no row."""
    with pytest.raises(OutputError):
        sacct.parse(RECORDED[:-cut])


def test_a_row_without_a_state_is_refused() -> None:
    """Nothing is guessed."""
    with pytest.raises(OutputError, match="no state"):
        sacct.parse(US * 16 + "\n")


@given(st.text() | st.text(alphabet=US + "\n15:_"))
def test_any_text_is_rows_or_an_output_error(text: str) -> None:
    """Nothing else escapes."""
    with contextlib.suppress(OutputError):
        sacct.parse(text)


@given(st.binary())
def test_any_bytes_are_rows_or_an_output_error(data: bytes) -> None:
    """The same for what is no text at all."""
    with contextlib.suppress(OutputError):
        sacct.parse(data.decode("utf-8", "replace"))


def test_argv() -> None:
    """Every record, explicit columns, and a window that no time zone moves."""
    argv = sacct.argv([7, 5, 7], SINCE)
    assert argv[0] == "sacct"
    assert {"-D", "-X", "-n", "-p", "--noconvert", f"--delimiter={US}", "--jobs=5,7"} <= set(argv)
    assert argv[argv.index("-S") + 1] == "uts1704067200"
    assert sacct.by_name_argv("run-1", SINCE, slurm_bin="/s")[-1] == "--name=run-1"


def test_no_job_id_is_refused() -> None:
    """Otherwise sacct would list everything."""
    with pytest.raises(ValueError, match="job id"):
        sacct.argv([], SINCE)
