"""The ``--json`` documents: what machines read. Pure. Keys are only ever added; unknown is ``null``.

The reference page docs/reference/json.md is made from these models.
"""

from typing import Literal

from pydantic import Field

from trainsub.documents.base import SCHEMA, Document, Phase, Source, Time
from trainsub.documents.runs import (
    AllocationDocument,
    CodeDocument,
    EventDocument,
    ExitCodeDocument,
    JobDocument,
    RunDocument,
    RunsDocument,
)
from trainsub.documents.templates import (
    NewTemplateDocument,
    OneTemplateDocument,
    TemplateCheckDocument,
    TemplatePartDocument,
    TemplatesDocument,
)
from trainsub.errors import TrainsubError

__all__ = [
    "SCHEMA",
    "AllocationDocument",
    "CodeDocument",
    "Document",
    "EventDocument",
    "ExitCodeDocument",
    "JobDocument",
    "Phase",
    "RunDocument",
    "RunsDocument",
    "Source",
    "Time",
]


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


class PlanPartDocument(Document):
    """One of the runs that would be made: of a sweep that one job array cannot hold, a part."""

    run: str = Field(description="Run id.")
    tasks: int = Field(description="Its tasks.")
    waits: bool = Field(description="Whether its job begins only when that of the run before has ended.")
    ceiling_gpu_seconds: int | None = Field(
        description="The most GPU-seconds that it can use; null without a time limit, or where exclusive takes GPUs "
        "whose number is not known."
    )
    ceiling: MoneyDocument | None = Field(
        description="The most that it can cost; null without a price, or where ceiling_gpu_seconds is null."
    )
    script: str = Field(description="Its batch script; where it waits, what says so is added.")


class PlanDocument(Document):
    """What `submit --dry-run` tells: what would be sent."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    run: str = Field(description="Run id; of several runs, that of the first.")
    cluster: str = Field(description="Where it would go.")
    nodes: int = Field(description="Nodes asked.")
    gpus: int = Field(description="GPUs asked.")
    tasks: int = Field(
        description="Tasks of a job array, each of which asks for these, in all runs together; 1 for a plain job."
    )
    time_limit: int | None = Field(description="Seconds; null for no limit.")
    ceiling_gpu_seconds: int | None = Field(
        description="The most GPU-seconds that it can use, all tasks together; null without a time limit, or where "
        "exclusive takes GPUs whose number is not known."
    )
    ceiling: MoneyDocument | None = Field(
        description="The most that it can cost; null without a price, or where ceiling_gpu_seconds is null."
    )
    code: CodeDocument | None = Field(description="The snapshot.")
    script: str = Field(description="The batch script; of several runs, that of the first.")
    parts: list[PlanPartDocument] = Field(
        description="Each run that would be made: one, but for a sweep of more points than a job array may have."
    )
    template: TemplatePartDocument = Field(
        description="The template of the script; of a script of your own, that script."
    )


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
    "submit, status, wait, cancel, hold, release, requeue, retry": RunsDocument,
    "submit --dry-run": PlanDocument,
    "usage": UsageDocument,
    "cluster list": ClustersDocument,
    "cluster check": CheckDocument,
    "cluster login": LoginDocument,
    "config show": ConfigDocument,
    "template list": TemplatesDocument,
    "template show": OneTemplateDocument,
    "template check": TemplateCheckDocument,
    "template new": NewTemplateDocument,
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
