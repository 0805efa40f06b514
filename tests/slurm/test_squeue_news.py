"""Rows of squeue that are as they were are told from those that are not."""

import pytest

from trainsub.errors import OutputError
from trainsub.slurm import squeue

US = "\x1f"


def row(job_id: int, state: str = "PENDING", name: str = "run", task: str = "N/A") -> str:
    """A row as squeue prints it."""
    fields = (job_id, job_id, task, state, "None", 10, 0, 0, 1, 0, "gpu", "cpu=1", "", name, "")
    return "".join(f"{field}{US}" for field in fields) + "\n"


def test_only_rows_that_are_not_known_are_read() -> None:
    """A known row is named by its id; one that changed in any field is read, and marked anew."""
    first = squeue.parse_news(row(7) + row(8), {})
    assert ([one.job_id for one in first.rows], first.known) == ([7, 8], frozenset())
    again = squeue.parse_news(row(7) + row(8, "RUNNING"), first.marks)
    assert ([(one.job_id, one.state) for one in again.rows], again.known) == ([(8, "RUNNING")], frozenset({7}))
    assert again.marks.keys() == {8}
    assert again.marks[8] != first.marks[8]


def test_a_mark_is_of_one_job_and_one_row() -> None:
    """The row of another job is another row, and a mark fits into SQLite's integers."""
    marks = squeue.parse_news(row(7) + row(8), {}).marks
    assert marks[7] != marks[8]
    assert all(-(2**63) <= mark < 2**63 for mark in marks.values())
    assert squeue.parse_news(row(7), {7: marks[8]}).known == frozenset()


def test_an_answer_that_was_cut_off_is_none() -> None:
    """However much of it is known."""
    marks = squeue.parse_news(row(7), {}).marks
    with pytest.raises(OutputError):
        squeue.parse_news(row(7)[:-5], marks)
    assert squeue.parse_news("", marks).known == frozenset()
