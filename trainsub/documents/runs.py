"""The documents of runs: what submit, status, wait and the orders tell. Pure. Keys are only ever added."""

from pydantic import Field

from trainsub.documents.base import SCHEMA, Document, Phase, Source, Time


class ExitCodeDocument(Document):
    """How a job or an allocation ended."""

    code: int = Field(description="Exit code of the batch script.")
    signal: int = Field(description="Signal that ended it; 0 for none.")


class AllocationDocument(Document):
    """One period in which a job held nodes: one record of `sacct -D`."""

    state: str = Field(description="Slurm's word.")
    start_time: Time | None = Field(description="Start; null if it never started.")
    end_time: Time | None = Field(description="End; null while it lasts.")
    elapsed: int = Field(description="Seconds, suspended time left out.")
    nodes: int = Field(description="Nodes held.")
    gpus: int | None = Field(description="GPUs held; null where Slurm does not record them.")
    nodelist: str = Field(description="Slurm's hostlist.")
    partition: str = Field(description="Partition.")
    exit_code: ExitCodeDocument | None = Field(description="null while it lasts.")


class JobDocument(Document):
    """One answer of sbatch: a link of a run; or one task of it, where it is a job array.

    An array has one entry for itself, whose state follows from its tasks, and after it one for each task.
    """

    link: int = Field(description="Number in its run, from 1.")
    array_task: int | None = Field(
        description="Index of a task; null for a job that is no array, and for an array itself."
    )
    job_id: int = Field(description="Slurm's job id; the array's for a task that has none of its own yet.")
    phase: Phase = Field(description="As for a run.")
    state: str | None = Field(description="Slurm's word.")
    reason: str | None = Field(description="Slurm's reason, verbatim; of a runaway record, what to do.")
    explanation: str | None = Field(
        description="Why it waits, or why it ended, in words; null where Slurm's reason tells nothing."
    )
    remedy: str | None = Field(description="What can be done about that; null if nothing.")
    source: Source | None = Field(description="Where the state comes from. `pyslurm` is reserved: nothing says it yet.")
    observed_at: Time | None = Field(description="When the source said so.")
    submit_time: Time = Field(description="First submission; a requeue does not change it.")
    start_time: Time | None = Field(description="Start of the newest allocation.")
    end_time: Time | None = Field(description="End, once finished.")
    expected_start: Time | None = Field(
        description="When Slurm expects a waiting job to start; null if it does not say."
    )
    nodes: int | None = Field(description="Nodes asked or held.")
    gpus: int | None = Field(description="GPUs held.")
    exit_code: ExitCodeDocument | None = Field(description="Once finished.")
    allocations: list[AllocationDocument] = Field(description="Oldest first; those of an array are its tasks'.")


class EventDocument(Document):
    """Something that happened to a run, when this machine learned of it."""

    at: Time = Field(description="When it was learned.")
    what: str = Field(description="A state's word, or what was done: `intent recorded`, `job 17`, `hold ordered`.")
    source: str | None = Field(description="Who said so: squeue, sacct, record, sbatch; `trainsub` for an order.")
    detail: str | None = Field(description="Slurm's reason, or other words; null if there are none.")
    link: int | None = Field(description="Which job; null for the run.")


class CodeDocument(Document):
    """The snapshot that the run works in."""

    sha256: str = Field(description="Of the archive.")
    size: int = Field(description="Of the archive, bytes.")
    files: int = Field(description="Files inside.")
    commit: str | None = Field(description="HEAD when it was taken; null outside git.")
    dirty: bool | None = Field(description="Whether tracked files differed from the commit; null outside git.")
    untracked: list[str] = Field(description="Files that git does not track and that travelled too.")


class RunDocument(Document):
    """A run; at the top the values of its newest link."""

    run: str = Field(description="Run id.")
    name: str = Field(description="Name in the spec.")
    cluster: str = Field(description="Cluster's name in the configuration.")
    phase: Phase = Field(description="Where it stands.")
    state: str | None = Field(description="Slurm's word; null when nothing is known.")
    reason: str | None = Field(description="Slurm's reason, verbatim; or the cluster's words on a refusal.")
    explanation: str | None = Field(
        description="Why it waits, or why it ended, in words; null where Slurm's reason tells nothing."
    )
    remedy: str | None = Field(description="What can be done about that; null if nothing.")
    source: Source | None = Field(description="Where the state comes from. `pyslurm` is reserved: nothing says it yet.")
    observed_at: Time | None = Field(description="When the source said so.")
    job_id: int | None = Field(description="Slurm's job id of the newest link.")
    submit_time: Time | None = Field(description="First submission of the newest link.")
    start_time: Time | None = Field(description="Start of its newest allocation.")
    end_time: Time | None = Field(description="End, once finished.")
    expected_start: Time | None = Field(
        description="When Slurm expects a waiting job to start; null if it does not say."
    )
    nodes: int | None = Field(description="Nodes asked or held.")
    gpus: int | None = Field(description="GPUs held.")
    exit_code: ExitCodeDocument | None = Field(description="Once finished.")
    code: CodeDocument | None = Field(description="The snapshot; null for a run without code.")
    jobs: list[JobDocument] = Field(description="All links, oldest first, each followed by its tasks.")
    events: list[EventDocument] | None = Field(
        description="Its history, oldest first, from `status` with RUNs; null from other commands."
    )


class RunsDocument(Document):
    """What submit, status, wait, cancel, hold, release, requeue and retry tell."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    runs: list[RunDocument] = Field(description="The runs asked for, oldest first.")
