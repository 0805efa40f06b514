"""What a job held, in GPU-seconds, and what that cost. Pure.

Rules, so that the figures agree with the accounting database to the second:

- Every record counts, those before a requeue too, and no second counts twice: a record begins where the former one of
  the same job ended. On some releases the record after a resize carries the job's first start again.
- Suspended time is not in ``elapsed``, so it is not billed. Only where a job was suspended *and* a record overlaps the
  former one, the overlap is taken off as if nothing of it had been suspended.
- A record without a start costs nothing. A record without an end is provisional.
- GPUs are what Slurm recorded. Where it recorded none, nodes times GPUs per node is used and called estimated; where
  that is not configured either, the figure is None. Who knows that the cluster does record GPUs passes 0 for a record
  without them (``slurm.tres.gpus(tracked=True)``), so that a job on CPUs only is not estimated to have held any.
- Costs are fractions. They are rounded when an amount is written, and totals add up what was not rounded.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

_HOUR = 3600
_SECOND = timedelta(seconds=1)


class Price(Protocol):
    """The part of a cluster's price list that is needed here."""

    @property
    def currency(self) -> str:
        """Currency of the prices."""

    def for_partition(self, name: str, /) -> Decimal:
        """Return what one GPU costs for one hour in a partition."""


@dataclass(frozen=True, slots=True)
class Record:
    """One period in which a job held nodes.

    Attributes:
        start: None while it has not started.
        end: None while it lasts.
        elapsed: Seconds, suspended time left out; 0 where nobody counted.
        gpus: GPUs held; 0: none; None: not recorded.
        nodes: Nodes held.
        partition: Prices differ by it.
        state: Slurm's word; for the reader.
    """

    start: datetime | None
    end: datetime | None
    elapsed: int
    gpus: int | None
    nodes: int
    partition: str
    state: str


@dataclass(frozen=True, slots=True)
class Usage:
    """GPU time and its cost.

    Attributes:
        gpu_seconds: None where the number of GPUs is not known.
        cost: Exact; None without a price, without GPU-seconds, or across currencies.
        currency: None without a price, or across currencies.
        provisional: It still grows.
        estimated: The number of GPUs comes from the configuration, or the time of a runaway record from what was seen.
        runaway: A record of it never ends; it was counted until the last sign of life.
    """

    gpu_seconds: int | None
    cost: Fraction | None
    currency: str | None
    provisional: bool
    estimated: bool
    runaway: bool = False


def usage(
    records: Iterable[Record],
    *,
    price: Price | None = None,
    gpus_per_node: int | None = None,
    now: datetime | None = None,
    running: bool = False,
) -> Usage:
    """Return what one job used.

    Args:
        records: All records of one job, in any order.
        price: The cluster's price list.
        gpus_per_node: For records that do not tell their GPUs.
        now: The end, for now, of a record that lasts and that nobody counted.
        running: The job has not ended, so there is more to come.
    """
    gpu_seconds: int | None = 0
    cost = Fraction(0)
    estimated = False
    held = _held(records, now if running else None)
    for record, seconds in held:
        gpus = record.gpus
        if gpus is None and seconds and gpus_per_node is not None:
            gpus, estimated = record.nodes * gpus_per_node, True
        if gpus is None:
            gpu_seconds = None if seconds else gpu_seconds
            continue
        gpu_seconds = None if gpu_seconds is None else gpu_seconds + gpus * seconds
        if price is not None:
            cost += Fraction(gpus * seconds, _HOUR) * Fraction(price.for_partition(record.partition))
    return Usage(
        gpu_seconds=gpu_seconds,
        cost=cost if price is not None and gpu_seconds is not None else None,
        currency=price.currency if price is not None else None,
        provisional=running or any(record.end is None for record, _ in held),
        estimated=estimated,
    )


def total(usages: Iterable[Usage]) -> Usage:
    """Return the sum; a part that is not known makes the sum unknown, and currencies are never mixed."""
    parts = list(usages)
    seconds = [part.gpu_seconds for part in parts if part.gpu_seconds is not None]
    # What used nothing cost nothing, whatever its price list says or does not say.
    priced = [part for part in parts if part.gpu_seconds != 0 or part.currency is not None]
    costs = [part.cost for part in priced if part.cost is not None]
    currencies = {part.currency for part in priced}
    currency = currencies.pop() if len(currencies) == 1 else None
    known = currency is not None and len(costs) == len(priced)
    return Usage(
        gpu_seconds=sum(seconds) if len(seconds) == len(parts) else None,
        cost=sum(costs, Fraction(0)) if known else None,
        currency=currency,
        provisional=any(part.provisional for part in parts),
        estimated=any(part.estimated for part in parts),
        runaway=any(part.runaway for part in parts),
    )


def by_currency(usages: Iterable[Usage]) -> dict[str, Usage]:
    """Return one total for each currency; usages without a price are in none of them."""
    groups: dict[str, list[Usage]] = {}
    for part in usages:
        if part.currency is not None:
            groups.setdefault(part.currency, []).append(part)
    return {currency: total(parts) for currency, parts in sorted(groups.items())}


def amount(cost: Fraction | Decimal) -> str:
    """Return a cost as it is written: two decimals, half to even."""
    cents = round(Fraction(cost) * 100)
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def _held(records: Iterable[Record], now: datetime | None) -> Sequence[tuple[Record, int]]:
    """Return the records that started, oldest first, each with the seconds that no former one has counted."""
    started = [
        (record.start, _end(record, record.start, now), record) for record in records if record.start is not None
    ]
    # Equal starts are a resize; the record that ended first came first, and one that lasts is the newest.
    started.sort(key=lambda row: (row[0], row[2].end is None, row[1]))
    held: list[tuple[Record, int]] = []
    former: datetime | None = None
    for start, end, record in started:
        begin = start if former is None else max(start, former)
        window = max(0, (end - begin) // _SECOND)
        counted = record.elapsed
        if record.end is None and not counted:
            counted = window
        held.append((record, min(counted, window)))
        former = end if former is None else max(former, end)
    return held


def _end(record: Record, start: datetime, now: datetime | None) -> datetime:
    """Return the end; of a record that lasts, the last moment that anybody knows of."""
    if record.end is not None:
        return record.end
    seen = start + timedelta(seconds=record.elapsed)
    return seen if now is None else max(now, seen)
