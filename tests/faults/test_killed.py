"""Somebody is killed with SIGKILL: the client at any step, or the program on the login node at any time."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults.bench import Bench
from faults.broken import here
from faults.conftest import Amount
from faults.pace import SETTLE
from faults.trial import Trial, run_trial, settle
from faults.world import World, keyed

from trainsub.transport.base import Channel
from trainsub.transport.local import LocalTransport

TESTS = Path(__file__).parents[1]
Tell = Callable[..., None]


class Victim:
    """A process that forks clients which die; see victim.py."""

    def __init__(self, world: World) -> None:
        # With trainsub beside it, from wherever the tests have it.
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, sys.path)])}
        self._process = subprocess.Popen(
            [sys.executable, TESTS / "faults" / "victim.py", world.base],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def dies(self, step: int, key: str, state: str, root: str) -> str:
        """Let a client submit, and die before a step; how many steps it has made if it did not die."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{step}\t{key}\t{state}\t{root}\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline().strip()
        assert said, "the victim's own process ended"
        return said

    def close(self) -> None:
        """End it."""
        self._process.communicate("", timeout=30)


@contextmanager
def victims(world: World, count: int) -> Iterator[list[Victim]]:
    """So many of them, of which each is used by one thread at a time."""
    made = [Victim(world) for _ in range(count)]
    try:
        yield made
    finally:
        for one in made:
            one.close()


def test_the_client_at_any_step(folder: Path, amount: Amount, tell: Tell) -> None:
    """Before each line of the code that submits, talks and keeps: the next command knows what became of it."""
    with World(folder) as world, victims(world, 4) as free:
        bench = Bench(world)
        steps = int(free[0].dies(0, "undisturbed", "undisturbed", "rootless"))
        assert steps > 300

        def one(number: int, step: int, then: str) -> None:
            root, key, state = bench.root(), f"killed {number}", f"killed {number}"
            wish = keyed(bench.plan, key)
            trial = Trial(f"killed before step {step} of {steps}, then {then}", "killed", bench.runs(wish))
            bench.trials.append(trial)
            victim = free.pop()
            try:
                said = victim.dies(step, key, state, root)
                # How many steps there are depends on how fast others are: this one had made all of its own.
                assert said == "killed" or int(said) < step
            finally:
                free.append(victim)
            with world.machine(here(), root=root, state=state) as client, world.machine(here(), root=root) as other:
                settle(trial, wish, client, other, then=then)

        bench.each(one, amount.some(range(1, steps), 50), at_once=4)
        tell(f"the client killed at one of {steps} steps", bench.figures())


class Doomed(LocalTransport):
    """A login node that goes down some time after the first program was started there, and is back at once.

    Args:
        delay: Seconds.
    """

    def __init__(self, delay: float) -> None:
        super().__init__("doomed")
        self._delay: float | None = delay

    def open(self, argv: Sequence[str], *, what: str = "") -> Channel:
        """See Transport."""
        before = set(sessions())
        channel = super().open(argv, what=what)
        delay, self._delay = self._delay, None
        if delay is not None:
            leader = channel._inner._process.pid  # type: ignore[attr-defined] # noqa: SLF001 - whom to kill
            assert leader not in before
            timer = threading.Timer(delay, kill_session, [leader])
            timer.daemon = True
            timer.start()
        return channel


def sessions() -> dict[int, list[int]]:
    """Processes by the session that they belong to."""
    found: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            found.setdefault(int(path.read_text().rpartition(")")[2].split()[3]), []).append(int(path.parent.name))
    return found


def kill_session(leader: int) -> None:
    """Kill all of a session, also those that it starts meanwhile; its leader first, which starts them."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(leader, signal.SIGKILL)
    for _ in range(3):
        for process in sessions().get(leader, []):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def test_the_program_on_the_login_node_at_any_time(
    folder: Path, amount: Amount, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the login node goes down: everything of the submission dies at once, sbatch too."""
    monkeypatch.setattr(SETTLE, "GRACE", -57)  # what died behind the lock is given up after three seconds
    with World(folder) as world:
        bench = Bench(world)
        draw = random.Random(amount.seed)

        def one(number: int, delay: float, then: str) -> None:
            root = bench.root()
            wish = keyed(bench.plan, f"program {number}")
            trial = Trial(f"login node down after {delay:.3f} s, then {then}", "login node", bench.runs(wish))
            bench.trials.append(trial)
            transport = Doomed(delay)
            with world.machine(transport, root=root) as client, world.machine(here(), root=root) as other:
                run_trial(trial, wish, client, other, then=then)

        bench.each(one, [draw.uniform(0.01, 0.5) for _ in range(300 if amount.everything else 24)], at_once=4)
        tell("the program killed on the login node", bench.figures(leavers=False))
