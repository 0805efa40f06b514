"""The tasks of a step: how they start, what they read and print, how they ended."""

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trainsub.minislurm import batch, environment, patterns, processes, spawning, waiting
from trainsub.minislurm.environment import Tasks
from trainsub.minislurm.srun_options import Asked, AskedError
from trainsub.minislurm.values import Job

BLOCK = 65536
STANDARD = ("none", "all")


@dataclass(slots=True)
class Task:
    """A task.

    Attributes:
        rank: Its number.
        node: Name of its node.
        pid: Its process; 0 if it could not be started.
        code: How it ended: its exit code, None while it runs or where a signal ended it.
        signal: The signal that ended it, or 0.
        dumped: Whether it left its memory in a file.
        told: Whether its end was told.
    """

    rank: int
    node: str
    pid: int = 0
    code: int | None = None
    signal: int = 0
    dumped: bool = False
    told: bool = False

    @property
    def ended(self) -> bool:
        """Whether it is no more."""
        return self.code is not None or self.signal > 0

    def end(self, status: int) -> None:
        """Note how it ended."""
        if os.WIFSIGNALED(status):
            self.signal, self.dumped = os.WTERMSIG(status), os.WCOREDUMP(status)
        else:
            self.code = os.WEXITSTATUS(status)

    def words(self) -> str:
        """Return how srun tells a bad end; nothing after a good one."""
        if self.signal:
            return f"{signal.strsignal(self.signal) or self.signal}{' (core dumped)' if self.dumped else ''}"
        return f"Exited with exit code {self.code}" if self.code else ""


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
class Labelled:
    """Output of a task whose lines get its number.

    Attributes:
        label: ``3: ``.
        to: Where it goes.
        rest: The beginning of a line.
    """

    label: bytes
    to: int
    rest: bytes = b""

    def pass_on(self, data: bytes) -> None:
        """Print what there is of whole lines; at the end, all."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        if not data and self.rest:
            lines, self.rest = [self.rest], b""
        _write(self.to, b"".join(self.label + line + b"\n" for line in lines))


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
        self.labelled: dict[int, Labelled] = {}
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
        """Print what comes out of a pipe with the task's number."""
        data = _read(pipe)
        self.labelled[pipe].pass_on(data)
        if not data:
            os.close(pipe)
            del self.labelled[pipe]

    def drain(self) -> None:
        """Print what is left in the pipes; their writers are gone."""
        while self.labelled:
            for pipe in waiting.wait(1.0, list(self.labelled))[0]:
                self.pass_on(pipe)

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
        if wanted not in {None, "all"}:
            name = self._name(str(wanted), rank)
            if name not in self.opened:
                mode = (self.asked.text("open-mode") or "t")[0]
                self.opened[name] = batch.open_output(name, mode)
            return os.dup(self.opened[name])
        if not self.asked.flag("label"):
            return os.dup(standard)
        hears, tells = os.pipe()
        self.labelled[hears] = Labelled(f"{rank:{self.width}}: ".encode(), standard)
        return tells

    def _name(self, pattern: str, rank: int) -> str:
        node = self.tasks.nodes[rank]
        name = self.tasks.shares[node].node
        place = patterns.of_task(self.job.job_id, str(self.tasks.step), name, node, rank)
        return os.path.join(self.folder, patterns.expand(pattern, {**self.values, **place}))  # noqa: PTH118


def start(tasks: Tasks, job: Job, files: Files, words: Sequence[str], variables: Mapping[str, str]) -> list[Task]:
    """Start all tasks; one that cannot be started has ended at once.

    Args:
        tasks: The step's tasks.
        job: The job.
        files: What they read and write.
        words: The command.
        variables: Of each task, before those of its own.
    """
    umask = os.umask(0o022)
    os.umask(umask)
    started: list[Task] = []
    complained: set[str] = set()
    for rank, index in enumerate(tasks.nodes):
        node = tasks.shares[index].node
        task = Task(rank, node)
        started.append(task)
        try:
            given = files.of(rank)
        except OSError as error:
            raise AskedError(f"error: Could not open file {error.filename}: {error.strerror}") from error
        own = {
            **{name: value for name, value in variables.items() if name not in environment.GPU_NAMES},
            **environment.task(job, tasks, rank, variables),
            "SLURM_UMASK": f"{umask:04o}",
            processes.MARK: job.mark,
            processes.STEP_MARK: f"{job.mark}.{tasks.step}",
        }
        folder = files.folder
        if node not in complained:
            folder, right = batch.work_folder(files.folder, node, given[2])
            complained |= set() if right else {node}
        path = _find(words[0], own.get("PATH"), folder)
        try:
            task.pid = spawning.spawn(spawning.Program(path, words, own, folder, umask, given))
        except OSError as error:
            batch.say(given[2], f"slurmstepd-{node}: error: execve(): {path}: {error.strerror}")
            task.code = error.errno or 1
        finally:
            for descriptor in given:
                os.close(descriptor)
    return started


def _find(name: str, path: str | None, folder: str) -> str:
    """Return the file of a command as a task would find it."""
    if name.startswith("/"):
        return name
    if "/" in name:
        return f"{folder}/{name}"
    places = (f"{place}/{name}" for place in (path or "").split(":") if place)
    return next((place for place in places if os.access(place, os.X_OK) and os.path.isfile(place)), name)  # noqa: PTH113


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
