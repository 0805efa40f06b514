import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.errors import OutputError
from trainsub.record.names import Mark
from trainsub.remote import named
from trainsub.remote.named import NamedJob

US = "\x1f"
RUN = "demo-3f9a1c2e"
EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def stamp(when: datetime) -> str:
    """As Slurm prints it."""
    return str(int(when.timestamp()))


def rows(*records: tuple[str, ...]) -> str:
    """Records as Slurm prints them."""
    return "".join("".join(f"{field}{US}" for field in record) + "\n" for record in records)


def test_the_questions() -> None:
    """Ended jobs, hidden partitions and each record of requeued jobs; by name."""
    queue = named.queue_argv(RUN, slurm_bin="/s")
    assert (queue[0], queue[-1]) == ("/s/squeue", f"--name={RUN}")
    assert {"--me", "--all", "--states=all", "--noheader"} < set(queue)
    accounts = named.accounts_argv(RUN, EARLY)
    assert (accounts[0], accounts[-1]) == ("sacct", f"--name={RUN}")
    assert f"uts{stamp(EARLY)}" in accounts


def test_the_queue() -> None:
    """An array is one job; what has another name is none of ours, and what sbatch refused is no job."""
    text = rows(
        ("7", "N/A", "N/A", stamp(EARLY), "RUNNING", "None", "/r/work", RUN, f"site trainsub:{RUN}:2 said"),
        ("9", "8", "3", stamp(LATE), "FAILED", "NonZeroExitCode", "/r/work", RUN, "rewritten"),
        ("8", "8", "4-9", "Unknown", "PENDING", "BadConstraints", "/r/work", RUN, ""),
        ("6", "N/A", "N/A", stamp(LATE), "RUNNING", "None", "/x", "other", ""),
        ("5", "N/A", "N/A", stamp(LATE), "FAILED", "BadConstraints", "/r/work", RUN, ""),
    )
    assert named.parse_queue(text, RUN) == [
        NamedJob(7, EARLY, "/r/work", Mark(RUN, 2)),
        NamedJob(8, LATE, "/r/work", None),
    ]


def test_the_accounts() -> None:
    """Of a requeued job the first record counts; where comments are not kept, the command line has it."""
    line = f"sbatch --comment=trainsub:{RUN}:1 script"
    text = rows(
        ("7", stamp(LATE), "RUNNING", "None", "/r/work", RUN, "", line),
        ("7", stamp(EARLY), "NODE_FAIL", "None", "/r/work", RUN, "", line),
        ("9_[1-4]", stamp(EARLY), "PENDING", "None", "/r/work", RUN, f"trainsub:{RUN}:2", line),
        ("10", "Unknown", "FAILED", "None", "/r/work", RUN, "", "sbatch"),
        ("11", stamp(EARLY), "RUNNING", "None", "/r/work", "other", "", line),
        ("12", stamp(EARLY), "FAILED", "BadConstraints", "/r/work", RUN, "", line),
    )
    assert named.parse_accounts(text, RUN) == [
        NamedJob(7, EARLY, "/r/work", Mark(RUN, 1)),
        NamedJob(9, EARLY, "/r/work", Mark(RUN, 2)),
        NamedJob(10, None, "/r/work", None),
    ]


@pytest.mark.parametrize("parse", [named.parse_queue, named.parse_accounts])
def test_nothing_is_guessed(parse: object) -> None:
    """What was cut off, or is no row, is an error."""
    for text in ("7", rows(("x",) * 9), rows(("7", "N/A"))):
        with pytest.raises(OutputError):
            parse(text, RUN)  # type: ignore[operator]


@given(st.text() | st.text(alphabet=US + "\n15NA/%"))
def test_any_text_is_jobs_or_an_output_error(text: str) -> None:
    """Nothing else escapes."""
    for parse in (named.parse_queue, named.parse_accounts):
        with contextlib.suppress(OutputError):
            parse(text, RUN)
