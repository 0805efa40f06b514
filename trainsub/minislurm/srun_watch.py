"""What srun does while its tasks run: it passes things on, tells how tasks end, and ends the rest when it must."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass

from trainsub.minislurm import job_processes, processes, signals, waiting
from trainsub.minislurm.conf import Conf
from trainsub.minislurm.queue import Queue, QueueError
from trainsub.minislurm.srun_files import Files
from trainsub.minislurm.srun_options import Asked
from trainsub.minislurm.srun_tasks import Task
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Job

TICK = 0.2
TOGETHER = 0.05
"""Tasks of a node that end alike within so many seconds are told in one line."""
ABORTING = frozenset({signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT})
PASSED_ON = frozenset({signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM})


@dataclass(frozen=True, slots=True)
class Run:
    """What runs.

    Attributes:
        tasks: The tasks.
        files: What they read and write.
        conf: The cluster.
    """

    tasks: list[Task]
    files: Files
    conf: Conf


class Watch:
    """A step from its start to its end.

    Args:
        queue: The queue.
        job: The job.
        step: The step.
        asked: What srun is asked for.
        run: What runs.
    """

    def __init__(self, queue: Queue, job: Job, step: Step, asked: Asked, run: Run) -> None:
        self.queue = queue
        self.job = job
        self.step = step
        self.tasks = run.tasks
        self.files = run.files
        self.kill_wait = run.conf.kill_wait
        self.kill_on_bad_exit = asked.number("kill-on-bad-exit", 0) > 0
        self.wait_after_first = asked.number("wait", 0)
        seconds = asked.seconds()
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.name = f"{job.job_id}.{step.name}"
        self.first_end: float | None = None
        self.kill_at: float | None = None
        self.untold_since: float | None = None
        self.aborted = False
        self.cancelled = False
        self.stopped_by: int | None = None
        self.interrupted = -10.0
        self.version = -1
        self.checked = 0.0

    def run(self) -> int:
        """Watch until all tasks have ended.

        Returns:
            The exit code of srun.
        """
        # As with Slurm, what stands ready at srun's own input is taken from it, even if no task will read it.
        self._pass_on(0)
        while self._running():
            self._collect()
            self._hear()
            self._look()
            self._mind_the_time()
            if self._running():
                self._pass_on()
        # What ended them may still have to be told.
        self.version = -1
        self._look()
        self._hear()
        self._tell(everything=True)
        self.files.input.close()
        processes.kill_all(self._find)
        self.files.drain()
        if not self.aborted and any(task.signal in {signal.SIGKILL, signal.SIGTERM} for task in self.tasks):
            _say(f"Force Terminated StepId={self.name}")
        worst = max(task.signal for task in self.tasks)
        return 128 + worst if worst else max(task.code or 0 for task in self.tasks)

    def verdict(self) -> tuple[str, int, int]:
        """Return state, code and signal with which the accounts keep the step."""
        if not all(task.ended for task in self.tasks):
            return "CANCELLED", 0, int(signal.SIGKILL)
        # On a node a signal counts more than a code, among nodes the other way round.
        nodes = {task.node for task in self.tasks}
        worst = max(_worst([task for task in self.tasks if task.node == node]) for node in nodes)
        code, number = divmod(worst, 256)
        return ("FAILED", code, 0) if code else ("CANCELLED", 0, number) if number else ("COMPLETED", 0, 0)

    def _running(self) -> list[Task]:
        return [task for task in self.tasks if not task.ended]

    def _find(self) -> set[int]:
        return job_processes.of_step(self.queue, self.step, self.job.mark)

    # -- what comes ------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        """See which tasks have ended."""
        ended = processes.reap()
        if ended:
            self.files.pass_all_on()  # their last words come before what srun says of their end
        for task in self.tasks:
            if task.pid in ended and not task.ended:
                task.end(ended[task.pid])
        if any(task.ended and not task.told for task in self.tasks):
            self.untold_since = self.untold_since or time.monotonic()
        self._tell()
        over = [task for task in self.tasks if task.ended]
        if over and self.first_end is None:
            self.first_end = time.monotonic()
        if self.kill_on_bad_exit and self._running() and self.kill_at is None and any(task.words() for task in over):
            self._tell(everything=True)
            _say(f"Terminating StepId={self.name}")
            self._terminate()

    def _tell(self, *, everything: bool = False) -> None:
        """Tell of tasks that ended badly: those of a node that ended alike in one line."""
        whole = {task.node for task in self.tasks} - {task.node for task in self._running()}
        late = self.untold_since is not None and time.monotonic() - self.untold_since >= TOGETHER
        groups: dict[tuple[str, str], list[Task]] = {}
        for task in self.tasks:
            if task.ended and not task.told and (everything or late or task.node in whole):
                task.told = True
                if task.words():
                    groups.setdefault((task.node, task.words()), []).append(task)
        for (node, words), tasks in groups.items():
            _say(f"error: {node}: {_named(tasks)}: {words}")
        if all(task.told for task in self.tasks if task.ended):
            self.untold_since = None

    def _hear(self) -> None:
        """Do what signals want."""
        for number in waiting.came():
            if number in PASSED_ON:
                processes.signal_all(self._find(), number)
            elif number == signal.SIGCONT:
                _say("got SIGCONT")
            elif number == signal.SIGINT and time.monotonic() - self.interrupted > 1:
                self.interrupted = time.monotonic()
                _say("interrupt (one more within 1 sec to abort)")
                _say(f"StepId={self.name} {_named(self._running())}: running")
            elif number in ABORTING or number == signal.SIGINT:
                if number == signal.SIGQUIT:
                    _say("Quit")
                _say(f"sending Ctrl-C to StepId={self.name}" if number == signal.SIGINT else "forcing job termination")
                self._abort()

    def _look(self) -> None:
        """See whether somebody cancelled the step or the job, or whether the job's stepd died."""
        try:
            version = self.queue.version()
            if version == self.version and time.monotonic() - self.checked < 1:
                return
            self.version, self.checked = version, time.monotonic()
            job = self.queue.job(self.job.job_id)
            steps = [one for one in self.queue.steps(self.job.job_id) if one.restarts == self.step.restarts]
        except QueueError:
            # Removed, or on a full disk: what runs is not to suffer from that.
            traceback.print_exc()
            return
        alone = job is None or job.mark != self.job.mark or not job.running
        if alone or job is None or job.stepd is None or not processes.lives(job.stepd):
            processes.kill_all(self._find)
            return
        self.job = job
        if job.stop and not self.cancelled:
            # The job's stepd ends the tasks.
            self._say_cancelled()
        elif not self.aborted and any(one.name == self.step.name and one.stop for one in steps):
            self._abort()

    def _mind_the_time(self) -> None:
        now = time.monotonic()
        if self.kill_at is not None and now >= self.kill_at:
            self.kill_at = now + TICK
            processes.kill_all(self._find)
        first = self.first_end
        if self.wait_after_first and first is not None and self.kill_at is None and self._running():
            if now >= first + self.wait_after_first:
                _say(f"First task exited {self.wait_after_first}s ago")
                self._say_states()
                _say(f"Terminating StepId={self.name}")
                self._abort()
        elif self.deadline is not None and now >= self.deadline and self.kill_at is None:
            self._terminate(" DUE TO TIME LIMIT")

    def _pass_on(self, at_most: float = TICK) -> None:
        """Wait for something to happen, and pass input and output on."""
        files = self.files
        due = [moment for moment in (self.kill_at, self.deadline) if moment is not None]
        seconds = min([at_most, *(moment - time.monotonic() for moment in due)])
        if self.untold_since is not None:
            seconds = min(seconds, TOGETHER)
        readable, writable = waiting.wait(seconds, [*files.input.readable(), *files.printed], files.input.writable())
        for pipe in writable:
            files.input.give(pipe)
        for pipe in readable:
            if pipe in files.printed:
                files.pass_on(pipe)
            else:
                files.input.take()

    # -- ends ------------------------------------------------------------------------------------------------------

    def _terminate(self, why: str = "") -> None:
        """End the tasks, with some time to end by themselves."""
        self._say_cancelled(why)
        self.kill_at = time.monotonic() + self.kill_wait
        processes.wake(self._find(), signal.SIGTERM)

    def _abort(self) -> None:
        """End the tasks at once; in a job that is being ended, its stepd does that."""
        if not self.aborted:
            self.aborted = True
            _say(f"Job step aborted: Waiting up to {int(self.kill_wait) + 2} seconds for job step to finish.")
        job = self.queue.job(self.job.job_id)
        if job is not None:
            self.job = job
        self._say_cancelled()
        if not self.job.stop:
            self.stopped_by = os.getuid()
            self.kill_at = time.monotonic()

    def _say_cancelled(self, why: str = "") -> None:
        node = self.step.shares[0].node
        first = not self.cancelled
        self.cancelled = True
        # The stepd of the step's first node says it, if it is still there.
        if first and (self.job.stop or any(task.node == node for task in self._running())):
            line = signals.cancelled("STEP", self.name, self.job, time.localtime(), node=node, why=why)
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def _say_states(self) -> None:
        groups: dict[str, list[Task]] = {}
        for task in self.tasks:
            state = "running" if not task.ended else "exited abnormally" if task.words() else "exited"
            groups.setdefault(state, []).append(task)
        for state in ("running", "exited abnormally", "exited"):
            if state in groups:
                _say(f"StepId={self.name} {_named(groups[state])}: {state}")


def _worst(tasks: Iterable[Task]) -> int:
    """Return how tasks of a node ended, as wait tells it: a signal, or a code times 256."""
    tasks = list(tasks)
    return max(task.signal for task in tasks) or 256 * max(task.code or 0 for task in tasks)


def _say(text: str) -> None:
    sys.stderr.write(f"srun: {text}\n")
    sys.stderr.flush()


def _named(tasks: Iterable[Task]) -> str:
    """Return ``task 1`` or ``tasks 0,2-3``."""
    ranks = [task.rank for task in tasks]
    runs: list[list[int]] = []
    for rank in ranks:
        if runs and runs[-1][-1] == rank - 1:
            runs[-1] = [runs[-1][0], rank]
        else:
            runs.append([rank])
    text = ",".join("-".join(map(str, dict.fromkeys(run))) for run in runs)
    return f"task {text}" if len(ranks) == 1 else f"tasks {text}"
