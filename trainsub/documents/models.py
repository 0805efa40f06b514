"""The ``--json`` documents: what machines read. Pure. Keys are only ever added; unknown is ``null``.

The reference page docs/reference/json.md is made from these models.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from trainsub.errors import TrainsubError

SCHEMA = 1
"""The number in ``schema``. It changes only if a key ever had to change its meaning."""


def _rfc3339(time: datetime) -> str:
    """Whole seconds, UTC, with a Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


Time = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str)]
Phase = Literal["unsettled", "refused", "pending", "running", "finished", "unknown"]
Source = Literal["squeue", "sacct", "pyslurm", "record", "store"]


class Document(BaseModel):
    """A document or a part of one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    source: Source | None = Field(description="Where the state comes from.")
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
    source: Source | None = Field(description="Where the state comes from.")
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


class RunsDocument(Document):
    """What submit, status, wait and cancel tell."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    runs: list[RunDocument] = Field(description="The runs asked for, oldest first.")


class MoneyDocument(Document):
    """An amount of money."""

    amount: str = Field(description="Decimal number as a string, two places, rounded half-even.")
    currency: str = Field(description="As in the price table.")


class JobUsageDocument(Document):
    """What one job used; of an array, all its tasks together."""

    link: int = Field(description="Number in its run.")
    job_id: int = Field(description="Slurm's job id.")
    gpu_seconds: int | None = Field(description="From Slurm's records; null if unknown.")
    cost: MoneyDocument | None = Field(description="null without a price.")
    provisional: bool = Field(description="The job has not ended; the figure grows.")
    estimated: bool = Field(
        description="Slurm does not record GPUs here, so that nodes times GPUs per node was taken; or see runaway."
    )
    runaway: bool = Field(
        description="Slurm's accounts call it running for ever; it was counted until the last sign of life."
    )


class RunUsageDocument(Document):
    """What one run used."""

    run: str = Field(description="Run id.")
    name: str = Field(description="Name in the spec.")
    cluster: str = Field(description="Cluster's name in the configuration.")
    state: str | None = Field(description="Slurm's word for the newest link.")
    gpu_seconds: int | None = Field(description="Sum over its jobs; null if any is unknown.")
    cost: MoneyDocument | None = Field(description="null without a price.")
    provisional: bool = Field(description="A job has not ended; the figure grows.")
    estimated: bool = Field(description="Some job's GPUs or time are estimated.")
    runaway: bool = Field(description="Some job has a runaway record.")
    jobs: list[JobUsageDocument] = Field(description="Each link.")


class TotalDocument(Document):
    """Sums over all runs asked for."""

    gpu_seconds: int | None = Field(description="null if any is unknown.")
    cost: list[MoneyDocument] = Field(description="One amount for each currency, rounded once.")
    provisional: bool = Field(description="Some run has not ended.")
    estimated: bool = Field(description="Some run's GPUs or time are estimated.")
    runaway: bool = Field(description="Some run has a runaway record.")
    complete: bool = Field(description="Whether every run asked for has a cost; without it the sum leaves some out.")


class UsageDocument(Document):
    """What usage tells."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    runs: list[RunUsageDocument] = Field(description="The runs asked for, oldest first.")
    total: TotalDocument = Field(description="Their sum.")


class PlanDocument(Document):
    """What `submit --dry-run` tells: what would be sent."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    run: str = Field(description="Run id.")
    cluster: str = Field(description="Where it would go.")
    nodes: int = Field(description="Nodes asked.")
    gpus: int = Field(description="GPUs asked.")
    tasks: int = Field(description="Tasks of a job array, each of which asks for these; 1 for a plain job.")
    time_limit: int | None = Field(description="Seconds; null for no limit.")
    ceiling_gpu_seconds: int | None = Field(
        description="The most GPU-seconds that it can use, all tasks together; null without limit."
    )
    ceiling: MoneyDocument | None = Field(description="The most that it can cost; null without a price or a limit.")
    code: CodeDocument | None = Field(description="The snapshot.")
    script: str = Field(description="The batch script.")


class FindingDocument(Document):
    """One thing that was checked."""

    level: Literal["ok", "warning", "error"] = Field(description="How bad.")
    field: str = Field(description="What was checked.")
    message: str = Field(description="What was found.")
    remedy: str | None = Field(description="What to do.")


class CheckDocument(Document):
    """What `cluster check` tells."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    cluster: str = Field(description="Cluster's name.")
    findings: list[FindingDocument] = Field(description="In the order checked.")


class LoginDocument(Document):
    """What `cluster login` tells."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    cluster: str = Field(description="Cluster's name.")
    where: str = Field(description="User, host and port, as they were resolved.")
    kept: bool = Field(description="Whether later commands use this login.")
    new: bool = Field(description="Whether it was made now.")
    idle_seconds: int | None = Field(
        description="Seconds without a command after which it ends; null if it is not kept, or that is not known."
    )


class ClusterDocument(Document):
    """One configured cluster."""

    name: str = Field(description="Its name in the configuration.")
    default: bool = Field(description="Whether commands go there without --cluster.")
    transport: str = Field(description="paramiko, openssh or local.")
    host: str | None = Field(description="SSH host or alias.")
    remote_root: str = Field(description="Where runs lie on it.")


class ClustersDocument(Document):
    """What `cluster list` tells."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    clusters: list[ClusterDocument] = Field(description="By name.")


class ConfigDocument(Document):
    """What `config show` tells."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    values: dict[str, object] = Field(description="Dotted key to value.")
    origin: dict[str, str] = Field(description="Dotted key to the place that set it.")


class SandboxDocument(Document):
    """What `sandbox up` and `sandbox status` tell."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    up: bool = Field(description="Whether it runs.")
    slurm: str | None = Field(description="Slurm's version.")
    nodes: int | None = Field(description="Compute nodes.")
    ssh_config: str | None = Field(description="Path for `ssh -F`.")


class UnreadableDocument(Document):
    """A run of which nothing could be recorded."""

    run: str = Field(description="Run id.")
    reason: str = Field(description="Why.")


class SyncDocument(Document):
    """What `sync` tells: which runs lie on a cluster."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    cluster: str = Field(description="Cluster's name in the configuration.")
    root: str = Field(description="Where runs lie on it.")
    restored: list[str] = Field(description="Run ids that were not known here.")
    updated: list[str] = Field(description="Runs of which something was not known here.")
    known: list[str] = Field(description="Runs of which everything was known.")
    gone: list[str] = Field(description="Runs that have jobs, and whose directory on the cluster is gone.")
    coming: list[str] = Field(description="Runs that are being submitted just now; nothing was recorded of them.")
    unreadable: list[UnreadableDocument] = Field(description="Runs of which nothing could be recorded.")
    foreign: list[str] = Field(description="Names in the directory of runs that are none.")
    asked: bool = Field(description="Whether Slurm answered all questions about their jobs.")


class ErrorPart(Document):
    """What went wrong."""

    code: int = Field(description="The command's exit code.")
    kind: str = Field(description="One word for machines; see exit codes.")
    message: str = Field(description="What happened, and where.")
    hint: str | None = Field(description="What to do next.")


class ErrorDocument(Document):
    """What every verb prints with --json instead, when it fails."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    error: ErrorPart = Field(description="What went wrong.")


DOCUMENTS: dict[str, type[Document]] = {
    "submit, status, wait, cancel": RunsDocument,
    "submit --dry-run": PlanDocument,
    "usage": UsageDocument,
    "cluster list": ClustersDocument,
    "cluster check": CheckDocument,
    "cluster login": LoginDocument,
    "config show": ConfigDocument,
    "sandbox up, sandbox status": SandboxDocument,
    "sync": SyncDocument,
    "any verb that fails": ErrorDocument,
}
"""Which verb tells which document."""


def dump(document: Document) -> str:
    """The text of a document."""
    return document.model_dump_json(indent=2, by_alias=True)


def error_document(error: TrainsubError) -> ErrorDocument:
    """The document of an error."""
    part = ErrorPart(code=error.exit_code, kind=error.kind, message=error.message, hint=error.hint)
    return ErrorDocument(error=part)
