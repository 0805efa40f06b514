"""Running programs in turn and taking their times, so that what disturbs one disturbs the others as much."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a program: seconds from start to end, and of processor time, its children's included."""

    wall: float
    cpu: float


@dataclass(slots=True)
class Series:
    """Runs of one program."""

    samples: list[Sample] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """The median."""
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def best(self) -> float:
        """The least time: what the machine's other work disturbed least."""
        return min(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        """The median of processor time."""
        return statistics.median(sample.cpu for sample in self.samples)

    @property
    def least_cpu(self) -> float:
        """The least processor time."""
        return min(sample.cpu for sample in self.samples)


class FailedError(Exception):
    """A program that is measured did not do its work."""


def run(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Sample:
    """Run a program once; what it prints is thrown away.

    Raises:
        FailedError: It ended with another status than 0.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    stream = process.stderr
    said = stream.read() if stream is not None else b""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise FailedError(f"{argv} ended with {process.returncode}: {said.decode(errors='replace')}")
    return Sample(wall, usage.ru_utime + usage.ru_stime)


def in_turn(rounds: int, programs: Mapping[str, Callable[[], Sample]], *, warm: int = 1) -> dict[str, Series]:
    """Run programs one after the other, round by round.

    Args:
        rounds: How often each runs.
        programs: What runs, by name.
        warm: Rounds before those, which are not counted.
    """
    series = {name: Series() for name in programs}
    for number in range(-warm, rounds):
        for name, program in programs.items():
            sample = program()
            if number >= 0:
                series[name].samples.append(sample)
    return series
