"""What a step is: a value that the queue keeps beside its job. Pure."""

from dataclasses import dataclass

from trainsub.minislurm.values import Process, Share


@dataclass(frozen=True, slots=True)
class Step:
    """A step of one start of a job.

    Attributes:
        job_id: The job.
        restarts: Which start of it.
        name: ``batch``, or a number.
        command: What sacct shows as its name.
        state: Slurm's word.
        start: When it began.
        end: When it ended.
        shares: What it holds.
        ntasks: Tasks.
        exit_code: The highest of its tasks.
        exit_signal: Signal that ended a task, or 0.
        process: srun, or the batch script.
        tasks: Its tasks' processes.
        stop: Once it was cancelled by itself, the state that it will end in.
        stop_by: User who cancelled it, also by ending its srun.
        overlap: It takes nothing from other steps.
    """

    job_id: int
    restarts: int
    name: str
    command: str
    state: str
    start: int
    end: int | None = None
    shares: tuple[Share, ...] = ()
    ntasks: int = 1
    exit_code: int = 0
    exit_signal: int = 0
    process: Process | None = None
    tasks: tuple[Process, ...] = ()
    stop: str = ""
    stop_by: int | None = None
    overlap: bool = False
