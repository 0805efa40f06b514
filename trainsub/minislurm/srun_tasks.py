"""The tasks of a step: how they start, and how they ended."""

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainsub.minislurm import batch, environment, processes, spawning
from trainsub.minislurm.environment import Tasks
from trainsub.minislurm.srun_files import Files
from trainsub.minislurm.srun_options import AskedError
from trainsub.minislurm.values import Job


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
