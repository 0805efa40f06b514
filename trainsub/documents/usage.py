"""Runs and prices to the usage document. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from trainsub.documents import models
from trainsub.ledger import usage as ledger
from trainsub.tracker.allocations import billed
from trainsub.tracker.track import finished
from trainsub.tracker.values import Job, Run


@dataclass(frozen=True, slots=True)
class Rates:
    """What a cluster's configuration says of money.

    Attributes:
        price: Its price list; None without one.
        gpus_per_node: For records that do not tell their GPUs.
    """

    price: ledger.Price | None
    gpus_per_node: int | None


def job_usage(job: Job, rates: Rates, now: datetime) -> ledger.Usage:
    """What one job used so far; of an array, what all its tasks did."""
    if job.tasks:
        return ledger.total(job_usage(task, rates, now) for task in job.tasks)
    records = [
        ledger.Record(
            start=one.start,
            end=one.end,
            elapsed=one.elapsed,
            gpus=one.gpus,
            nodes=one.nodes,
            partition=one.partition,
            state=one.state,
        )
        for one in billed(job)
    ]
    used = ledger.usage(
        records, price=rates.price, gpus_per_node=rates.gpus_per_node, now=now, running=not finished(job)
    )
    if not records and job.start_time is not None:
        # It ran, and no record of Slurm says for how long on what: that is unknown, not nothing.
        return ledger.Usage(None, None, used.currency, provisional=used.provisional, estimated=False)
    return replace(used, estimated=used.estimated or job.runaway, runaway=job.runaway)


def usage_document(runs: Iterable[Run], rates: Mapping[str, Rates], *, now: datetime) -> models.UsageDocument:
    """What usage tells.

    Args:
        runs: With their allocations.
        rates: By cluster.
        now: Until when a running job counts.
    """
    listed = []
    everything: list[ledger.Usage] = []
    for run in runs:
        used = [job_usage(job, rates[run.cluster], now) for job in run.jobs]
        everything += used
        listed.append(_run(run, used))
    return models.UsageDocument(schema=models.SCHEMA, runs=listed, total=_total(everything))


def _run(run: Run, used: list[ledger.Usage]) -> models.RunUsageDocument:
    jobs = [
        models.JobUsageDocument(
            link=job.link,
            job_id=job.job_id,
            gpu_seconds=one.gpu_seconds,
            cost=_money(one),
            provisional=one.provisional,
            estimated=one.estimated,
            runaway=one.runaway,
        )
        for job, one in zip(run.jobs, used, strict=True)
    ]
    summed = ledger.total(used)
    return models.RunUsageDocument(
        run=run.run,
        name=run.name,
        cluster=run.cluster,
        state=run.jobs[-1].state if run.jobs else None,
        gpu_seconds=summed.gpu_seconds,
        cost=_money(summed),
        provisional=summed.provisional,
        estimated=summed.estimated,
        runaway=summed.runaway,
        jobs=jobs,
    )


def _total(used: list[ledger.Usage]) -> models.TotalDocument:
    summed = ledger.total(used)
    priced = [one for one in used if one.cost is not None]
    costs = [money for one in ledger.by_currency(priced).values() if (money := _money(one)) is not None]
    return models.TotalDocument(
        gpu_seconds=summed.gpu_seconds,
        cost=costs,
        provisional=summed.provisional,
        estimated=summed.estimated,
        runaway=summed.runaway,
        complete=len(priced) == len(used),
    )


def _money(used: ledger.Usage) -> models.MoneyDocument | None:
    if used.cost is None or used.currency is None:
        return None
    return models.MoneyDocument(amount=ledger.amount(used.cost), currency=used.currency)
