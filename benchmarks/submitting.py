"""``trainsub submit`` beside ``ssh host sbatch``: whole processes, no connection open before."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from benchmarks.measure import Sample, Series, in_turn, run
from benchmarks.table import Row
from benchmarks.world import World, trainsub

if TYPE_CHECKING:
    from benchmarks.relay import Traffic

_ROUNDS = 15
_TARGET = 1.3
_SETTLE = 0.3
"""Seconds that the last packets of an ended program may take."""
_LATER = "now+10days"
"""The jobs wait, so that none of them runs while the next is measured."""
_JOB = "/home/alice/job.sh"

PLAIN, KNOWN, NEW = "ssh host sbatch", "submit, code known there", "submit, 1 MB of new code"


class _Course:
    """The programs, and what each moved over the network."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.traffic: dict[str, Traffic] = {}
        self.execs: dict[str, int] = {}
        self._spec = world.spec("job", ["true"], slurm=f'begin = "{_LATER}"')
        self._submit = trainsub("submit", str(self._spec))

    def plain(self) -> Sample:
        """Submit a script that lies there already."""
        return self._watched(PLAIN, self.world.ssh(f"sbatch {_JOB}"))

    def known(self) -> Sample:
        """Submit code that was sent before."""
        return self._watched(KNOWN, self._submit)

    def new(self) -> Sample:
        """Submit code of which a file has changed since."""
        marker = self.world.project / "module_00.py"
        before = marker.read_text()
        marker.write_text(f"# {time.time_ns()}\n{before}")
        try:
            return self._watched(NEW, self._submit)
        finally:
            marker.write_text(before)

    def _watched(self, name: str, argv: list[str]) -> Sample:
        time.sleep(_SETTLE)
        self.world.relay.take()
        execs = len(self.world.audit())
        sample = run(argv, env=self.world.env)
        time.sleep(_SETTLE)
        self.traffic[name] = self.world.relay.take()
        self.execs[name] = len(self.world.audit()) - execs
        return sample


def measure(world: World, *, timeline: bool = False) -> Iterator[Row]:
    """Measure, and clear the queue afterwards."""
    script = f"printf '#!/bin/sh\\n#SBATCH --begin={_LATER}\\n#SBATCH --nodes=1\\ntrue\\n' >{_JOB}"
    world.cluster.check(["sh", "-c", script], user="alice")
    course = _Course(world)
    programs: dict[str, Callable[[], Sample]] = {PLAIN: course.plain, KNOWN: course.known, NEW: course.new}
    series = in_turn(_ROUNDS, programs)
    world.cluster.check(["scancel", "--user=alice"])
    for name in programs:
        yield from _rows(name, series, course)
        if timeline:
            print(f"{name}:", *course.traffic[name].timeline(), sep="\n  ")


def _rows(name: str, series: dict[str, Series], course: _Course) -> Iterator[Row]:
    own, plain, traffic = series[name], series[PLAIN], course.traffic[name]
    times = f"{own.wall:.3f} s (least {own.best:.3f}), {own.cpu * 1000:.0f} ms of processor time"
    if name == PLAIN:
        yield Row(name, times)
    else:
        ratio = own.wall / plain.wall
        yield Row(name, times)
        yield Row(
            "… beside ssh host sbatch",
            f"{ratio:.2f} × (of the least times: {own.best / plain.best:.2f} ×)",
            f"≤ {_TARGET} ×",
            ratio <= _TARGET,
        )
        execs = course.execs[name]
        yield Row(
            "… connections, execs", f"{traffic.connections}, {execs}", "1, 1", (traffic.connections, execs) == (1, 1)
        )
    yield Row("… bytes to the cluster, and back", f"{traffic.up}, {traffic.down}")
