"""The variables that Slurm sets for a batch script and for the tasks of a step. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainsub.minislurm import layout
from trainsub.minislurm.conf import Conf
from trainsub.minislurm.values import Job, Share
from trainsub.slurm import hostlist

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Who:
    """The user.

    Attributes:
        name: Login name.
        uid: Number.
        gid: Number of the group.
    """

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of a step.

    Attributes:
        step: Its number.
        shares: What it holds.
        nodes: Node of each task, as an index into the shares.
        pid: Of srun.
        distribution: How they were dealt out.
        per_node: ``--ntasks-per-node``, where given.
        cpus_per_task: Where given.
        gpus_per_task: Each task sees its own ones only; 0 where not given.
    """

    step: int
    shares: tuple[Share, ...]
    nodes: tuple[int, ...]
    pid: int
    distribution: str
    per_node: int | None = None
    cpus_per_task: int | None = None
    gpus_per_task: int = 0

    def counts(self) -> tuple[int, ...]:
        """Return how many tasks each node has."""
        return tuple(self.nodes.count(index) for index in range(len(self.shares)))


def batch(job: Job, conf: Conf, who: Who) -> dict[str, str]:
    """Return the variables of a batch script, to be put over those that it was submitted with.

    Args:
        job: The job, running.
        conf: The cluster.
        who: Whose it is.
    """
    request = job.request
    first = job.shares[0]
    found = {
        **_of_job(job, conf, who),
        **_of_array(job),
        **_of_place(first.node, node=0, local=0, rank=0),
        **_gpus(first.gpus),
        "ENVIRONMENT": "BATCH",
        "SLURM_CPUS_ON_NODE": str(first.cpus),
        "SLURM_GTIDS": "0",
        "SLURM_NNODES": str(len(job.shares)),
        "SLURM_NODELIST": _names(job.shares),
        "SLURM_OOM_KILL_STEP": "0",
        "SLURM_TASKS_PER_NODE": layout.shortened(task_counts(job)),
    }
    if first.gpus:
        found["SLURM_GPUS_ON_NODE"] = str(len(first.gpus))
        found["SLURM_JOB_GPUS"] = _numbers(first.gpus)
    if request.ntasks_given:
        found["SLURM_NTASKS"] = found["SLURM_NPROCS"] = str(sum(task_counts(job)))
    if request.ntasks_per_node is not None:
        found["SLURM_NTASKS_PER_NODE"] = str(request.ntasks_per_node)
    if request.cpus_per_task is not None:
        found["SLURM_CPUS_PER_TASK"] = str(request.cpus_per_task)
        found["SLURM_TRES_PER_TASK"] = f"cpu={request.cpus_per_task}"
    if request.export is not None:
        found["SLURM_EXPORT_ENV"] = request.export
    if request.distribution:
        found["SLURM_DISTRIBUTION"] = request.distribution
    return found


def task_counts(job: Job) -> tuple[int, ...]:
    """Return how many tasks a running job has on each of its nodes."""
    request = job.request
    capacities = tuple(share.cpus // (request.cpus_per_task or 1) for share in job.shares)
    if not request.ntasks_given:
        return capacities
    if request.ntasks_per_node is not None and request.ntasks <= request.ntasks_per_node * len(capacities):
        capacities = tuple(min(one, request.ntasks_per_node) for one in capacities)
    return layout.dealt(request.ntasks, capacities)


def task(job: Job, tasks: Tasks, rank: int, outer: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a task, to be put over those of srun.

    Args:
        job: The job.
        tasks: The step's tasks.
        rank: Which one.
        outer: Variables of srun.
    """
    node = tasks.nodes[rank]
    share = tasks.shares[node]
    mine = [number for number, one in enumerate(tasks.nodes) if one == node]
    local = mine.index(rank)
    gpus = share.gpus
    if tasks.gpus_per_task:
        gpus = gpus[local * tasks.gpus_per_task : (local + 1) * tasks.gpus_per_task]
    names, counts = _names(tasks.shares), layout.shortened(tasks.counts())
    found = {
        **_of_place(share.node, node=node, local=local, rank=rank),
        **_gpus(gpus),
        "SLURMD_DEBUG": "2",
        "SLURM_CPUS_ON_NODE": str(share.cpus),
        "SLURM_DISTRIBUTION": tasks.distribution,
        "SLURM_GTIDS": _numbers(mine),
        "SLURM_JOBID": str(job.job_id),
        "SLURM_JOB_ID": str(job.job_id),
        "SLURM_LAUNCH_NODE_IPADDR": LOOPBACK,
        "SLURM_NNODES": str(len(tasks.shares)),
        "SLURM_NPROCS": str(len(tasks.nodes)),
        "SLURM_NTASKS": str(len(tasks.nodes)),
        "SLURM_SRUN_COMM_HOST": LOOPBACK,
        "SLURM_SRUN_COMM_PORT": str(tasks.pid),
        "SLURM_STEPID": str(tasks.step),
        "SLURM_STEP_ID": str(tasks.step),
        "SLURM_STEP_LAUNCHER_PORT": str(tasks.pid),
        "SLURM_STEP_NODELIST": names,
        "SLURM_STEP_NUM_NODES": str(len(tasks.shares)),
        "SLURM_STEP_NUM_TASKS": str(len(tasks.nodes)),
        "SLURM_STEP_TASKS_PER_NODE": counts,
        "SLURM_TASKS_PER_NODE": counts,
        "SRUN_DEBUG": outer.get("SLURM_DEBUG", "3"),
    }
    if gpus:
        found["SLURM_STEP_GPUS"] = _numbers(share.gpus)
        found["SLURM_GPUS_ON_NODE"] = str(len(share.gpus))
    if tasks.per_node is not None:
        found["SLURM_NTASKS_PER_NODE"] = str(tasks.per_node)
    if tasks.cpus_per_task is not None:
        found["SLURM_CPUS_PER_TASK"] = str(tasks.cpus_per_task)
    return found


GPU_NAMES = ("CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES")
"""What tells programs which GPUs are theirs; a step without any has none of them."""
NOT_INHERITED = (*GPU_NAMES, "SLURM_GPUS_ON_NODE", "SLURM_JOB_GPUS")
"""What a job does not take over from the job that submitted it; all else it does."""


def _of_job(job: Job, conf: Conf, who: Who) -> dict[str, str]:
    request = job.request
    found = {
        "SLURM_CLUSTER_NAME": conf.cluster_name,
        "SLURM_JOBID": str(job.job_id),
        "SLURM_JOB_ACCOUNT": request.account,
        "SLURM_JOB_CPUS_PER_NODE": layout.shortened([share.cpus for share in job.shares]),
        "SLURM_JOB_GID": str(who.gid),
        "SLURM_JOB_ID": str(job.job_id),
        "SLURM_JOB_NAME": request.name,
        "SLURM_JOB_NODELIST": _names(job.shares),
        "SLURM_JOB_NUM_NODES": str(len(job.shares)),
        "SLURM_JOB_PARTITION": request.partition,
        "SLURM_JOB_QOS": request.qos,
        "SLURM_JOB_START_TIME": str(job.start),
        "SLURM_JOB_UID": str(who.uid),
        "SLURM_JOB_USER": who.name,
    }
    if job.start is not None and request.time_limit is not None:
        found["SLURM_JOB_END_TIME"] = str(job.start + request.time_limit)
    if request.memory is None:
        found["SLURM_MEM_PER_CPU"] = str(conf.def_mem_per_cpu)
    elif request.memory and request.memory_unit == "node":
        found["SLURM_MEM_PER_NODE"] = str(request.memory)
    if job.restarts:
        found["SLURM_RESTART_COUNT"] = str(job.restarts)
    if request.comment:
        found["SLURM_JOB_COMMENT"] = request.comment
    return found


def _of_array(job: Job) -> dict[str, str]:
    array = job.array
    if array is None:
        return {}
    return {
        "SLURM_ARRAY_JOB_ID": str(array.job_id),
        "SLURM_ARRAY_TASK_COUNT": str(array.count),
        "SLURM_ARRAY_TASK_ID": str(array.task),
        "SLURM_ARRAY_TASK_MAX": str(array.most),
        "SLURM_ARRAY_TASK_MIN": str(array.least),
        "SLURM_ARRAY_TASK_STEP": str(array.step),
    }


def _of_place(name: str, *, node: int, local: int, rank: int) -> dict[str, str]:
    return {
        "SLURMD_NODENAME": name,
        "SLURM_LOCALID": str(local),
        "SLURM_NODEID": str(node),
        "SLURM_PROCID": str(rank),
        "SLURM_TOPOLOGY_ADDR": name,
        "SLURM_TOPOLOGY_ADDR_PATTERN": "node",
    }


def _gpus(gpus: Sequence[int]) -> dict[str, str]:
    return dict.fromkeys(GPU_NAMES, _numbers(gpus)) if gpus else {}


def _names(shares: Sequence[Share]) -> str:
    return hostlist.compress(share.node for share in shares)


def _numbers(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))
