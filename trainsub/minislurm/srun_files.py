"""What the tasks of a step read and print, and how srun passes it on."""

import os
import time
from dataclasses import dataclass, field

from trainsub.minislurm import batch, patterns, waiting
from trainsub.minislurm.environment import Tasks
from trainsub.minislurm.srun_options import Asked
from trainsub.minislurm.values import Job

BLOCK = 65536
LONG = 1024
"""So many bytes are printed even if they are not the end of a line; so do 22.05, 24.11 and 26.05."""
SILENCE = 1.0


@dataclass(slots=True)
class Input:
    """srun's standard input on its way to tasks: each gets all of it.

    Attributes:
        source: Where it is read; -1 after its end.
        to: Pipes to the tasks, and what they have not taken yet.
    """

    source: int = -1
    to: dict[int, bytes] = field(default_factory=dict)

    def readable(self) -> list[int]:
        """Return what to wait for; nothing as long as a task has not taken what there was."""
        return [self.source] if self.source >= 0 and self.to and not any(self.to.values()) else []

    def writable(self) -> list[int]:
        """Return the pipes with something to write."""
        return [pipe for pipe, rest in self.to.items() if rest]

    def take(self) -> None:
        """Read some more."""
        data = _read(self.source)
        if data:
            self.to = dict.fromkeys(self.to, data)
        else:
            self.source = -1
            self.close()

    def give(self, pipe: int) -> None:
        """Write to a task what it takes."""
        try:
            self.to[pipe] = self.to[pipe][os.write(pipe, self.to[pipe][:BLOCK]) :]
        except BlockingIOError:
            return
        except OSError:
            # It reads no more.
            os.close(pipe)
            del self.to[pipe]

    def close(self) -> None:
        """Tell the tasks that nothing more will come."""
        for pipe in self.to:
            os.close(pipe)
        self.to = {}


@dataclass(slots=True)
class Printed:
    """Output of a task on its way: whole lines, so that those of several tasks do not mix.

    Attributes:
        to: Where it goes.
        label: ``3: `` before each line; nothing without --label.
        rest: The beginning of a line.
    """

    to: int
    label: bytes = b""
    rest: bytes = b""

    def pass_on(self, data: bytes) -> None:
        """Print what there is of whole lines; at the end, all."""
        head, end, self.rest = (self.rest + data).rpartition(b"\n")
        lines = head + end
        if not data:
            lines, self.rest = lines + self.rest + (b"\n" if self.label and self.rest else b""), b""
        if self.label:
            lines = b"".join(self.label + line + b"\n" for line in lines.split(b"\n")[:-1])
        else:
            long = len(self.rest) // LONG * LONG
            lines, self.rest = lines + self.rest[:long], self.rest[long:]
        _write(self.to, lines)


class Files:
    """What tasks read and write.

    Args:
        asked: What is asked for.
        job: The job.
        tasks: The step's tasks.
        user: Whose job it is.
        folder: Where relative names begin.
    """

    def __init__(self, asked: Asked, job: Job, tasks: Tasks, user: str, folder: str) -> None:
        self.asked = asked
        self.job = job
        self.tasks = tasks
        self.folder = folder
        self.values = patterns.of_job(job, user)
        self.width = len(str(len(tasks.nodes) - 1))
        self.input = Input()
        self.printed: dict[int, Printed] = {}
        self.opened: dict[str, int] = {}

    def of(self, rank: int) -> tuple[int, int, int]:
        """Open the three files of a task; they are closed once it has them.

        Raises:
            OSError: One cannot be opened.
        """
        output = self.asked.text("output")
        error = self.asked.text("error") or output
        return self._input(rank), self._output(rank, output, 1), self._output(rank, error, 2)

    def pass_on(self, pipe: int) -> None:
        """Print what comes out of the pipe of a task."""
        try:
            data = os.read(pipe, BLOCK)
        except BlockingIOError:
            return
        self.printed[pipe].pass_on(data)
        if not data:
            os.close(pipe)
            del self.printed[pipe]

    def pass_all_on(self) -> None:
        """Print what the tasks have said up to now."""
        for pipe in list(self.printed):
            self.pass_on(pipe)

    def drain(self) -> None:
        """Print what is left in the pipes; their writers are gone, or could not be found and say nothing any more."""
        heard = time.monotonic()
        while self.printed and time.monotonic() < heard + SILENCE:
            for pipe in waiting.wait(SILENCE, list(self.printed))[0]:
                self.pass_on(pipe)
                heard = time.monotonic()
        for printed in self.printed.values():
            printed.pass_on(b"")

    def _input(self, rank: int) -> int:
        wanted = self.asked.text("input") or "all"
        if wanted.isdigit():
            wanted = "all" if int(wanted) == rank else "none"
        if wanted == "none" or (wanted == "all" and _is_nothing(0)):
            return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        if wanted != "all":
            return os.open(self._name(wanted, rank), os.O_RDONLY | os.O_CLOEXEC)
        hears, tells = os.pipe()
        os.set_blocking(tells, False)
        self.input.source = 0
        self.input.to[tells] = b""
        return hears

    def _output(self, rank: int, wanted: str | None, standard: int) -> int:
        if wanted == "none":
            return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        label = b""
        if wanted in {None, "all"}:
            to = standard
            label = f"{rank:{self.width}}: ".encode() if self.asked.flag("label") else b""
        else:
            to = self._opened(str(wanted), rank)
            if self._name(str(wanted), 0) != self._name(str(wanted), len(self.tasks.nodes) - 1):
                return os.dup(to)  # files of their own are the tasks' business
        if self.asked.flag("unbuffered") and not label:
            return os.dup(to)
        hears, tells = os.pipe()
        os.set_blocking(hears, False)
        self.printed[hears] = Printed(to, label)
        return tells

    def _opened(self, pattern: str, rank: int) -> int:
        name = self._name(pattern, rank)
        if name not in self.opened:
            mode = (self.asked.text("open-mode") or "t")[0]
            self.opened[name] = batch.open_output(name, mode)
        return self.opened[name]

    def _name(self, pattern: str, rank: int) -> str:
        node = self.tasks.nodes[rank]
        name = self.tasks.shares[node].node
        place = patterns.of_task(self.job.job_id, str(self.tasks.step), name, node, rank)
        return os.path.join(self.folder, patterns.expand(pattern, {**self.values, **place}))  # noqa: PTH118


def _is_nothing(descriptor: int) -> bool:
    """Whether nothing can be read there, as with /dev/null, so that no pipe is needed."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(os.devnull))  # noqa: PTH116
    except OSError:
        return True


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, BLOCK)
    except OSError:
        return b""


def _write(descriptor: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        return
