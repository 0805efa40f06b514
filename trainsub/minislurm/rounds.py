"""What the keeper does, again and again, until nothing is left to do.

It starts what can start, tells of jobs whose stepd died, and leaves no process of theirs behind. Whatever it knows is
in the queue, so that the next keeper goes on where a killed one was.
"""

import contextlib
import os
import secrets
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from trainsub.minislurm import conf as confs
from trainsub.minislurm import dependency, job_processes, keeper, lifecycle, processes, schedule, spawning, waiting
from trainsub.minislurm.queue import FILE, Queue, QueueError
from trainsub.minislurm.values import Job

TICK = 0.2
LOOK_SECONDS = 1.0
"""Begin times and deadlines pass although nobody changes the queue."""
LAUNCHES = 5
"""A stepd that ended so often before it took its job is not tried again."""


def keep(home: Path, lock: int) -> None:
    """Be the keeper until nothing is open.

    Args:
        home: The cluster's home.
        lock: The descriptor that holds its lock; given back when nothing is open.
    """
    processes.adopt_orphans()
    waiting.hear({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    with Queue(home) as queue:
        Keeper(queue, lock).run()


class Keeper:
    """The keeper's memory: only what is its own, and lost with it.

    Args:
        queue: The queue.
        lock: The descriptor that holds the lock.
    """

    def __init__(self, queue: Queue, lock: int) -> None:
        self.queue = queue
        self.home = queue.home
        self.lock = lock
        self.conf = confs.load(self.home)
        self.stepds: dict[int, str] = {}
        self.launches: dict[str, int] = {}
        self.looked = 0.0
        self.version = -1

    def run(self) -> None:
        """Work until nothing is open, or the home is gone."""
        while self._has_home():
            try:
                if self._is_due() and self._round():
                    return
            except (QueueError, confs.ConfError, OSError):
                # A full disk, say: what could not be written is tried again.
                traceback.print_exc()
                with contextlib.suppress(OSError):
                    # Which cuts it if it has become long.
                    os.close(keeper.open_log(self.home))
                time.sleep(LOOK_SECONDS)
            waiting.wait(TICK)

    def _has_home(self) -> bool:
        try:
            return os.stat(self.home / keeper.LOCK).st_ino == os.fstat(self.lock).st_ino and (self.home / FILE).exists()  # noqa: PTH116
        except OSError:
            return False

    def _is_due(self) -> bool:
        ended = [pid for pid in self.stepds if pid in processes.reap()]
        version, now = self.queue.version(), time.monotonic()
        return bool(ended) or version != self.version or now - self.looked >= LOOK_SECONDS

    def _round(self) -> bool:
        """Do what is to be done; return whether nothing is left."""
        self.version, self.looked = self.queue.version(), time.monotonic()
        self.conf = confs.load(self.home)
        for pid in set(self.stepds) & set(processes.reap()):
            del self.stepds[pid]
            processes.forget(pid)
        for job in self.queue.open_jobs():
            if job.running:
                self._see_to(job)
        self._kill_orphans()
        for job in self._plan():
            self._launch(job)
        return self._leave()

    def _see_to(self, job: Job) -> None:
        """Do what a running job needs whose stepd is not there."""
        if job.stepd is not None:
            if not processes.lives(job.stepd):
                self._bury(job)
        elif job.mark not in self.stepds.values():
            self._relaunch(job)

    def _relaunch(self, job: Job) -> None:
        """Start a stepd anew for a job that none has taken; a new mark keeps the former one from taking it."""
        count = self.launches.pop(job.mark, 0) + 1
        with self.queue.change():
            now = self.queue.job(job.job_id)
            if now is None or not now.running or now.stepd is not None or now.mark != job.mark:
                return
            if count >= LAUNCHES:
                after, record = lifecycle.launch_failed(now, _clock(), self.conf.requeue_delay)
                self.queue.put(after)
                self.queue.close_record(record)
                return
            now = replace(now, mark=_new_mark())
            self.queue.put(now)
        self.launches[now.mark] = count
        self._launch(now)

    def _bury(self, job: Job) -> None:
        """Tell the end of a job whose stepd died, once its processes are gone."""
        if job_processes.stepd_lives(self.home, job):
            return
        if not job_processes.kill(self.queue, job):
            sys.stderr.write(f"job {job.job_id}: processes are left that cannot be killed\n")
            return
        with self.queue.change():
            now = self.queue.job(job.job_id)
            if now is None or not now.running or now.mark != job.mark or now.stepd != job.stepd:
                return
            after, record = lifecycle.node_failed(now, _clock(), self.conf.requeue_delay)
            job_processes.close_steps(self.queue, now, after.state if after.ended else "NODE_FAIL", _clock())
            self.queue.put(after)
            if record is not None:
                self.queue.close_record(record)
        sys.stderr.write(f"job {job.job_id}: its stepd {job.stepd} died: {after.state}\n")

    def _kill_orphans(self) -> None:
        """Kill children that are no stepd: a dead stepd has left them, and nobody else would."""
        if processes.children(os.getpid()) - set(self.stepds):
            processes.kill_all(lambda: job_processes.below(self.home, os.getpid()), give_up=1)

    def _plan(self) -> list[Job]:
        """Start in the queue what can start; return those jobs."""
        started: list[Job] = []
        with self.queue.change():
            now = _clock()
            jobs = self.queue.open_jobs()
            plan = schedule.plan(jobs, self.conf, now, lambda job: dependency.waits(job, self._find, jobs, now))
            rows = {job.job_id: job for job in plan.changed}
            for job in plan.changed:
                self.queue.put(job)
            for start in plan.starts:
                row = rows.get(start.job.job_id, start.job)
                if start.task is not None:
                    row = self._take_task(row, start.task, rows)
                job = lifecycle.start(row, now, start.shares, _new_mark())
                self.queue.put(job)
                started.append(job)
        return started

    def _take_task(self, row: Job, task: int, rows: dict[int, Job]) -> Job:
        last = row.array is not None and len(row.array.pending) == 1
        mine, rest = lifecycle.split(row, task, row.job_id if last else self.queue.new_id())
        if rest is not None:
            rows[row.job_id] = rest
            self.queue.put(rest)
        return mine

    def _find(self, job_id: int) -> Sequence[Job]:
        found = self.queue.array_jobs(job_id)
        alone = self.queue.job(job_id) if not found else None
        return found if alone is None else [alone]

    def _launch(self, job: Job) -> None:
        command = keeper.own_command(self.home, "stepd", str(job.job_id), job.mark)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        log = keeper.open_log(self.home)
        try:
            program = spawning.Program(
                command[0], command, keeper.own_environment(), "/", 0o022, (null, null, log), outlives=True
            )
            self.stepds[spawning.spawn(program)] = job.mark
        finally:
            os.close(null)
            os.close(log)

    def _leave(self) -> bool:
        """Give the lock back if nothing is open; who submits after that finds it free."""
        with self.queue.change():
            if self.queue.has_open_jobs() or self.stepds:
                return False
            os.close(self.lock)
            return True


def _clock() -> int:
    return int(time.time())


def _new_mark() -> str:
    return secrets.token_hex(8)
