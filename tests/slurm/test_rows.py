import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.errors import OutputError
from trainsub.slurm import rows

US = rows.SEPARATOR
plain = st.text(alphabet=st.characters(exclude_characters=US, exclude_categories=["Cs"]))


def join(records: list[list[str]]) -> str:
    """Print records as the commands do."""
    return "".join("".join(field + US for field in record) + "\n" for record in records)


# Two fields that tell a record from user text, and then two of user text, as a name and a comment.
HEAD = f"[0-9]+{US}[A-Z]+{US}[A-Z]+{US}"
heads = st.tuples(st.integers(0, 10**6).map(str), st.sampled_from(["R", "PD"]), st.sampled_from(["A", "B"]))
printed = st.lists(st.tuples(heads, plain, plain).map(lambda one: [*one[0], one[1], one[2]]), max_size=4)


@given(printed)
def test_any_user_text_survives(records: list[list[str]]) -> None:
    """Newlines, bars, empty fields: whatever holds no separator comes back as it was."""
    assert rows.split(join(records), columns=5, command="squeue", head=HEAD) == records


@given(printed.filter(bool), st.data())
def test_a_cut_answer_is_never_taken_for_a_whole_one(records: list[list[str]], data: st.DataObject) -> None:
    """A row is there in full, or there is an error; that no row is missing, the exit code tells."""
    text = join(records)
    place = data.draw(st.integers(0, len(text)))
    try:
        got = rows.split(text[:place], columns=5, command="squeue", head=HEAD)
    except OutputError:
        return
    assert got == records[: len(got)]


@given(printed.filter(bool), st.data())
def test_an_answer_that_lost_a_field_is_an_error(records: list[list[str]], data: st.DataObject) -> None:
    """No row is taken for a part of another one."""
    row = data.draw(st.integers(0, len(records) - 1))
    field = data.draw(st.integers(0, 4))
    short = [record if number != row else record[:field] + record[field + 1 :] for number, record in enumerate(records)]
    with pytest.raises(OutputError):
        rows.split(join(short), columns=5, command="squeue", head=HEAD)


short = st.text(US + "\na1", max_size=2)


@given(st.lists(st.tuples(heads, short, st.text(US + "\na1", max_size=1)), min_size=1, max_size=4))
def test_a_separator_in_user_text_spoils_no_other_row(texts: list[tuple[tuple[str, str, str], str, str]]) -> None:
    """What a user writes cannot hide another job, nor make one up, unless it is a row itself."""
    records = [[*head, name, comment] for head, name, comment in texts]
    got = rows.split(join(records), columns=5, command="squeue", head=HEAD)
    assert [row[:3] for row in got] == [record[:3] for record in records]


@pytest.mark.parametrize("text", ["hello", "\n", f"1{US}a", f"1{US}\n", f"1{US}a{US}\nslurm_load_jobs error\n"])
def test_something_else_is_refused(text: str) -> None:
    """Noise and short rows are errors, never rows."""
    with pytest.raises(OutputError):
        rows.split(text, columns=2, command="squeue")


def test_nothing_is_no_rows() -> None:
    """An empty queue is a fact."""
    assert rows.split("", columns=2, command="squeue") == []


def test_moments() -> None:
    """Epoch seconds, Slurm's ways to say none, and years that no calendar has."""
    assert rows.moment("1700000000", what="x") == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert all(rows.moment(text, what="x") is None for text in ("Unknown", "None", "NONE", "N/A", "", "(null)"))
    assert rows.moment("999999999999999", what="x") is None


@pytest.mark.parametrize("text", ["4294967296", "99999999999999999999", "9" * 5000, "-1", "", "1.5"])
def test_numbers_have_32_bits(text: str) -> None:
    """As Slurm keeps them: what is larger would fit neither the store nor a calendar."""
    assert rows.number("4294967295", what="x") == 2**32 - 1
    with pytest.raises(OutputError):
        rows.number(text, what="x")
    with pytest.raises(OutputError):
        rows.moment("9" * 5000, what="x")


@given(st.text())
def test_any_text_is_a_moment_or_an_output_error(text: str) -> None:
    """Nothing else escapes."""
    with contextlib.suppress(OutputError):
        rows.moment(text, what="x")


@pytest.mark.parametrize(
    ("folder", "path"), [("", "sacct"), ("/opt/slurm/bin", "/opt/slurm/bin/sacct"), ("/x/", "/x/sacct")]
)
def test_program(folder: str, path: str) -> None:
    """A configured folder is put before the name."""
    assert rows.program("sacct", folder) == path
