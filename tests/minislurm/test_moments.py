import contextlib
import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.minislurm import moments

NOW = 1795379067
"""2026-11-22 20:24:27 UTC, a Sunday."""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


# Recorded from Slurm 24.11, whose clock stood at NOW.
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", "2026-11-22T20:24:27"),
        ("now+1hour", "2026-11-22T21:24:27"),
        ("now+1", "2026-11-22T20:24:28"),
        ("now+2days", "2026-11-24T20:24:27"),
        ("now+3weeks", "2026-12-13T20:24:27"),
        ("now+60seconds", "2026-11-22T20:25:27"),
        ("now+60minutes", "2026-11-22T21:24:27"),
        ("now + 5 minutes", "2026-11-22T20:29:27"),
        ("now +5", "2026-11-22T20:24:32"),
        ("now-1hour", "2026-11-22T19:24:27"),
        ("now+1DAY", "2026-11-23T20:24:27"),
        ("16:00", "2026-11-23T16:00:00"),
        ("23:59", "2026-11-22T23:59:00"),
        ("0:01", "2026-11-23T00:01:00"),
        ("10:00:00", "2026-11-23T10:00:00"),
        ("4:30pm", "2026-11-23T16:30:00"),
        ("4:30 pm", "2026-11-23T16:30:00"),
        ("11:30PM", "2026-11-22T23:30:00"),
        ("12:30am", "2026-11-23T00:30:00"),
        ("12:30pm", "2026-11-23T12:30:00"),
        ("noon", "2026-11-23T12:00:00"),
        ("NOON", "2026-11-23T12:00:00"),
        ("midnight", "2026-11-23T00:00:00"),
        ("teatime", "2026-11-23T16:00:00"),
        ("fika", "2026-11-23T15:00:00"),
        ("elevenses", "2026-11-23T11:00:00"),
        ("today", "2026-11-22T00:00:00"),
        ("tomorrow", "2026-11-23T00:00:00"),
        ("tomorrow 10:00", "2026-11-23T10:00:00"),
        ("10:00 tomorrow", "2026-11-23T10:00:00"),
        ("tomorrow noon", "2026-11-23T12:00:00"),
        ("2010-01-20", "2010-01-20T00:00:00"),
        ("2030-01-20T12:34:00", "2030-01-20T12:34:00"),
        ("2030-01-20T12:34", "2030-01-20T12:34:00"),
        ("2030-01-20 12:34", "2030-01-20T12:34:00"),
        ("2030-01-20Tnoon", "2030-01-20T12:00:00"),
        ("2030-01-20T", "2030-01-20T00:00:00"),
        ("2030-01-20-10:00", "2030-01-20T10:00:00"),
        ("12:34 2030-01-20", "2030-01-20T12:34:00"),
        ("2030-02-30", "2030-03-02T00:00:00"),
        ("010130", "2030-01-01T00:00:00"),
        ("010130 10:00", "2030-01-01T10:00:00"),
        ("01/20/30", "2030-01-20T00:00:00"),
        ("1/2/30", "2030-01-02T00:00:00"),
        ("01/20", "2027-01-20T00:00:00"),
        ("12/31", "2026-12-31T00:00:00"),
        ("11/21", "2027-11-21T00:00:00"),
        ("01/20 10:00", "2027-01-20T10:00:00"),
        ("01.20.30", "2030-01-20T00:00:00"),
        ("uts1900000000", "2030-03-17T17:46:40"),
    ],
)
def test_a_moment(text: str, moment: str) -> None:
    """As Slurm reads it."""
    assert moments.parse(text, NOW) == int(datetime.fromisoformat(moment + "+00:00").timestamp())


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("someday", 0),
        ("now+3parsecs", 4),
        ("now+", 3),
        ("now+x", 3),
        ("now+5min", 4),
        ("25:00", 0),
        ("24:00", 0),
        ("13:00pm", 5),
        ("12:00a", 5),
        ("10:00:61", 6),
        ("10:60", 3),
        ("tomorrow+1hour", 8),
        ("Tomorrow", 1),
        ("2030-13-20", 5),
        ("2030-00-10", 5),
        ("2030-02-32", 8),
        ("2030-1-2", 0),
        ("20.01.30", 0),
        ("1900000000", 0),
        ("uts5", 0),
        ("2030-01-20T12:34:56.789", 19),
        ("2030-01-20T12:34:56Z", 19),
        ("2030/01/20", 0),
        ("--zzz", 2),
        ("now+999999999999", 16),
    ],
)
def test_what_is_no_moment(text: str, place: int) -> None:
    """Slurm's words, with the place where it stopped."""
    with pytest.raises(moments.MomentError) as raised:
        moments.parse(text, NOW)
    assert str(raised.value) == f"Invalid time specification (pos={place}): {text}"


def test_the_past_may_be_meant() -> None:
    """As for sacct."""
    assert moments.parse("16:00", NOW, past=True) == moments.parse("2026-11-22T16:00", NOW)
    assert moments.parse("01/20", NOW, past=True) == moments.parse("2026-01-20", NOW)


def test_the_time_zone_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noon is noon there."""
    monkeypatch.setenv("TZ", "EST5")
    time.tzset()
    assert moments.parse("2030-01-20T12:00", NOW) == int(
        datetime.fromisoformat("2030-01-20T17:00:00+00:00").timestamp()
    )


@given(st.text(alphabet="now+-12340:/. Tpmadhoursuts") | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else happens."""
    with contextlib.suppress(moments.MomentError):
        assert moments.parse(text, NOW) >= 0
