import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.slurm import units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 5400),
        ("0", 0),
        ("1:30", 90),
        ("90:00", 5400),
        ("12:00:00", 43200),
        ("1-2", 93600),
        ("1-2:30", 95400),
        ("1-02:03:04", 93784),
        ("7-00:00:00", 604800),
        ("UNLIMITED", None),
        ("infinite", None),
        ("-1", None),
    ],
)
def test_parse_time(text: str, seconds: int | None) -> None:
    """All forms of man sbatch."""
    assert units.parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "abc", "1-", "-5", "1:2:3:4", "1-2-3", "1 h", "12:", ":30", "1d", "INVALID"])
def test_parse_time_refuses(text: str) -> None:
    """What Slurm would not take, or would take for something else than it looks."""
    with pytest.raises(ValueError, match="not a Slurm time"):
        units.parse_time(text)


@given(st.none() | st.integers(0, 10**9))
def test_time_survives_a_round_trip(seconds: int | None) -> None:
    """What is printed is read back."""
    assert units.parse_time(units.format_time(seconds)) == seconds


def test_a_negative_duration_is_refused() -> None:
    """It would be printed as something that Slurm reads differently."""
    with pytest.raises(ValueError, match="negative"):
        units.format_time(-1)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4000", 4000 * 1024**2),
        ("64G", 64 * 1024**3),
        ("64GB", 64 * 1024**3),
        ("1500k", 1500 * 1024),
        ("2t", 2 * 1024**4),
        ("0", 0),
    ],
)
def test_parse_memory(text: str, size: int) -> None:
    """Without a unit it is MiB; units are powers of 1024."""
    assert units.parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "G", "1.5G", "-1", "1P", "64 G", "64B", "64GiB"])
def test_parse_memory_refuses(text: str) -> None:
    """What Slurm would not take."""
    with pytest.raises(ValueError, match="not a Slurm memory size"):
        units.parse_memory(text)


@given(st.integers(0, 2**40))
def test_memory_survives_a_round_trip(kib: int) -> None:
    """What is printed is read back."""
    assert units.parse_memory(units.format_memory(kib * 1024)) == kib * 1024


@pytest.mark.parametrize("size", [-1024, 1, 1025])
def test_format_memory_refuses(size: int) -> None:
    """Slurm has no unit below KiB."""
    with pytest.raises(ValueError, match="KiB"):
        units.format_memory(size)


@given(st.text())
def test_any_text_is_a_value_or_a_value_error(text: str) -> None:
    """Nothing else escapes."""
    for parse in (units.parse_time, units.parse_memory):
        with contextlib.suppress(ValueError):
            parse(text)
