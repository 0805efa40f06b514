"""Which tasks of an array did not end well. Pure."""

from trainsub.slurm import states
from trainsub.tracker.arrays import indexed
from trainsub.tracker.values import Job


def failed(job: Job) -> tuple[int, ...]:
    """Return the indices of the tasks that have ended, and not well, in order; those cancelled are among them.

    Args:
        job: An array.
    """
    return tuple(
        index for index, task in indexed(job) if states.exit_code(task.state or "") not in {None, states.EXIT_OK}
    )
