"""``trainsub status`` of ten thousand runs beside a bare ``squeue`` with the same columns, over the same link."""

import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from benchmarks.measure import FailedError, Sample, Series, in_turn, run
from benchmarks.table import Row
from benchmarks.world import World, trainsub
from trainsub.slurm import squeue
from trainsub.store import Store
from trainsub.tracker.values import ACCEPTED, Code, Job, Run

_RUNS = 10_000
_ROUNDS = 7
_TARGET = 1.5
_SETTLE = 0.6
"""Seconds between two programs: what is older than half a second is asked for again here, see ``_POLL_SECONDS``."""
_POLL_SECONDS = 1
"""So that each measured status asks: with the usual 30 s between two questions the second one would read the store."""
_ROOM = "echo MaxJobCount=20000 >>/etc/slurm/slurm.conf"
"""Slurm's default is 10,000 jobs, those of the container's own check included."""
_SUBMIT = (
    "cd && printf '#!/bin/sh\\n#SBATCH --nodes=1\\n#SBATCH --gpus-per-node=1\\n#SBATCH --time=60\\ntrue\\n' >held.sh; "
    "for i in $(seq {first} {last}); do "
    "r=bench-$(printf %08x $i); sbatch -Q --hold -J $r --comment=trainsub:$r:1 held.sh >/dev/null || exit; done"
)
BARE, STATUS, JSON, CACHED, START = (
    f"ssh host squeue, {_RUNS} jobs",
    f"status, {_RUNS} runs",
    "status --json",
    "status --cached",
    "python -c pass",
)


def measure(world: World) -> Iterator[Row]:
    """Fill queue and store, measure, and clear the queue afterwards."""
    world.configure(poll_seconds=_POLL_SECONDS)
    _fill_queue(world)
    _fill_store(world)
    execs: list[int] = []

    def asked(*words: str) -> Sample:
        before = len(world.audit())
        sample = _after_a_while(lambda: run(trainsub(*words), env=world.env))
        execs.append(len(world.audit()) - before)
        return sample

    programs: dict[str, Callable[[], Sample]] = {
        BARE: lambda: _after_a_while(lambda: run(world.ssh(shlex.join(squeue.argv())))),
        STATUS: lambda: asked("status"),
        JSON: lambda: asked("status", "--json"),
        CACHED: lambda: run(trainsub("status", "--cached"), env=world.env),
        START: lambda: run([sys.executable, "-c", "pass"]),
    }
    series = in_turn(_ROUNDS, programs)
    _shows_all(world)
    world.cluster.check(["scancel", "--user=alice"])
    yield from _rows(series, execs)


def _rows(series: dict[str, Series], execs: Sequence[int]) -> Iterator[Row]:
    bare, start = series[BARE], series[START]
    for name in (BARE, START, STATUS, JSON, CACHED):
        own = series[name]
        yield Row(name, f"{own.wall:.3f} s (least {own.best:.3f}), {own.cpu * 1000:.0f} ms of processor time")
        if name in {STATUS, JSON}:
            ratio, least = (
                (a - b) / c for a, b, c in ((own.wall, start.wall, bare.wall), (own.best, start.best, bare.best))
            )
            yield Row(
                "… beside ssh host squeue, the interpreter's start aside",
                f"{ratio:.2f} × (of the least times: {least:.2f} ×)",
                f"≤ {_TARGET} ×",
                ratio <= _TARGET,
            )
    most = max(execs)
    yield Row("status: execs", str(most), "1", most == 1 and min(execs) == 1)


def _after_a_while(program: Callable[[], Sample]) -> Sample:
    time.sleep(_SETTLE)
    return program()


def _fill_queue(world: World) -> None:
    """Ten thousand held jobs, each by its own sbatch, as trainsub names them."""
    world.cluster.check(["sh", "-c", _ROOM])
    world.cluster.service("slurmctld")
    for first in range(1, _RUNS + 1, 500):
        world.cluster.check(["bash", "-c", _SUBMIT.format(first=first, last=first + 499)], user="alice")


def _fill_store(world: World) -> None:
    """The runs of these jobs, as months of submissions leave them."""
    listed = world.cluster.check(["squeue", "--me", "--noheader", "--format=%A %j"], user="alice")
    now = datetime.now(UTC).replace(microsecond=0)
    runs = []
    for line in listed.splitlines():
        job_id, run_id = line.split()
        runs.append(
            Run(
                run=run_id,
                name="bench",
                key=run_id,
                cluster="far",
                created_at=now - timedelta(hours=1),
                plan_hash=run_id,
                outcome=ACCEPTED,
                script="#!/bin/sh\n" * 150,
                spec="key = 1\n" * 60,
                code=Code("0" * 64, 1_000_000, 40),
                jobs=(Job(run=run_id, link=1, job_id=int(job_id), submitted=now - timedelta(hours=1)),),
            )
        )
    if len(runs) != _RUNS:
        raise FailedError(f"{_RUNS} jobs were submitted, and squeue shows {len(runs)}")
    with Store(world.state / "store.sqlite") as store:
        store.restore([(None, one) for one in runs], now)


def _shows_all(world: World) -> None:
    """Be sure that what was measured showed each run with Slurm's word."""
    said = subprocess.run(trainsub("status"), env=world.env, capture_output=True, text=True, check=True).stdout
    shown = sum("PENDING JobHeldUser (squeue, " in line for line in said.splitlines())
    if shown != _RUNS:
        raise FailedError(f"status shows {shown} of {_RUNS} runs as held: {said[:400]}")
