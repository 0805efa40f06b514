"""The processes of a job: which they are, how they get a signal, how they all end."""

import os
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from trainsub.minislurm import processes
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Job, Process

BATCH = "batch"


def find(queue: Queue, job: Job, root: int | None) -> set[int]:
    """Return the processes of a job.

    Args:
        queue: The queue.
        job: The job.
        root: Its stepd, below which they are; None when it is dead.
    """
    return finder(queue, job, root)()


def finder(queue: Queue, job: Job, root: int | None) -> Callable[[], set[int]]:
    """Return what finds the processes of a job, as ``find``, but without the queue.

    A process that was stopped, in order to be killed, may hold it.
    """
    # What has ended left nobody, and its processes' numbers may be strangers' by now.
    steps = [step for step in queue.steps(job.job_id) if step.restarts == job.restarts and step.end is None]
    leaders = [one for step in steps for one in _leaders(step)]

    def look() -> set[int]:
        found = processes.marked(processes.MARK, job.mark) | _of_sessions(leaders, dead=root is None)
        return _whole(queue.home, found) | (below(queue.home, root) if root is not None else set())

    return look


def of_step(queue: Queue, step: Step, mark: str) -> set[int]:
    """Return the processes of the tasks of a step, without srun."""
    found = processes.marked(processes.STEP_MARK, f"{mark}.{step.name}") | _of_sessions(step.tasks, dead=False)
    srun = step.process
    if step.name != BATCH and srun is not None and processes.lives(srun):
        found |= below(queue.home, srun.pid)
    return _whole(queue.home, found)


def below(home: Path, root: int) -> set[int]:
    """Return what is below a stepd and belongs to its job."""
    return processes.below(root, lambda pid: is_ours(home, pid)) - {os.getpid()}


def is_ours(home: Path, pid: int) -> bool:
    """Whether a process is a keeper or a stepd: no job's, whoever's child it became when its parent was killed."""
    return _own_words(home, pid)[:1] in (["keeper"], ["stepd"])


def stepd_lives(home: Path, job: Job) -> bool:
    """Whether a process of the stepd of this start of a job is still there, and at work to end the job's."""
    words = ["stepd", str(job.job_id), job.mark]
    return any(_own_words(home, pid) == words for pid in processes.table())


def _own_words(home: Path, pid: int) -> list[str]:
    """Return what a process of ours does, nothing for others."""
    # As one text, because ps tells no blanks apart, and macOS has one in the usual home. Any trainsub's: it may have
    # been installed anew meanwhile.
    text = " ".join(processes.command(pid))
    return text.partition(f"/minislurm/__main__.py {home} ")[2].split()


def _whole(home: Path, found: set[int]) -> set[int]:
    """Return these living processes and what is below them, but for our own."""
    living = {pid for pid in found if processes.entry(pid) is not None and not is_ours(home, pid)}
    for pid in list(living):
        living |= below(home, pid)
    return living - {os.getpid()}


def kill(queue: Queue, job: Job) -> bool:
    """Kill all processes of a job whose stepd is dead; return whether none is left."""
    return processes.kill_all(finder(queue, job, None))


def close_steps(queue: Queue, job: Job, state: str, now: int) -> None:
    """Close the steps that still run, in the queue; inside ``change`` only."""
    for step in queue.steps(job.job_id):
        if step.restarts == job.restarts and step.end is None:
            queue.put_step(replace(step, state=state, end=now, exit_signal=step.exit_signal or 9))


def _leaders(step: Step) -> tuple[Process, ...]:
    own = (step.process,) if step.name == BATCH and step.process is not None else ()
    return own + step.tasks


def _of_sessions(leaders: Collection[Process], *, dead: bool) -> set[int]:
    """Return who is in a session or process group of these; without their environment nothing else would tell.

    A dead leader's number may have become that of a stranger who died, too, and left a session: so it only counts where
    the system knows no parent to find the job's own by.
    """
    dead = dead or not processes.by_proc()
    boot = processes.boot()
    among = processes.table() if leaders else {}
    # A number that is somebody else's now was free meanwhile: then the session had come to its end.
    numbers = {
        one.pid
        for one in leaders
        if one.boot == boot and (among[one.pid].started == one.started if one.pid in among else dead)
    }
    return {one.pid for one in among.values() if {one.session, one.group} & numbers}
