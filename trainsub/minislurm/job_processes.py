"""The processes of a job: which they are, how they get a signal, how they all end."""

import os
from collections.abc import Collection
from dataclasses import replace

from trainsub.minislurm import keeper, processes
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.values import Job, Process, Step

BATCH = "batch"


def stepds(queue: Queue) -> set[int]:
    """Return the process numbers of all stepds: they are no job's processes, whoever's children they became."""
    return {job.stepd.pid for job in queue.open_jobs() if job.stepd is not None}


def find(queue: Queue, job: Job, root: int | None) -> set[int]:
    """Return the processes of a job.

    Args:
        queue: The queue.
        job: The job.
        root: Its stepd, whose descendants they are; None when it is dead.
    """
    among = processes.table()
    spared = _spared(queue)
    found = processes.descendants(root, among, without=spared) if root is not None else set()
    for pid in processes.marked(processes.MARK, job.mark):
        found |= {pid} | processes.descendants(pid, among, without=spared)
    steps = [step for step in queue.steps(job.job_id) if step.restarts == job.restarts]
    found |= _of_sessions([one for step in steps for one in _leaders(step)], among)
    # What a keeper has just been made of still looks like the command that made it.
    return (found & set(among)) - spared - {os.getpid()}


def of_step(queue: Queue, step: Step, mark: str) -> set[int]:
    """Return the processes of the tasks of a step, without srun."""
    among = processes.table()
    spared = _spared(queue)
    found = processes.marked(processes.STEP_MARK, f"{mark}.{step.name}") | _of_sessions(step.tasks, among)
    for pid in list(found):
        found |= processes.descendants(pid, among, without=spared)
    return (found & set(among)) - spared - {os.getpid()}


def kill(queue: Queue, job: Job) -> bool:
    """Kill all processes of a job whose stepd is dead; return whether none is left."""
    return processes.kill_all(lambda: find(queue, job, None))


def close_steps(queue: Queue, job: Job, state: str, now: int) -> None:
    """Close the steps that still run, in the queue; inside ``change`` only."""
    for step in queue.steps(job.job_id):
        if step.restarts == job.restarts and step.end is None:
            queue.put_step(replace(step, state=state, end=now, exit_signal=step.exit_signal or 9))


def _spared(queue: Queue) -> set[int]:
    living = keeper.living(queue.home)
    return stepds(queue) | ({living} if living is not None else set())


def _leaders(step: Step) -> tuple[Process, ...]:
    own = (step.process,) if step.name == BATCH and step.process is not None else ()
    return own + step.tasks


def _of_sessions(leaders: Collection[Process], among: dict[int, processes.Entry]) -> set[int]:
    """Return who is in a session or process group of these; without their environment nothing else would tell."""
    boot = processes.boot()
    # A number that is somebody else's now was free meanwhile: then the session had come to its end.
    numbers = {
        one.pid
        for one in leaders
        if one.boot == boot and (one.pid not in among or among[one.pid].started == one.started)
    }
    return {one.pid for one in among.values() if {one.session, one.group} & numbers}
