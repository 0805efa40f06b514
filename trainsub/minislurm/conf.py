"""What the pretended cluster has: ``minislurm.toml`` in its home, written by ``setup``.

The words are those of slurm.conf, in small letters and with underscores.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "minislurm.toml"
DAY = 86400


class ConfError(Exception):
    """The file is missing or wrong; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Node:
    """A virtual node: processes on this machine.

    Attributes:
        name: An address of the loopback network, so that it resolves on every machine without configuration.
        cpus: CPUs that it claims to have.
        memory: MiB that it claims to have.
        gpus: Numbers of the machine's GPUs that belong to it; pretended ones count from 0 on each node.
        first: Whether it can be a job's first node: its address can be listened at.
    """

    name: str
    cpus: int
    memory: int
    gpus: tuple[int, ...]
    first: bool = True


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition; all nodes are in each.

    Attributes:
        name: Its name.
        default: Jobs that name none go there.
        max_time: Seconds; None for no limit.
        default_time: Seconds for jobs that ask for none; None: ``max_time``.
        max_nodes: Most nodes of a job; None for no limit.
    """

    name: str
    default: bool = False
    max_time: int | None = None
    default_time: int | None = None
    max_nodes: int | None = None


@dataclass(frozen=True, slots=True)
class Conf:
    """The cluster.

    Attributes:
        nodes: In the order in which jobs get them.
        partitions: The first default one counts.
        cluster_name: What ``scontrol show config`` calls it.
        gpu_type: ``h100`` in ``gpu:h100:8``; empty for none.
        kill_wait: Seconds from TERM to KILL.
        min_job_age: Seconds that squeue still shows a job after its end.
        requeue_delay: Seconds that a requeued job waits, as ``cred_expire`` + 1 elsewhere.
        max_array_size: No index of an array may reach it.
        first_job_id: No job has a smaller id.
        def_mem_per_cpu: MiB for each CPU of a job that asks for no memory.
    """

    nodes: tuple[Node, ...]
    partitions: tuple[Partition, ...]
    cluster_name: str = "minislurm"
    gpu_type: str = ""
    kill_wait: float = 5
    min_job_age: int = 300
    requeue_delay: int = 1
    max_array_size: int = 1001
    first_job_id: int = 1
    def_mem_per_cpu: int = 4000

    def partition(self, name: str) -> Partition | None:
        """Return the partition of that name."""
        return next((one for one in self.partitions if one.name == name), None)

    @property
    def default_partition(self) -> Partition:
        """Where jobs go that name none."""
        return next((one for one in self.partitions if one.default), self.partitions[0])


def load(home: Path) -> Conf:
    """Read the file.

    Raises:
        ConfError: It is missing or wrong.
    """
    path = home / FILE
    try:
        return parse(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ConfError(f"{path}: missing; any trainsub command on the cluster minislurm makes it anew") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, ValueError, KeyError) as error:
        raise ConfError(f"{path}: {error}; remove it, and the next trainsub command makes it anew") from error


def parse(data: Mapping[str, Any]) -> Conf:
    """Return what the file's tables say.

    Raises:
        TypeError: A key is unknown or missing.
        ValueError: There are no nodes or no partitions.
    """
    rest = dict(data)
    nodes = tuple(Node(**{**one, "gpus": tuple(one["gpus"])}) for one in rest.pop("nodes"))
    partitions = tuple(Partition(**one) for one in rest.pop("partitions"))
    if not nodes or not partitions:
        raise ValueError("there must be nodes and partitions")
    return Conf(nodes=nodes, partitions=partitions, **rest)
