"""A client that is killed at a step. A process of its own with one thread: it forks a copy of itself for each trial.

Reads ``STEP KEY STATE ROOT`` lines: the copy submits with that key, and kills itself before the STEP-th line of
trainsub's code for submitting, talking, settling and keeping is run; step 0 kills at none. Answers how many lines ran.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from faults.broken import here
from faults.pace import PACE
from faults.world import World, keyed

import trainsub
from trainsub.errors import TrainsubError

HOME = str(Path(trainsub.__file__).parent)
WATCHED = tuple(f"{HOME}/{where}" for where in ("verbs/submit.py", "remote/", "store/", "settling.py", "restoring.py"))


class Steps:
    """Counts lines, and dies before one of them."""

    def __init__(self, last: int) -> None:
        self.count = 0
        self._last = last

    def call(self, frame: FrameType, event: str, argument: object) -> Any:
        """See sys.settrace."""
        del event, argument
        return self.line if frame.f_code.co_filename.startswith(WATCHED) else None

    def line(self, frame: FrameType, event: str, argument: object) -> Any:
        """See sys.settrace."""
        del frame, argument
        if event == "line":
            self.count += 1
            if self.count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.line


def main() -> None:
    """Fork for each line that comes."""
    for module, name, value in PACE:
        setattr(module, name, value)
    world = World(Path(sys.argv[1]))
    with world.machine(here(), state=f"victim {os.getpid()}") as client:
        plan = world.plan(client)
    for line in sys.stdin:
        step, key, state, root = line.rstrip("\n").split("\t")
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            steps = Steps(int(step))
            made = world.machine(here(), root=root, state=state)
            sys.settrace(steps.call)
            try:
                made.submit(keyed(plan, key))
            except TrainsubError as error:
                sys.stderr.write(f"{error.message}\n")
            sys.settrace(None)
            os.write(writer, b"%d" % steps.count)
            os._exit(0)
        os.close(writer)
        os.waitpid(child, 0)
        sys.stdout.write(f"{os.read(reader, 100).decode() or 'killed'}\n")
        sys.stdout.flush()
        os.close(reader)


if __name__ == "__main__":
    main()
