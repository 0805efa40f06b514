"""stepd: runs one job, from its start to its end.

Whoever wants to end the job writes so into the queue. What stepd tells there is true: the job has ended when no process
of it is left.

There are two processes, so that one of them is there to kill the job's if the other one is killed: the guard, which the
queue knows as the job's stepd, and its child, the worker, which does everything else.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from trainsub.minislurm import batch, conf, job_processes, keeper, lifecycle, processes, signals, waiting
from trainsub.minislurm.queue import FILE, Queue, QueueError
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Job, Process

TICK = 0.2
GUARD_SECONDS = 60.0
KEEPER_SECONDS = 2.0
"""How often it sees to it that a keeper lives."""
IGNORED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2})


def main(home: Path, words: Sequence[str]) -> int:
    """Run a job; the words are its id and the mark that it was started with.

    Returns:
        The exit code.
    """
    waiting.hear(IGNORED)
    processes.adopt_orphans()
    processes.prepare()
    job_id, mark = int(words[0]), words[1]
    guard = os.getpid()
    worker = os.fork()
    if worker:
        return _guard(home, job_id, mark, worker)
    # The pipe that wakes it up is the guard's.
    waiting.renew()
    processes.hear_of_death(guard, signal.SIGUSR1)
    processes.adopt_orphans()
    with Queue(home) as queue:
        job = _claim(queue, job_id, mark, processes.identity(guard))
        if job is None:
            return 0
        try:
            Stepd(queue, job, guard).run()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            # The keeper tells what became of the job; nothing of it may go on.
            processes.kill_all(job_processes.finder(queue, job, os.getpid()))
            raise
    keeper.ensure(home)
    return 0


def _guard(home: Path, job_id: int, mark: str, worker: int) -> int:
    """Wait for the worker; should it be killed, leave nothing of the job."""
    while worker not in processes.reap():
        waiting.wait(GUARD_SECONDS)
    if processes.reap()[worker] == 0:
        return 0
    # At once, before this one is killed, too.
    processes.kill_all(lambda: job_processes.below(home, os.getpid()))
    with Queue(home) as queue:
        job = queue.job(job_id)
        if job is not None:
            # If it has started anew meanwhile, the steps in the queue are of that start.
            marked = replace(job, mark=mark, restarts=job.restarts if job.mark == mark else -1)
            processes.kill_all(job_processes.finder(queue, marked, os.getpid()))
    return 1


def _claim(queue: Queue, job_id: int, mark: str, me: Process | None) -> Job | None:
    with queue.change():
        job = queue.job(job_id)
        claimed = lifecycle.claim(job, mark, me) if job is not None and me is not None else None
        if claimed is not None:
            queue.put(claimed)
        return claimed


class Stepd:
    """One start of a job.

    Args:
        queue: The queue.
        job: The job, claimed.
        guard: The parent.
    """

    def __init__(self, queue: Queue, job: Job, guard: int) -> None:
        self.queue = queue
        self.job = job
        self.guard = guard
        self.conf = conf.load(queue.home)
        self.began = time.monotonic()
        self.script: batch.Script | None = None
        self.kill_at: float | None = None
        self.warned = False
        self.version = -1
        self.kept = time.monotonic()

    def run(self) -> None:
        """Start the batch script, watch over it, and tell the end."""
        code = 0
        number = 0
        if not self.job.stop:
            try:
                self.script = batch.start(self.queue.home, self.job, self.conf)
            except Exception:  # noqa: BLE001 - whatever it is, it would be the same with each start
                traceback.print_exc()
                self._insist(self._tell_launch_failed)
                return
            code, number = self.script.failure
            self._put_batch_step()
            if self.script.pid:
                status = self._watch(self.script.pid)
                code, number = (0, os.WTERMSIG(status)) if os.WIFSIGNALED(status) else (os.WEXITSTATUS(status), 0)
        self._end_steps()
        self._kill()
        self._insist(lambda: self._tell_end(code, number))
        if self.script is not None:
            self.script.clean()

    def _mine(self) -> Job | None:
        """Return the job as the queue has it, if it is still this start of it."""
        job = self.queue.job(self.job.job_id)
        return job if job is not None and job.mark == self.job.mark and job.running else None

    def _find(self) -> set[int]:
        return job_processes.find(self.queue, self.job, os.getpid())

    def _kill(self) -> None:
        processes.kill_all(job_processes.finder(self.queue, self.job, os.getpid()))

    def _watch(self, pid: int) -> int:
        """Wait for the batch script; return its status."""
        while pid not in processes.reap():
            if os.getppid() != self.guard or not self._has_home():
                self._die()
            try:
                self._look()
                self._mind_the_time()
                if self.kill_at is not None and time.monotonic() >= self.kill_at:
                    self._kill()
                self._keep_a_keeper()
            except (QueueError, OSError):
                traceback.print_exc()
            if pid not in processes.reap():
                waiting.wait(TICK)
        return processes.reap()[pid]

    def _die(self) -> NoReturn:
        processes.kill_all(lambda: job_processes.below(self.queue.home, os.getpid()))
        self._kill()
        os._exit(1)

    def _has_home(self) -> bool:
        return (self.queue.home / FILE).exists()

    def _look(self) -> None:
        """See what others have written about the job."""
        version = self.queue.version()
        if version != self.version:
            self.version = version
            job = self._mine()
            if job is None:
                # Taken for dead, wrongly: then it is no more.
                self._die()
            self.job = job
            self._mend_steps()
        if self.job.stop and self.kill_at is None:
            self._stop()

    def _stop(self) -> None:
        """End all that runs, with some time to end by itself."""
        self.kill_at = time.monotonic() + self.conf.kill_wait
        if self.script is not None:
            self.script.say(signals.cancelled("JOB", str(self.job.job_id), self.job, time.localtime()))
        processes.wake(self._find(), signal.SIGTERM)

    def _mind_the_time(self) -> None:
        limit = self.job.request.time_limit
        if limit is None or self.job.stop:
            return
        left = self.began + limit - time.monotonic()
        warning = self.job.request.signal
        if warning is not None and not self.warned and left <= warning.seconds:
            self.warned = True
            signals.send(self.queue, self.job, warning.number, batch=warning.batch_only, steps=not warning.batch_only)
        if left <= 0:
            with self.queue.change():
                job = self._mine()
                if job is not None and not job.stop:
                    self.job = lifecycle.stop(job, int(time.time()), "TIMEOUT")
                    self.queue.put(self.job)
            self.version = -1

    def _mend_steps(self) -> None:
        """End the steps whose srun died."""
        for step in self._running_steps():
            if step.process is not None and not processes.lives(step.process):
                processes.kill_all(lambda step=step: job_processes.of_step(self.queue, step, self.job.mark))  # type: ignore[misc]
                with self.queue.change():
                    for now in self._running_steps():
                        if now.name == step.name:
                            self.queue.put_step(
                                replace(now, state="CANCELLED", end=int(time.time()), exit_signal=signal.SIGKILL)
                            )

    def _running_steps(self) -> list[Step]:
        mine = (step for step in self.queue.steps(self.job.job_id) if step.restarts == self.job.restarts)
        return [step for step in mine if step.end is None and step.name != job_processes.BATCH]

    def _end_steps(self) -> None:
        """Give steps that outlive the batch script the time to end that Slurm gives them."""
        end = time.monotonic() + self.conf.kill_wait if self.kill_at is None else self.kill_at
        warned = self.kill_at is not None
        while self._running_steps() and time.monotonic() < end:
            if not warned:
                warned = True
                # Their tasks only: srun tells how they end.
                for step in self._running_steps():
                    processes.wake(job_processes.of_step(self.queue, step, self.job.mark), signal.SIGTERM)
            waiting.wait(TICK / 4)
            processes.reap()
            self._mend_steps()

    def _keep_a_keeper(self) -> None:
        if time.monotonic() - self.kept >= KEEPER_SECONDS:
            self.kept = time.monotonic()
            self._mend_steps()
            keeper.ensure(self.queue.home)

    def _put_batch_step(self) -> None:
        script = self.script
        process = processes.identity(script.pid) if script is not None and script.pid else None
        step = Step(
            job_id=self.job.job_id,
            restarts=self.job.restarts,
            name=job_processes.BATCH,
            command="batch",
            state="RUNNING",
            start=self.job.start or int(time.time()),
            shares=self.job.shares[:1],
            process=process,
        )

        def put() -> None:
            with self.queue.change():
                if self._mine() is not None:
                    self.queue.put_step(step)

        self._insist(put)

    def _tell_launch_failed(self) -> None:
        with self.queue.change():
            job = self._mine()
            if job is not None:
                after, record = lifecycle.launch_failed(job, int(time.time()), self.conf.requeue_delay)
                self.queue.put(after)
                self.queue.close_record(record)

    def _tell_end(self, code: int, number: int) -> None:
        now = int(time.time())
        with self.queue.change():
            job = self._mine()
            if job is None:
                return
            after, record = lifecycle.end(job, now, code, number, self.conf.requeue_delay)
            for step in self.queue.steps(job.job_id):
                if step.name == job_processes.BATCH and step.restarts == job.restarts:
                    state = "CANCELLED" if number else "FAILED" if code else "COMPLETED"
                    self.queue.put_step(replace(step, state=state, end=now, exit_code=code, exit_signal=number))
            job_processes.close_steps(self.queue, job, "CANCELLED", now)
            self.queue.put(after)
            if record is not None:
                self.queue.close_record(record)

    def _insist(self, write: Callable[[], None]) -> None:
        """Write into the queue, however long the disk is full."""
        while self._has_home():
            try:
                return write()
            except QueueError:
                traceback.print_exc()
                time.sleep(1)
        return None
