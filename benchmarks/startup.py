"""How long trainsub takes to begin: processor time on top of what the bare interpreter takes."""

import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Sample, in_turn, run
from benchmarks.table import Row
from benchmarks.world import trainsub
from trainsub.store import Store
from trainsub.tracker.values import ACCEPTED, OPEN, Job, Run

_ROUNDS = 25
_RUNS = 1000
_TARGET_MS = 120

BARE, SCRIPT, MODULE, CACHED = (
    "python -c pass",
    "trainsub --help",
    "python -m trainsub --help",
    f"status --cached, {_RUNS} runs",
)


def measure() -> Iterator[Row]:
    """Measure."""
    with TemporaryDirectory(prefix="trainsub-bench-") as folder:
        home = Path(folder)
        _fill(home / "state")
        (home / "config.toml").write_text('[clusters.far]\nhost = "far"\n')
        env = {
            **os.environ,
            "TRAINSUB_CONFIG": str(home / "config.toml"),
            "TRAINSUB_STATE_DIR": str(home / "state"),
        }
        commands = {
            BARE: [sys.executable, "-c", "pass"],
            SCRIPT: trainsub("--help"),
            MODULE: [sys.executable, "-m", "trainsub", "--help"],
            CACHED: trainsub("status", "--cached"),
        }
        programs: dict[str, Callable[[], Sample]] = {
            name: lambda argv=argv: run(argv, env=env, cwd=home)  # type: ignore[misc]
            for name, argv in commands.items()
        }
        series = in_turn(_ROUNDS, programs, warm=2)
    bare = series[BARE]
    yield Row(f"{BARE}, processor time", f"{bare.cpu * 1000:.0f} ms")
    for name in (SCRIPT, MODULE, CACHED):
        more = (series[name].cpu - bare.cpu) * 1000
        figure = f"{more:.0f} ms (least {(series[name].least_cpu - bare.least_cpu) * 1000:.0f})"
        if name == CACHED:
            yield Row(f"{name}, on top of that", figure)
        else:
            yield Row(f"{name}, on top of that", figure, f"≤ {_TARGET_MS} ms", more <= _TARGET_MS)


def _fill(state: Path) -> None:
    """A store as months of work leave it."""
    begun = datetime.now(UTC) - timedelta(days=60)
    with Store(state / "store.sqlite") as store:
        for number in range(_RUNS):
            at = begun + timedelta(hours=number)
            name = f"bench-{number:08x}"
            run_of_it = Run(
                run=name,
                name="bench",
                key=f"{number:032x}",
                cluster="far",
                created_at=at,
                plan_hash=f"{number:064x}",
                outcome=OPEN,
                script="#!/bin/sh\n" * 100,
                spec='name = "bench"\n',
                code=None,
            )
            store.add_run(run_of_it)
            store.settle(name, ACCEPTED, None, at, Job(run=name, link=1, job_id=number + 1, submitted=at))
