import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.minislurm import arrays


# Recorded from Slurm 24.11: what was given, and what scontrol showed.
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1-3", "1-3"),
        ("7,1-3", "1-3,7"),
        ("1-9:2", "1,3,5,7,9"),
        ("1-9:2%3", "1,3,5,7,9%3"),
        ("1-5%0", "1-5"),
        ("1-5%x", "1-5"),
        ("1-5%-1", "1-5"),
        ("1-5%", "1-5"),
        ("1-3%2,5", "1-3%2"),
        ("1-3,5-7%2", "1-3,5-7%2"),
        ("01-03", "1-3"),
        ("1-2:2", "1"),
        ("5", "5"),
        ("1,1", "1"),
        ("1,2,2-3", "1-3"),
        ("1000", "1000"),
        ("1-3,", "1-3"),
        (",1-3", "1-3"),
        ("[1-3]", "1-3"),
        ("[1-3]%2", "1-3%2"),
    ],
)
def test_lists_of_indices(text: str, shown: str) -> None:
    """As Slurm reads and shows them."""
    assert arrays.show(*arrays.parse(text, 1001)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "1-x",
        "3-1",
        "1-2000",
        "1001",
        "5-1:2",
        "1-5:0",
        "1-5:x",
        "a",
        "-1",
        "1..3",
        "0x10",
        "1--3",
        "1 - 3",
        "*",
        "",
        ",",
    ],
)
def test_what_is_no_list(text: str) -> None:
    """Slurm refuses it, too."""
    with pytest.raises(arrays.ArrayError):
        arrays.parse(text, 1001)


@given(st.sets(st.integers(0, 1000), min_size=1), st.integers(0, 50))
def test_what_is_shown_is_read_back(indices: set[int], limit: int) -> None:
    """Whatever the indices."""
    shown = arrays.show(tuple(sorted(indices)), limit)
    assert arrays.parse(shown, 1001) == (tuple(sorted(indices)), limit)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else happens."""
    try:
        indices, limit = arrays.parse(text, 1001)
    except arrays.ArrayError:
        return
    assert indices
    assert limit >= 0


@pytest.mark.parametrize(("indices", "step"), [((1, 3, 5), 2), ((1, 3, 10), 2), ((7,), 1), ((2, 9), 7)])
def test_the_step(indices: tuple[int, ...], step: int) -> None:
    """The first one."""
    assert arrays.step(indices) == step
