import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.minislurm import hostlists, table, view
from trainsub.minislurm.table import Column
from trainsub.slurm.hostlist import expand

NOON = 1795348800
"""2026-11-22 12:00:00 UTC."""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC0")
    monkeypatch.delenv("SLURM_TIME_FORMAT", raising=False)
    monkeypatch.delenv("SLURM_BITSTR_LEN", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


# Recorded from squeue of 24.11, whose columns i, j and z hold 2, runs and *:*:*.
@pytest.mark.parametrize(
    ("text", "line", "unknown"),
    [
        ("%.5i|%5i|%.3j|%3j", "    2|2    |run|run", []),
        ("%-5i", "%-5i", ["-"]),
        ("%% x %z%", "% x *:*:*", [" "]),
        ("%i%j%", "2runs", []),
        ("abc", "abc", []),
        ("%5.5i|%08i|%..5i", "%5.5i|2       |%..5i", [".", "."]),
        ("", "", []),
        ("%", "", []),
    ],
)
def test_letters(text: str, line: str, unknown: list[str]) -> None:
    """A format of letters is read as squeue reads it."""
    columns, wrong = table.letters(text, "ijz")
    assert table.line(columns, {"i": "2", "j": "runs", "z": "*:*:*"}.__getitem__) == line + "\n"
    assert wrong == unknown


@pytest.mark.parametrize(
    ("text", "line", "unknown"),
    [
        ("jobid:6,name:3,state:.10", "2     run   RUNNING", []),
        ("jobid", "2" + " " * 19, []),
        ("JobID:|,Name:|", "2|runs|", []),
        ("JobID:\x1f,STATE:\x1f", "2\x1fRUNNING\x1f", []),
        ("JobID:0,Name:0", "2runs", []),
        ("JobID:.0,Name:.6", "2  runs", []),
        ("JobID:5:,Name:, ,State", "2    :runsRUNNING             ", [" "]),
        ("JobID: State", "2 State", []),
        ("jobid:1,,state:7", "2RUNNING", []),
        ("foo:5", "", ["foo"]),
        ("foo:|,jobid:", "|2", ["foo"]),
        ("", "", []),
    ],
)
def test_words(text: str, line: str, unknown: list[str]) -> None:
    """A format of words is read as squeue reads it."""
    fields = {"jobid": "2", "name": "runs", "state": "RUNNING"}
    columns, wrong = table.words(text, fields)
    assert table.line(columns, fields.__getitem__) == line + "\n"
    assert wrong == unknown


@given(st.text(), st.text())
def test_any_format_is_read(text: str, value: str) -> None:
    """No format makes the reader fail, and a line holds what stands between the fields."""
    for columns, _ in (table.letters(text, "ij"), table.words(text, {"jobid"})):
        assert table.line(columns, lambda _: value).endswith("\n")
    columns, unknown = table.letters(text, "")
    assert len(unknown) == len([token for token in text.split("%")[1:] if token])


@given(st.text(min_size=1), st.integers(1, 40), st.booleans())
def test_a_column_is_as_wide_as_it_says(text: str, width: int, right: bool) -> None:  # noqa: FBT001
    """A text is cut or filled to the width."""
    assert len(Column("i", width, right).fit(text)) == width


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (None, "2026-11-22T12:00:00"),
        ("", "2026-11-22T12:00:00"),
        ("standard", "2026-11-22T12:00:00"),
        ("%s", "1795348800"),
        ("%H:%M", "12:00"),
        ("%d %s", "22 1795348800"),
    ],
)
def test_times(wanted: str | None, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times look as SLURM_TIME_FORMAT wants them."""
    if wanted is not None:
        monkeypatch.setenv("SLURM_TIME_FORMAT", wanted)
    assert table.moment(NOON) == text
    assert (table.moment(None), table.moment(None, "Unknown")) == ("N/A", "Unknown")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (5, "0:05"),
        (600, "10:00"),
        (3600, "1:00:00"),
        (604800, "7-00:00:00"),
        (None, "UNLIMITED"),
        (-3, "0:00"),
    ],
)
def test_durations(seconds: int | None, text: str) -> None:
    """Durations look as in squeue."""
    assert table.clock(seconds) == text


@pytest.mark.parametrize(
    ("mebibytes", "text"),
    [
        (0, "0M"),
        (4000, "4000M"),
        (2048, "2G"),
        (96000, "96000M"),
        (1024000, "1000G"),
        (1048576, "1T"),
        (2**40, "1024P"),
    ],
)
def test_memory(mebibytes: int, text: str) -> None:
    """Memory is told in the largest unit without a fraction."""
    assert table.memory(mebibytes) == text
    assert table.memory(mebibytes, convert=False) == f"{mebibytes}M"


# Recorded from 24.11.
@pytest.mark.parametrize(
    ("tasks", "limit", "room", "text"),
    [
        ([1, 2, 3, 4, 5, 6], 2, "", "1-6%2"),
        ([1, 3, 5], 2, "", "1,3,5%2"),
        ([1, 2, 5, 8, 11, 14, 17, 20], 2, "", "1-2,5,8,11,14,17,20%2"),
        (range(1, 22, 2), 0, "", "1-21:2"),
        ([1, 3, 5, 10, 15, 20, *range(30, 41), *range(50, 66, 2)], 0, "10", "1,3,5,..."),
        ([1, 3, 5, 10], 0, "0", "1,3,5,10"),
        ([7], 0, "", "7"),
        ([], 0, "", ""),
        ([1000, 1001], 0, "5", "..."),
    ],
)
def test_indices(tasks: list[int], limit: int, room: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Indices of tasks are folded, and cut as SLURM_BITSTR_LEN wants it."""
    if room:
        monkeypatch.setenv("SLURM_BITSTR_LEN", room)
    assert view.indices(tasks, limit) == text


@given(st.sets(st.integers(0, 5000), max_size=80))
def test_indices_keep_all(tasks: set[int]) -> None:
    """Without a limit every index is told."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_BITSTR_LEN", "0")
        text = view.indices(tasks)
    ends, _, step = text.partition(":")
    low, _, high = ends.partition("-")
    found = (
        set(range(int(low), int(high) + 1, int(step))) if step else set(map(int, expand(f"[{text}]") if text else []))
    )
    assert found == tasks


@given(st.sets(st.integers(0, 5000), max_size=300), st.integers(1, 70))
def test_indices_fit(tasks: set[int], room: int) -> None:
    """Indices take no more room than they are given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_BITSTR_LEN", str(room))
        text = view.indices(tasks)
    assert ":" in text or len(text) <= max(room, 1)


@pytest.mark.parametrize(
    ("names", "given", "in_order"),
    [
        ("n3,n1,n2,n1", "n[3,1-2,1]", "n[1,1-3]"),
        ("127.0.0.1,127.0.0.2", "127.0.0.[1-2]", "127.0.0.[1-2]"),
        ("n1,x1,n2", "n1,x1,n2", "n[1-2],x1"),
        ("n08,n09,n10", "n[08-10]", "n[08-10]"),
        ("head", "head", "head"),
        ("head,n1,head", "head,n1,head", "head,head,n1"),
        ("7", "7", "7"),
    ],
)
def test_hostlists(names: str, given: str, in_order: str) -> None:
    """Names are folded as scontrol does, in the order given or sorted."""
    assert hostlists.fold(names.split(",")) == given
    assert hostlists.fold(hostlists.sort(names.split(","))) == in_order


@given(st.lists(st.from_regex(r"[a-z]{1,3}[0-9]{0,4}", fullmatch=True), max_size=30))
def test_a_folded_list_means_the_same(names: list[str]) -> None:
    """What was folded unfolds to the same names in the same order."""
    assert expand(hostlists.fold(names)) == names
