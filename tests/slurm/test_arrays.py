"""Indices of arrays: what sbatch takes, and what the commands print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.slurm import arrays


@pytest.mark.parametrize(
    ("text", "indices", "at_once"),
    [
        ("0-9%2", tuple(range(10)), 2),
        ("5", (5,), None),
        ("1,3,5-11:2", (1, 3, 5, 7, 9, 11), None),
        ("3,1-2,2", (1, 2, 3), None),
        ("7-7", (7,), None),
        ("0-3%0", (0, 1, 2, 3), None),
        ("4000000", (4_000_000,), None),
    ],
)
def test_what_sbatch_takes(text: str, indices: tuple[int, ...], at_once: int | None) -> None:
    """Indices in order, each once, and how many run at a time; %0 sets no limit."""
    assert arrays.parse(text) == arrays.Indices(indices, at_once)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "1-",
        "-1",
        "3-1",
        "1-5:0",
        "1,,2",
        "1-2-3",
        "0-9%",
        "0-9%x",
        "0-9%-1",
        "0-4000001",
        "[0-3]",
        "0 - 3",
        "1...",
    ],
)
def test_what_sbatch_refuses(text: str) -> None:
    """It is refused here first, with the reason."""
    with pytest.raises(ValueError, match=r"."):
        arrays.parse(text)


@given(st.text(alphabet="0123456789-,:%[]. ", max_size=12))
def test_any_text_is_indices_or_an_error(text: str) -> None:
    """Nothing else is ever raised, and indices are sorted."""
    try:
        found = arrays.parse(text)
    except ValueError:
        return
    assert list(found.indices) == sorted(set(found.indices))


@given(st.sets(st.integers(0, 50), min_size=1), st.none() | st.integers(1, 9))
def test_indices_are_written_as_they_are_read(indices: set[int], at_once: int | None) -> None:
    """Whatever the set."""
    assert arrays.parse(arrays.text(indices, at_once)) == arrays.Indices(tuple(sorted(indices)), at_once)


@pytest.mark.parametrize(
    ("indices", "at_once", "text"),
    [((3, 7, 9), None, "3,7,9"), ((5, 0, 1, 2), 2, "0-2,5%2"), ((4,), None, "4"), ((1, 1, 2), None, "1-2")],
)
def test_indices_are_short(indices: tuple[int, ...], at_once: int | None, text: str) -> None:
    """What follows one another is a range."""
    assert arrays.text(indices, at_once) == text


def test_no_index_is_no_array() -> None:
    """sbatch would refuse it."""
    with pytest.raises(ValueError, match="one index"):
        arrays.text([])
