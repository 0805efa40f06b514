"""srun: runs a step of a job: tasks on the job's nodes, which are its own child processes."""

import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from trainsub.minislurm import conf, processes, srun_options, srun_step, srun_tasks, srun_watch, users, waiting
from trainsub.minislurm.environment import Tasks
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.srun_files import Files
from trainsub.minislurm.srun_options import Asked, AskedError
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Job
from trainsub.minislurm.version import VERSION

TICK = 0.2
HEARD = frozenset(
    {
        signal.SIGTERM,
        signal.SIGINT,
        signal.SIGHUP,
        signal.SIGQUIT,
        signal.SIGCONT,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGALRM,
    }
)


def main(home: Path, words: Sequence[str]) -> int:
    """Run a step.

    Returns:
        The highest exit code of its tasks; 128 more than the number where a signal ended one.
    """
    waiting.hear(HEARD)
    try:
        asked = srun_options.parse(words, os.environ)
        if asked.parsed.has("version"):
            print(VERSION)  # noqa: T201 - what the command is for
            return 0
        if asked.parsed.has("help") or asked.parsed.has("usage"):
            sys.stdout.write(srun_options.USAGE)
            return 0
        with Queue(home) as queue:
            return _run(queue, asked)
    except AskedError as error:
        sys.stderr.write(f"srun: {error}\n")
        return error.code


def _run(queue: Queue, asked: Asked) -> int:
    if not asked.parsed.operands:
        raise AskedError("fatal: No command given to execute.")
    processes.adopt_orphans()
    job = _job(queue, asked)
    wanted = srun_step.shape(asked, job)
    asked.seconds()
    for warning in wanted.warnings:
        sys.stderr.write(f"srun: warning: {warning}\n")
    step, place = _create(queue, asked, wanted, job)
    tasks = Tasks(
        step=int(step.name),
        shares=place.shares,
        nodes=place.nodes,
        pid=os.getpid(),
        distribution=place.distribution,
        per_node=wanted.per_node,
        cpus_per_task=asked.count("cpus-per-task"),
        gpus_per_task=(asked.gpus() or 0) if asked.parsed.has("gpus-per-task") else 0,
    )
    watch: srun_watch.Watch | None = None
    try:
        folder = os.path.join(os.getcwd(), asked.text("chdir") or "")  # noqa: PTH109, PTH118 - as it is written
        user = users.name(os.getuid())
        files = Files(asked, job, tasks, user, folder.rstrip("/") or "/")
        variables = srun_options.task_variables(asked)
        name = asked.parsed.last("job-name")
        variables |= {} if name is None else {"SLURM_JOB_NAME": name}
        started = srun_tasks.start(tasks, job, files, asked.parsed.operands, variables)
        identities = (processes.identity(task.pid) for task in started if task.pid)
        step = replace(step, tasks=tuple(one for one in identities if one is not None))
        _put(queue, step)
        watch = srun_watch.Watch(queue, job, step, asked, srun_watch.Run(started, files, conf.load(queue.home)))
        return watch.run()
    finally:
        _close(queue, job, step, watch)


def _job(queue: Queue, asked: Asked) -> Job:
    text = asked.text("jobid")
    if text is None:
        raise AskedError(
            "error: minislurm runs srun inside jobs only: submit a script that calls it with sbatch,"
            " or name a running job with --jobid"
        )
    job = queue.job(int(text)) if text.isascii() and text.isdigit() else None
    if job is None or job.ended:
        why = f"Slurm job {text} has expired"
        if job is None:
            why = f"Unable to confirm allocation for job {text}: Invalid job id specified"
        raise AskedError(f"error: {why}\nsrun: Check SLURM_JOB_ID environment variable. Expired or invalid job {text}")
    if job.state == "PENDING":
        raise AskedError(f"error: Unable to create step for job {text}: Job is pending execution")
    if job.stop:
        raise AskedError(f"error: Unable to create step for job {text}: Job/step already completing or completed")
    return job


def _create(queue: Queue, asked: Asked, wanted: srun_step.Shape, job: Job) -> tuple[Step, srun_step.Layout]:
    """Take what the step needs of the allocation, waiting for it if others hold it."""
    told = False
    version = -1
    while True:
        if queue.version() != version:
            version = queue.version()
            try:
                with queue.change():
                    now = _job(queue, asked)
                    if now.mark != job.mark:
                        raise AskedError(f"error: job {job.job_id} has started anew")
                    created = _take(queue, asked, wanted, now)
            except srun_step.BusyError:
                if asked.parsed.has("immediate"):
                    raise AskedError(
                        f"error: Unable to create step for job {job.job_id}: Requested nodes are busy"
                    ) from None
            else:
                if told:
                    sys.stderr.write(f"srun: Step created for StepId={job.job_id}.{created[0].name}\n")
                return created
            if not told:
                told = True
                sys.stderr.write(
                    f"srun: Job {job.job_id} step creation temporarily disabled, retrying (Requested nodes are busy)\n"
                )
                sys.stderr.flush()
        _end_if_told()
        waiting.wait(TICK)


def _end_if_told() -> None:
    for number in waiting.came():
        if number in {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}:
            raise AskedError(f"Cancelled pending job step with signal {number}")


def _take(queue: Queue, asked: Asked, wanted: srun_step.Shape, job: Job) -> tuple[Step, srun_step.Layout]:
    steps = [step for step in queue.steps(job.job_id) if step.restarts == job.restarts]
    place = srun_step.place(asked, wanted, job, [step for step in steps if step.end is None])
    step = Step(
        job_id=job.job_id,
        restarts=job.restarts,
        name=str(1 + max(_numbers(steps), default=-1)),
        command=asked.parsed.last("job-name") or Path(asked.parsed.operands[0]).name,
        state="RUNNING",
        start=int(time.time()),
        shares=place.shares,
        ntasks=wanted.ntasks,
        process=processes.identity(os.getpid()),
        overlap=asked.flag("overlap"),
    )
    queue.put_step(step)
    return step, place


def _numbers(steps: Iterable[Step]) -> list[int]:
    return [int(step.name) for step in steps if step.name.isdigit()]


def _put(queue: Queue, step: Step) -> None:
    """Write a step unless the job's stepd has closed it; a cancellation that came meanwhile stays."""
    with queue.change():
        for now in queue.steps(step.job_id):
            if (now.restarts, now.name) == (step.restarts, step.name) and now.end is None:
                queue.put_step(replace(step, stop=now.stop))


def _close(queue: Queue, job: Job, step: Step, watch: "srun_watch.Watch | None") -> None:
    """End the step, once nothing of it is left."""
    from trainsub.minislurm import job_processes  # noqa: PLC0415 - the last that is needed

    processes.kill_all(lambda: job_processes.of_step(queue, step, job.mark))
    state, code, number = ("FAILED", 1, 0) if watch is None else watch.verdict()
    by = None if watch is None else watch.stopped_by
    _put(queue, replace(step, state=state, end=int(time.time()), exit_code=code, exit_signal=number, stop_by=by))
