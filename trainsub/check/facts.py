"""What can be learned of a cluster without submitting anything. Pure values."""

from dataclasses import dataclass

from trainsub.slurm.sinfo import Partition


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What can be learned of a cluster without submitting anything.

    Attributes:
        version: Slurm's version, "24.11.5"; None if Slurm's commands are not there.
        controller: None if slurmctld answers; else what `scontrol ping` said.
        settings: `scontrol show config`.
        partitions: `sinfo`, as far as this user sees them.
        accounting: None if sacct answers; else what it said.
        root: The remote root, resolved.
        root_error: None if it can be written to; else the system's words.
        free_bytes: Free space under it; None if unknown.
        missing: Programs that trainsub's remote side needs and that are not there.
    """

    version: str | None
    controller: str | None
    settings: dict[str, str]
    partitions: tuple[Partition, ...]
    accounting: str | None
    root: str
    root_error: str | None
    free_bytes: int | None
    missing: tuple[str, ...]
