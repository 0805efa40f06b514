from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.ledger.usage import Record, Usage, amount, by_currency, total, usage

T0 = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PriceList:
    """What a cluster's configuration offers."""

    currency: str = "CNY"
    gpu_hour: Decimal = Decimal("8.50")

    def for_partition(self, name: str) -> Decimal:
        """Debugging is free."""
        return Decimal(0) if name == "debug" else self.gpu_hour


def at(seconds: int) -> datetime:
    """Return a time so many seconds after the beginning."""
    return T0 + timedelta(seconds=seconds)


def record(start: int | None, end: int | None, gpus: int | None = 8, **other: object) -> Record:
    """Return a record; what elapsed is the time between, unless told."""
    elapsed = other.pop("elapsed", end - start if start is not None and end is not None else 0)
    values: dict[str, object] = {"nodes": 1, "partition": "gpu", "state": "COMPLETED", **other, "elapsed": elapsed}
    return Record(
        start=None if start is None else at(start),
        end=None if end is None else at(end),
        gpus=gpus,
        **values,  # type: ignore[arg-type]  # each is of its field's type
    )


def test_requeued_records_are_all_counted() -> None:
    """Measured: 16 GPUs x 89 s and 16 x 5 s; the last record alone would say 80."""
    used = usage([record(0, 89, 16, state="NODE_FAIL"), record(200, 205, 16)], price=PriceList())
    assert used.gpu_seconds == 1504
    assert used.cost == Fraction(1504 * 850, 3600 * 100)
    assert (used.currency, used.provisional, used.estimated) == ("CNY", False, False)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("second_start", [0, 6])
def test_a_resize_counts_no_second_twice(order: int, second_start: int) -> None:
    """24.11 repeats the first start, 26.05 does not; the job held 24 GPUs for 6 s and 16 for 10 s."""
    rows = [record(0, 6, 24, state="RESIZING"), record(second_start, 16, 16)]
    assert usage(rows[::order]).gpu_seconds == 24 * 6 + 16 * 10


def test_three_sizes_and_one_that_lasts() -> None:
    """A record that lasts is the newest, whatever its start says."""
    rows = [record(0, None, 8, elapsed=30), record(0, 6, 24), record(0, 16, 16)]
    used = usage(rows, running=True, now=at(31))
    assert used.gpu_seconds == 24 * 6 + 16 * 10 + 8 * 15
    assert used.provisional


def test_the_same_record_twice_counts_once() -> None:
    """However it came to be there twice."""
    assert usage([record(0, 10), record(0, 10)]).gpu_seconds == 80


def test_suspended_time_is_not_counted() -> None:
    """Elapsed leaves it out already."""
    assert usage([record(0, 100, elapsed=60)]).gpu_seconds == 480


def test_what_never_started_costs_nothing() -> None:
    """Cancelled in the queue."""
    used = usage([record(None, 50, None)], price=PriceList())
    assert used == Usage(gpu_seconds=0, cost=Fraction(0), currency="CNY", provisional=False, estimated=False)
    assert usage([]).gpu_seconds == 0


def test_a_running_job_counts_so_far() -> None:
    """The figure of sacct where there is one, else up to now."""
    assert usage([record(0, None, elapsed=40)], running=True, now=at(50)).gpu_seconds == 320
    assert usage([record(0, None)], running=True, now=at(50)).gpu_seconds == 400
    assert usage([record(0, None)], running=True).gpu_seconds == 0
    assert usage([record(60, None)], running=True, now=at(50)).gpu_seconds == 0


def test_a_record_that_was_never_closed_does_not_grow() -> None:
    """The job has ended, its record has not: what was counted counts, and it stays provisional."""
    used = usage([record(0, None, elapsed=40)], now=at(5000))
    assert (used.gpu_seconds, used.provisional) == (320, True)


def test_a_job_that_waits_again_is_provisional() -> None:
    """There is more to come after a requeue."""
    assert usage([record(0, 10), record(None, None, None)], running=True).provisional


def test_without_recorded_gpus_it_is_estimated_or_unknown() -> None:
    """Never guessed."""
    rows = [record(0, 10, None, nodes=4), record(20, 30, 8)]
    assert usage(rows, gpus_per_node=8).gpu_seconds == 320 + 80
    assert usage(rows, gpus_per_node=8).estimated
    unknown = usage(rows, price=PriceList())
    assert (unknown.gpu_seconds, unknown.cost, unknown.currency, unknown.estimated) == (None, None, "CNY", False)


def test_a_cpu_job_is_not_estimated() -> None:
    """Where the cluster records GPUs, 0 means 0."""
    used = usage([record(0, 10, 0)], gpus_per_node=8)
    assert (used.gpu_seconds, used.estimated) == (0, False)


def test_a_record_of_no_length_makes_nothing_unknown() -> None:
    """No second, no GPU-second."""
    assert usage([record(0, 0, None), record(0, 10, 8)]).gpu_seconds == 80


def test_prices_differ_by_partition() -> None:
    """Each record by its own."""
    used = usage([record(0, 3600, 1), record(3600, 7200, 1, partition="debug")], price=PriceList())
    assert used.cost == Fraction(17, 2)


def test_without_a_price_there_is_no_cost() -> None:
    """Unknown, not free."""
    used = usage([record(0, 10)])
    assert (used.cost, used.currency) == (None, None)


def test_rounding_happens_once_at_the_total() -> None:
    """Three times a third of a cent is a cent."""
    third = usage([record(0, 12, 1)], price=PriceList(gpu_hour=Decimal("1.00")))
    assert amount(third.cost or Fraction(0)) == "0.00"
    assert amount(total([third] * 3).cost or Fraction(0)) == "0.01"


def test_currencies_are_never_added() -> None:
    """There is a total for each."""
    cny = usage([record(0, 3600, 1)], price=PriceList())
    eur = usage([record(0, 3600, 2)], price=PriceList(currency="EUR", gpu_hour=Decimal(2)))
    free = usage([record(0, 3600, 4)])
    both = total([cny, eur])
    assert (both.gpu_seconds, both.cost, both.currency) == (3 * 3600, None, None)
    assert total([cny, free]).cost is None
    groups = by_currency([eur, cny, free, cny])
    assert list(groups) == ["CNY", "EUR"]
    assert (groups["CNY"].cost, groups["EUR"].cost) == (Fraction(17), Fraction(4))


def test_what_used_nothing_does_not_spoil_a_total() -> None:
    """A run that never started, on a cluster without prices."""
    cny = usage([record(0, 3600, 1)], price=PriceList())
    idle = usage([])
    assert total([cny, idle]).cost == cny.cost
    assert total([]) == Usage(gpu_seconds=0, cost=None, currency=None, provisional=False, estimated=False)


def test_an_unknown_part_makes_the_total_unknown() -> None:
    """A sum of what is known would look like the whole."""
    cny = usage([record(0, 3600, 1)], price=PriceList())
    unknown = usage([record(0, 3600, None)], price=PriceList())
    assert (total([cny, unknown]).gpu_seconds, total([cny, unknown]).cost) == (None, None)
    assert total([cny, unknown]).currency == "CNY"


def test_flags_of_a_part_are_flags_of_the_total() -> None:
    """One estimate makes the sum an estimate."""
    sure = usage([record(0, 10)])
    assert total([sure, replace(sure, provisional=True)]).provisional
    assert total([sure, replace(sure, estimated=True)]).estimated


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (Decimal("0.005"), "0.00"),
        (Decimal("0.015"), "0.02"),
        (Decimal("0.025"), "0.02"),
        (Fraction(1, 3), "0.33"),
        (Decimal("1234567.895"), "1234567.90"),
        (Decimal("-0.015"), "-0.02"),
        (Decimal(3), "3.00"),
    ],
)
def test_amount(cost: Decimal | Fraction, text: str) -> None:
    """Half to even, two decimals."""
    assert amount(cost) == text


spans = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500)), max_size=6)


@given(spans)
def test_no_second_is_counted_twice(parts: list[tuple[int, int, int]]) -> None:
    """With one GPU, never more than the seconds in which the job held anything at all."""
    rows = [record(start, start + length, 1, elapsed=min(length, elapsed)) for start, length, elapsed in parts]
    covered = {second for start, length, _ in parts for second in range(start, start + length)}
    used = usage(rows)
    assert used.gpu_seconds is not None
    assert used.gpu_seconds <= len(covered)
    if all(elapsed >= length for _, length, elapsed in parts):
        assert used.gpu_seconds == len(covered)


@given(spans, st.randoms())
def test_the_order_of_the_records_does_not_matter(parts: list[tuple[int, int, int]], chance: object) -> None:
    """They are sorted first."""
    rows = [record(start, start + length, 3, elapsed=length) for start, length, _ in parts]
    mixed = list(rows)
    chance.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert usage(mixed) == usage(rows)
