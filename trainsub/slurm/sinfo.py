"""sinfo: partitions and what their nodes have. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trainsub.errors import OutputError
from trainsub.slurm import rows, units

_FIELDS = ("PartitionName", "Partition", "Available", "Time", "DefaultTime", "NodeAIOT", "Gres")
_FORMAT = ",".join(f"{field}:{rows.SEPARATOR}" for field in _FIELDS)

_NODES = re.compile(r"([0-9]{1,9})/([0-9]{1,9})/([0-9]{1,9})/([0-9]{1,9})")
# Commas inside parentheses belong to one entry: gpu:h100:8(S:0-1,3).
_GRES = re.compile(r"(?:[^,(]|\([^)]*\))+")
_GPU = re.compile(r"gpu(?::[^:(]+)*?(?::([0-9]{1,9}))?(?:\(.*\))?")


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition that the user can see.

    Attributes:
        name: Its name.
        default: Jobs that name none go there.
        up: It takes jobs and starts them.
        time_limit: Seconds; None: unlimited.
        default_time: Seconds of a job that asks for none; None where the partition's limit is taken.
        nodes: All its nodes.
        idle: Those that wait for work.
        down: Those that are down, drained or in other trouble.
        gres: What its nodes have, each combination once: ``gpu:h100:8``.
        gpus_per_node: The most GPUs that one node has; 0 when none has any.
    """

    name: str
    default: bool
    up: bool
    time_limit: int | None
    default_time: int | None
    nodes: int
    idle: int
    down: int
    gres: tuple[str, ...]
    gpus_per_node: int


def argv(*, slurm_bin: str = "") -> list[str]:
    """Return the query for all partitions."""
    return [rows.program("sinfo", slurm_bin), "--noheader", f"--Format={_FORMAT}"]


def parse(text: str) -> list[Partition]:
    """Return the partitions in sinfo's order; nodes that differ make several rows of one.

    Raises:
        OutputError: The text was cut off, or is something else.
    """
    partitions: dict[str, Partition] = {}
    for fields in rows.split(text, columns=len(_FIELDS), command="sinfo"):
        row = _row(fields)
        known = partitions.get(row.name)
        partitions[row.name] = row if known is None else _join(known, row)
    return list(partitions.values())


def _join(known: Partition, row: Partition) -> Partition:
    return replace(
        known,
        nodes=known.nodes + row.nodes,
        idle=known.idle + row.idle,
        down=known.down + row.down,
        gres=tuple(dict.fromkeys(known.gres + row.gres)),
        gpus_per_node=max(known.gpus_per_node, row.gpus_per_node),
    )


def _row(fields: Sequence[str]) -> Partition:
    name, marked, available, limit, default_limit, nodes, gres = (field.strip() for field in fields)
    counts = _NODES.fullmatch(nodes)
    if not name or counts is None:
        raise OutputError(f"sinfo printed a row of the wrong form: {' '.join(fields)[:200]!r}")
    _, idle, other, total = (int(count) for count in counts.groups())
    gres = rows.blank(gres)
    return Partition(
        name=name,
        default=marked == name + "*",
        up=available == "up",
        time_limit=_limit(limit),
        default_time=None if default_limit.lower() in {"n/a", "none", ""} else _limit(default_limit),
        nodes=total,
        idle=idle,
        down=other,
        gres=(gres,) if gres else (),
        gpus_per_node=_gpus(gres),
    )


def _limit(text: str) -> int | None:
    try:
        return units.parse_time(text)
    except ValueError as error:
        raise OutputError(f"sinfo printed a wrong time limit: {text[:200]!r}") from error


def _gpus(gres: str) -> int:
    """Return the GPUs of one node: of several kinds the sum; one without a number is one."""
    matches = (_GPU.fullmatch(entry) for entry in _GRES.findall(gres))
    return sum(int(match.group(1) or 1) for match in matches if match is not None)
