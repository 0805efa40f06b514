"""What the accounting database's own tables say that jobs held. Knows nothing of sacct, and nothing of trainsub."""

from collections.abc import Iterable
from dataclasses import dataclass

from clusters import SlurmCluster


@dataclass(frozen=True)
class Held:
    """A row of the job table: GPUs from one epoch second to another.

    Attributes:
        start: 0 if it never started.
        end: 0 while it lasts.
    """

    start: int
    end: int
    suspended: int
    gpus: int


def rows(cluster: SlurmCluster, job_id: int, name: str = "") -> list[Held]:
    """All that the tables say of a job, requeues and resizes included, oldest first.

    Args:
        cluster: Whose tables.
        job_id: The job.
        name: Its name, where the id may have been given to others too.
    """
    ours = f" AND job_name = '{name}'" if name else ""
    (tres,) = cluster.sql("SELECT id FROM tres_table WHERE type = 'gres' AND name = 'gpu'")
    found = cluster.sql(
        "SELECT time_start, time_end, time_suspended, tres_alloc FROM sandbox_job_table"
        f" WHERE id_job = {job_id}{ours} ORDER BY job_db_inx"
    )
    return [
        Held(_number(start), _number(end), _number(suspended), _count(alloc, f"{tres[0]}="))
        for start, end, suspended, alloc in found
    ]


def gpu_seconds(held: Iterable[Held]) -> int:
    """GPU-seconds, no second twice."""
    total, until = 0, 0
    for row in held:
        assert row.end, f"still open: {row}"
        if row.start:
            begin = max(row.start, until)
            total += row.gpus * max(0, row.end - begin - row.suspended)
            until = max(until, row.end)
    return total


def _number(text: str | None) -> int:
    return int(text or 0)


def _count(tres: str | None, key: str) -> int:
    found = [part.removeprefix(key) for part in (tres or "").split(",") if part.startswith(key)]
    return int(found[0]) if found else 0
