"""What ``squeue --steps`` tells of steps that run. Pure, but for the names of users."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trainsub.minislurm import users, view
from trainsub.minislurm.steps import Step
from trainsub.minislurm.table import clock, moment
from trainsub.minislurm.values import Job


@dataclass(frozen=True, slots=True)
class StepView:
    """A step at a moment.

    Attributes:
        job: Its job.
        step: The step.
        now: The moment.
    """

    job: Job
    step: Step
    now: int

    @property
    def step_id(self) -> str:
        """``12.0``, ``12_3.batch``."""
        array = self.job.array
        name = f"{array.job_id}_{array.task}" if array is not None else str(self.job.job_id)
        return f"{name}.{self.step.name}"


LETTERS: Mapping[str, tuple[str, Callable[[StepView], str]]] = {
    "i": ("STEPID", lambda one: one.step_id),
    "j": ("NAME", lambda one: one.step.command),
    "M": ("TIME", lambda one: clock(one.now - one.step.start)),
    "N": ("NODELIST", lambda one: view.nodelist(one.step.shares)),
    "P": ("PARTITION", lambda one: one.job.request.partition),
    "S": ("START_TIME", lambda one: moment(one.step.start)),
    "u": ("USER", lambda one: users.name(one.job.uid)),
    "U": ("USER", lambda one: str(one.job.uid)),
}
"""By the letters of ``--format``: header, and what stands below it."""
