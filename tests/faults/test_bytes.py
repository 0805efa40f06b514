"""The connection breaks after any byte: cut, or swallowed. On minislurm, over channels that are exact to the byte."""

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from faults.bench import Bench
from faults.broken import CUT, DOWN, HOLE, UP, BrokenTransport, Fault, here
from faults.conftest import Amount
from faults.trial import NEXT
from faults.world import World, keyed

from trainsub.errors import RefusedError
from trainsub.plan import Plan
from trainsub.transport.base import Channel


class Recorder(BrokenTransport):
    """A whole way that notes where each thing that is sent or said ends."""

    def __init__(self) -> None:
        super().__init__(here(), None)
        self.sent: list[int] = []
        self.got = b""

    def open(self, argv: Sequence[str], *, what: str = "") -> Channel:
        """See Transport."""
        channel = super().open(argv, what=what)
        write, read = channel.write, channel.read

        def writing(data: bytes, timeout: float | None = None) -> None:
            self.sent.append(len(data))
            write(data, timeout)

        def reading(timeout: float | None = None) -> bytes:
            data = read(timeout)
            self.got += data
            return data

        channel.write, channel.read = writing, reading  # type: ignore[method-assign]
        return channel


def dialogue(bench: Bench, plan: Plan) -> tuple[int, int, list[int], list[int]]:
    """Bytes up and down of an undisturbed submit, and the boundaries in each: what a piece or a frame ends with."""
    recorder = Recorder()
    wish = keyed(plan, "undisturbed")
    with bench.world.machine(recorder, root="rootless") as client:
        client.submit(wish)
    up = list(itertools.accumulate(recorder.sent))
    down = [position for position, byte in enumerate(recorder.got) if byte == ord("\n")]
    ends = sorted({min(max(0, one + by), up[-1]) for one in up for by in (-1, 0, 1)})
    return up[-1], len(recorder.got), ends, sorted({one + by for one in down for by in (0, 1)})


@pytest.fixture
def bench(folder: Path, request: pytest.FixtureRequest) -> Iterable[Bench]:
    """A world and its bench; the parameter is the size of the bundle."""
    with World(folder, bundle=getattr(request, "param", 0)) as world:
        yield Bench(world)


Tell = Callable[..., None]
SHARES = 16 if os.environ.get("FAULTS") == "all" else 1
"""A test for each share of the bytes, so that all cores have something to do and no cluster grows old."""


@pytest.mark.parametrize("share", range(SHARES))
def test_after_every_byte(bench: Bench, amount: Amount, tell: Tell, share: int) -> None:
    """Nothing travels but the program and the script: a break after each byte, in either direction."""
    up, down, ends, lines = dialogue(bench, bench.plan)
    if amount.everything:
        bench.turns = (*NEXT, *["status"] * 8)  # a job for each of many thousand bytes would tell nothing more
    faults = [Fault(kind, UP, at) for at in amount.some(range(share, up + 1, SHARES), 50) for kind in (CUT, HOLE)]
    faults += [Fault(kind, DOWN, at) for at in amount.some(range(share, down + 1, SHARES), 30) for kind in (CUT, HOLE)]
    faults += [Fault(kind, UP, at) for at in amount.some(ends[share::SHARES], 12) for kind in (CUT, HOLE)]
    faults += [Fault(kind, DOWN, at) for at in amount.some(lines[share::SHARES], 12) for kind in (CUT, HOLE)]
    all_of_them = f"every byte of {up} up and {down} down, share {share + 1} of {SHARES}"
    tell(all_of_them if amount.everything else "some bytes of each", bench.run(faults))


@pytest.mark.parametrize("bench", [300_000], indirect=True)
def test_anywhere_in_a_real_bundle(bench: Bench, amount: Amount, tell: Tell) -> None:
    """Code travels too: at a thousand positions of each kind, half of them in what comes back."""
    up, down, ends, _ = dialogue(bench, bench.plan)
    count = 500 if amount.everything else 12
    faults = [Fault(kind, UP, at) for at in amount.drawn(up, count) for kind in (CUT, HOLE)]
    faults += [Fault(kind, DOWN, at) for at in amount.drawn(down, count) for kind in (CUT, HOLE)]
    faults += [Fault(kind, UP, at) for at in amount.some(ends, 5) for kind in (CUT, HOLE)]
    tell("a bundle of 300 KB", bench.run(faults))


def test_a_refusal_that_breaks_off(bench: Bench, amount: Amount, tell: Tell) -> None:
    """sbatch says no, and the answer is lost after any byte: no job, and the next command tells why."""
    refused = replace(bench.plan, script=bench.plan.script.replace("#SBATCH", "#SBATCH --partition=nosuch\n#SBATCH", 1))
    recorder = Recorder()
    with bench.world.machine(recorder, root="rootless") as client, pytest.raises(RefusedError):
        client.submit(keyed(refused, "undisturbed"))
    positions = range(len(recorder.got) + 1)
    faults = [Fault(kind, DOWN, at) for at in amount.some(positions, 20) for kind in (CUT, HOLE)]
    figures = bench.run(faults, refused)
    tell("a refusal", figures)
    assert (figures.jobs, figures.trainings) == (0, 0)
