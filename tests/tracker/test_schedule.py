"""When Slurm may be asked: values in, values out; the purses, the growing pauses, and clocks that jump."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.tracker.schedule import (
    BUSY_SECONDS,
    DEBT,
    HELD_SECONDS,
    LEASE_SECONDS,
    LONGEST_SECONDS,
    NEWS,
    ORDINARY,
    SILENT_SECONDS,
    SLOW_FACTOR,
    Answer,
    Schedule,
    accounts_due,
    answered,
    asking,
    fresh_seconds,
    given_up,
    seconds_until,
)
from trainsub.tracker.values import Job

T0 = datetime(2026, 11, 22, 12, tzinfo=UTC)
STEADY = 30.0
GOOD = Answer(questions=1, seconds=0.1)


def at(seconds: float) -> datetime:
    """So many seconds after the beginning."""
    return T0 + timedelta(seconds=seconds)


def until(one: Schedule, now: float, *, news: bool = False, due: bool = True, alone: bool = True) -> float:
    """Seconds until a question may be asked."""
    return seconds_until(one, at(now), steady=STEADY, news=news, due=due, alone=alone)


def asked(one: Schedule, now: float, answer: Answer = GOOD, *, news: bool = False) -> Schedule:
    """The schedule after a question."""
    begun = asking(one, at(now), steady=STEADY, news=news)
    return answered(begun, at(now), answer, steady=STEADY, jitter=1.0)


def test_pauses_grow_after_something_new() -> None:
    """2, 4, 8, 16, then 30 seconds; what is new again begins again."""
    one, now, pauses = asked(Schedule(), 0.0, news=True), 0.0, []
    for _ in range(7):
        pauses.append(until(one, now))
        now += pauses[-1]
        one = asked(one, now)
    assert pauses == [2, 4, 8, 16, 30, 30, 30]
    assert until(one, now, news=True) == 0
    assert asked(one, now, news=True).interval == 2


def test_a_person_does_not_wait_for_the_pause() -> None:
    """But for the purse: two at once, then one for every steady interval."""
    one = asked(replace(Schedule(), interval=STEADY), 0.0)
    assert until(one, 1.0) == 29
    assert until(one, 1.0, due=False) == 0
    one = asked(one, 1.0)
    assert until(one, 1.0, due=False) == pytest.approx(29)
    assert until(one, 31.0, due=False) == 0


@given(st.lists(st.tuples(st.floats(0.1, 40), st.booleans(), st.integers(1, 3)), max_size=60))
def test_ordinary_questions_never_exceed_the_budget(steps: list[tuple[float, bool, int]]) -> None:
    """Whatever asks and how often: in any time T, at most what the purse holds and two a minute, and what one costs."""
    one, now, spent, begun = replace(Schedule(), interval=STEADY), 0.0, 0, None
    for pause, due, questions in steps:
        now += pause
        if until(one, now, due=due) == 0:
            begun = now if begun is None else begun
            one = asked(one, now, Answer(questions=questions, seconds=0.1))
            spent += questions
            assert spent <= ORDINARY + (now - begun) / STEADY + questions


def test_news_are_paid_from_their_own_purse_first() -> None:
    """And when that is empty, from the other one."""
    one, now, count = Schedule(), 0.0, 0
    while until(one, now, news=True) == 0:
        one, count = asked(one, now, news=True), count + 1
    assert count == NEWS + ORDINARY
    assert one.news == 0
    assert one.ordinary == 0


def test_sacct_counts_and_a_debt_has_an_end() -> None:
    """What a poll takes beyond its first question is taken too, into debt, as for an order; never without end."""
    one = asked(replace(Schedule(), interval=STEADY), 0.0, Answer(questions=3, seconds=0.1, accounts=True))
    assert (one.ordinary, one.accounts_at) == (-1, T0)
    assert until(one, 0.0, due=False) == 60
    assert asked(one, 0.0, Answer(questions=50, seconds=1)).ordinary == DEBT
    assert asked(one, 1.0).accounts_at == T0


def test_a_silent_slurm_is_asked_less_and_less() -> None:
    """Up to every two minutes; what is new does not hasten it; the first answer ends that."""
    one, now, pauses = Schedule(), 0.0, []
    for _ in range(8):
        one = asked(one, now, Answer(1, 0.1, trouble="no controller"), news=True)
        pauses.append(until(one, now, news=True))
        now += pauses[-1]
    assert pauses == [2, 4, 8, 16, 32, 64, SILENT_SECONDS, SILENT_SECONDS]
    assert one.trouble == "no controller"
    assert asked(one, now).trouble is None


def test_who_is_asked_too_often_is_left_alone() -> None:
    """A person's question waits too, and the pause doubles up to ten minutes."""
    one, now, pauses = Schedule(), 0.0, []
    for _ in range(6):
        one = asked(one, now, Answer(1, 0.1, held=True))
        pauses.append(until(one, now, due=False))
        now += pauses[-1]
    assert pauses == [HELD_SECONDS, 120, 240, 480, LONGEST_SECONDS, LONGEST_SECONDS]
    calm = asked(one, now)
    assert (calm.held_until, calm.interval) == (None, STEADY)


def test_a_slow_controller_is_asked_less_often() -> None:
    """The pause is five times as long as the answer took."""
    assert until(asked(Schedule(), 0.0, Answer(1, seconds=20)), 0.0) == 20 * SLOW_FACTOR
    assert until(asked(Schedule(), 0.0, Answer(1, seconds=9999)), 0.0) == LONGEST_SECONDS


def test_one_process_asks_at_a_time() -> None:
    """Unless its lock is gone, or it has been asking for so long that it must be asleep."""
    one = asking(Schedule(), T0, steady=STEADY, news=False)
    assert until(one, 5.0, due=False, alone=False) == BUSY_SECONDS
    assert until(one, 5.0, due=False) == 0
    assert until(one, LEASE_SECONDS, due=False, alone=False) == 0
    assert until(one, -3600.0, due=False, alone=False) == 0
    assert asked(one, 1.0).asking_since is None


@pytest.mark.parametrize("jump", [-365 * 86400.0, -3600.0, 3600.0, 365 * 86400.0])
def test_a_clock_that_jumps_wedges_nothing(jump: float) -> None:
    """Neither a pause, nor what Slurm asked for, nor a purse outlasts a wrong clock."""
    one = asked(asked(Schedule(), 0.0), 5.0, Answer(1, 0.1, held=True))
    assert until(one, jump) == 0
    later = asked(one, jump)
    assert until(later, jump) <= STEADY
    spent = replace(later, ordinary=0.0, news=0.0, filled_at=at(0.0))
    assert until(spent, jump, due=False) <= STEADY


def test_a_cluster_that_is_away_costs_nothing() -> None:
    """Slurm was not asked; another process may try at once."""
    one = given_up(asking(Schedule(), T0, steady=STEADY, news=True), at(1.0), steady=STEADY)
    assert (one.asking_since, one.ordinary) == (None, ORDINARY)
    assert until(one, 1.0, alone=False) == 0


def test_fresh_is_at_most_fifteen_seconds() -> None:
    """Or half the steady interval, where somebody wants to know more often."""
    assert (fresh_seconds(30), fresh_seconds(300), fresh_seconds(1)) == (15, 15, 0.5)


def job(**values: object) -> Job:
    """A job, submitted at the beginning."""
    return replace(Job(run="r-1", link=1, job_id=7, submitted=T0), **values)  # type: ignore[arg-type]


def due(one: Job, now: float, asked_at: float | None, clock: float | None = None) -> bool:
    """Whether sacct is asked."""
    there = None if clock is None else at(clock)
    return accounts_due(one, at(now), clock=there, asked_at=None if asked_at is None else at(asked_at))


def test_accounts_are_asked_for_at_once_then_ever_less() -> None:
    """The pause grows with the time since, from two seconds to ten minutes."""
    assert due(job(state="RUNNING"), 100, 99)
    gone = job(missing_since=T0)
    assert due(gone, 0, None)
    assert not due(gone, 3, 2)
    assert due(gone, 4, 2)
    assert not due(gone, 60, 31)
    assert due(gone, 60, 30)
    assert not due(gone, 86_400, 86_400 - 599)
    assert due(gone, 86_400, 86_400 - 600)
    assert due(gone, 60, 3600), "asked in a future that is none"


def test_the_cluster_tells_how_long_ago_a_job_ended() -> None:
    """Its clock and its times are the same clock's; ours may be hours apart."""
    ended = job(state="FAILED", end_time=at(7200))
    assert not due(ended, 10, 9, clock=7210)
    assert due(ended, 10, 5, clock=7210)
    assert due(ended, 7300, 7250)
    assert due(job(state="FAILED"), 10, 9), "no end is known: nothing can be counted from it"
