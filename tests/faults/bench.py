"""Many trials at the same time on one world, and what came of them."""

import itertools
import random
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from faults.broken import Fault, here
from faults.trial import NEXT, Figures, Trial, judge, run_trial
from faults.world import World, keyed, until

from trainsub.plan import Plan

AT_ONCE = 10
"""Trials that go on at the same time: a black hole costs waiting, not work."""

_T = TypeVar("_T")


class Bench:
    """Runs trials on one world, each wish with machines of its own; a thread has a remote root of its own.

    Attributes:
        turns: The next command is drawn from these.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.trials: list[Trial] = []
        self.turns: Sequence[str] = NEXT
        self._roots = threading.local()
        self._count = itertools.count()
        with world.machine(here()) as client:
            self.plan = world.plan(client)

    def root(self) -> str:
        """This thread's remote root."""
        if not hasattr(self._roots, "name"):
            self._roots.name = f"root{next(self._count)}"
        return str(self._roots.name)

    def runs(self, wish: Plan) -> tuple[str, ...]:
        """Ids that a wish may have: each time it is given up it goes on with another."""
        return tuple(wish.renewed(number).run for number in range(1, 6))

    def break_one(self, number: int, fault: Fault, plan: Plan, then: str) -> None:
        """One trial of a connection that breaks."""
        root = self.root()
        for archive in (self.world.base / root / "code").glob("*") if number % 3 else ():
            archive.unlink(missing_ok=True)
        wish = keyed(plan, f"wish {number}")
        transport = here(fault)
        transport.stays_away = random.Random(number).random() < 0.5
        trial = Trial(f"{fault}, then {then}", fault.kind, self.runs(wish))
        self.trials.append(trial)
        with self.world.machine(transport, root=root) as client, self.world.machine(here(), root=root) as other:
            run_trial(trial, wish, client, other, then=then)
        transport.hang_up()

    def each(self, one: Callable[[int, _T, str], None], items: Iterable[_T], *, at_once: int = AT_ONCE) -> None:
        """A trial of each; which command comes next is drawn by its number."""
        first = len(self.trials)
        pool = ThreadPoolExecutor(at_once)
        try:
            started = [
                pool.submit(one, number, item, random.Random(-number).choice(self.turns))
                for number, item in enumerate(items, first)
            ]
            for job in started:
                job.result()
        finally:
            pool.shutdown(cancel_futures=True)  # who presses Ctrl-C does not want the rest

    def run(self, faults: Iterable[Fault], plan: Plan | None = None) -> Figures:
        """A trial of each fault, and what came of them."""
        self.each(lambda number, fault, then: self.break_one(number, fault, plan or self.plan, then), faults)
        return self.figures()

    def figures(self, *, leavers: bool = True) -> Figures:
        """What came of all trials so far, when every job has ended, and every program on the login node.

        Args:
            leavers: These remove what is theirs; those that were killed cannot.
        """
        until(lambda: not self.world.alive(), "all jobs to end", 600)
        until(lambda: not (leavers and self.world.leftovers()), "all programs to end", 60)
        return judge(self.trials, self.world.jobs(), self.world.trainings(), self.fence)

    def fence(self, run: str) -> str:
        """The word in a run's fence, wherever its root is."""
        links = [root / "runs" / run / "owner.1" for root in self.world.base.glob("root*")]
        return next((str(link.readlink()) for link in links if link.is_symlink()), "")
