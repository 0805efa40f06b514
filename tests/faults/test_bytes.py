"""The connection breaks after any byte: cut, or swallowed. On minislurm, over channels that are exact to the byte."""

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
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
        self.begin = b""

    def open(self, argv: Sequence[str], *, what: str = "") -> Channel:
        """See Transport."""
        channel = super().open(argv, what=what)
        write, read = channel.write, channel.read

        def writing(data: bytes, timeout: float | None = None) -> None:
            self.sent.append(len(data))
            self.begin = self.begin or bytes(data)
            write(data, timeout)

        def reading(timeout: float | None = None) -> bytes:
            data = read(timeout)
            self.got += data
            return data

        channel.write, channel.read = writing, reading  # type: ignore[method-assign]
        return channel


@dataclass(frozen=True)
class Dialogue:
    """An undisturbed submit.

    Attributes:
        up: Bytes to the cluster.
        down: Bytes from it.
        head: How many of those to it are the program, of which no part is run before all of it is there.
        ends: Positions around the end of each piece that was sent.
        lines: Positions around the end of each line that came.
    """

    up: int
    down: int
    head: int
    ends: list[int]
    lines: list[int]


def dialogue(bench: Bench, plan: Plan) -> Dialogue:
    """What an undisturbed submit sends and hears."""
    recorder = Recorder()
    wish = keyed(plan, "undisturbed")
    with bench.world.machine(recorder, root="rootless") as client:
        client.submit(wish)
    up = list(itertools.accumulate(recorder.sent))
    down = [position for position, byte in enumerate(recorder.got) if byte == ord("\n")]
    ends = sorted({min(max(0, one + by), up[-1]) for one in up for by in (-1, 0, 1)})
    lines = sorted({one + by for one in down for by in (0, 1)})
    return Dialogue(up[-1], len(recorder.got), 8 + int(recorder.begin[:8]), ends, lines)


@pytest.fixture
def bench(folder: Path, request: pytest.FixtureRequest) -> Iterable[Bench]:
    """A world and its bench; the parameter is the size of the bundle."""
    with World(folder, bundle=getattr(request, "param", 0)) as world:
        yield Bench(world)


Tell = Callable[..., None]
SHARES = 8 if os.environ.get("FAULTS") == "all" else 1
"""A test for each share of the bytes, so that all cores have something to do and no cluster grows old."""


@pytest.mark.parametrize("share", range(SHARES))
def test_after_every_byte(bench: Bench, amount: Amount, tell: Tell, share: int) -> None:
    """Nothing travels but the program and the script: a break after each byte, in either direction."""
    whole = dialogue(bench, bench.plan)
    if amount.everything:
        bench.turns = (*NEXT, *["status"] * 8)  # a job for each of thousands of bytes would tell nothing more
    # That no shell runs a part of the head is tried for each byte of it in tests/remote/test_program.py, without a client.
    places = [*range(0, whole.head, 16 if amount.everything else 1), *range(whole.head, whole.up + 1)][share::SHARES]
    faults = [Fault(kind, UP, at) for at in amount.some(places, 50) for kind in (CUT, HOLE)]
    answers = range(share, whole.down + 1, SHARES)
    faults += [Fault(kind, DOWN, at) for at in amount.some(answers, 30) for kind in (CUT, HOLE)]
    faults += [Fault(kind, UP, at) for at in amount.some(whole.ends[share::SHARES], 12) for kind in (CUT, HOLE)]
    faults += [Fault(kind, DOWN, at) for at in amount.some(whole.lines[share::SHARES], 12) for kind in (CUT, HOLE)]
    title = f"each of {whole.down} bytes down and of {whole.up - whole.head} up behind the head, share {share + 1} of {SHARES}"
    tell(title if amount.everything else "some bytes of each", bench.run(faults))


@pytest.mark.parametrize("bench", [300_000], indirect=True)
def test_anywhere_in_a_real_bundle(bench: Bench, amount: Amount, tell: Tell) -> None:
    """Code travels too: at a thousand positions of each kind, half of them in what comes back."""
    whole = dialogue(bench, bench.plan)
    count = 500 if amount.everything else 12
    faults = [Fault(kind, UP, at) for at in amount.drawn(whole.up, count) for kind in (CUT, HOLE)]
    faults += [Fault(kind, DOWN, at) for at in amount.drawn(whole.down, count) for kind in (CUT, HOLE)]
    faults += [Fault(kind, UP, at) for at in amount.some(whole.ends, 5) for kind in (CUT, HOLE)]
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
