"""Signals to what runs of a job, and the words in which its log tells of them."""

import time

from trainsub.minislurm import job_processes, processes
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Job

_DUE_TO = {
    "TIMEOUT": " DUE TO TIME LIMIT",
    "REQUEUED": " DUE TO JOB REQUEUE",
    "PREEMPTED": " DUE TO PREEMPTION",
    "NODE_FAIL": " DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS",
}


def cancelled(what: str, name: str, job: Job, when: time.struct_time, *, node: str = "", why: str = "") -> str:
    """Return the line with which Slurm ends a job or a step.

    Args:
        what: ``JOB`` or ``STEP``.
        name: Its id.
        job: The job; why it stops.
        when: Local time.
        node: Where the line comes from; the batch host by default.
        why: Where the job does not stop, but the step.
    """
    node = node or job.shares[0].node
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", when)
    due_to = why or _DUE_TO.get(job.stop, "")
    return f"slurmstepd-{node}: error: *** {what} {name} ON {node} CANCELLED AT {moment}{due_to} ***"


def send(queue: Queue, job: Job, number: int, *, batch: bool, steps: bool) -> None:
    """Send a signal to the batch script, to the tasks of the steps and their children, or to both."""
    # The batch script last: its end may be the end of all.
    for step in reversed(queue.steps(job.job_id)):
        if step.restarts == job.restarts and (batch if step.name == job_processes.BATCH else steps):
            send_to_step(queue, job, step, number)


def send_to_step(queue: Queue, job: Job, step: Step, number: int) -> None:
    """Send a signal to the tasks of one step and their children; of the batch script, to the shell alone."""
    if step.end is not None:
        return
    if step.name != job_processes.BATCH:
        processes.signal_all(job_processes.of_step(queue, step, job.mark), number)
    elif step.process is not None and processes.lives(step.process):
        processes.signal_all([step.process.pid], number)
