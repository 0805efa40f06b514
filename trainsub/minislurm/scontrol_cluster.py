"""``scontrol show node``, ``show partition`` and ``show config``: what is told of the cluster. Pure."""

import os
from pathlib import Path

from trainsub.minislurm import nodes
from trainsub.minislurm.amounts import Amounts
from trainsub.minislurm.conf import Conf, Partition
from trainsub.minislurm.nodes import NodeNow
from trainsub.minislurm.table import moment
from trainsub.minislurm.version import RELEASE
from trainsub.slurm.hostlist import compress
from trainsub.slurm.units import format_time

_NULL = "(null)"
_CPUS = "MaxCPUsPerNode=UNLIMITED MaxCPUsPerSocket=UNLIMITED"
_SETTINGS: tuple[tuple[str, object], ...] = (
    ("AccountingStorageEnforce", "none"),
    ("AccountingStorageType", "accounting_storage/slurmdbd"),
    ("AccountingStoreFlags", _NULL),
    ("AuthType", "auth/none"),
    ("CompleteWait", "0 sec"),
    ("EnforcePartLimits", "ALL"),
    ("Epilog", _NULL),
    ("GresTypes", "gpu"),
    ("InactiveLimit", "0 sec"),
    ("JobAcctGatherType", _NULL),
    ("JobFileAppend", 0),
    ("JobRequeue", 1),
    ("JobSubmitPlugins", _NULL),
    ("KillOnBadExit", 0),
    ("LaunchParameters", _NULL),
    ("MaxBatchRequeue", 5),
    ("MaxJobCount", 10000),
    ("MaxStepCount", 40000),
    ("MaxTasksPerNode", 512),
    ("MessageTimeout", "10 sec"),
    ("MpiDefault", _NULL),
    ("OverTimeLimit", "0 min"),
    ("PreemptMode", "OFF"),
    ("PreemptType", "preempt/none"),
    ("PriorityType", "priority/basic"),
    ("PrivateData", "none"),
    ("ProctrackType", "proctrack/linuxproc"),
    ("Prolog", _NULL),
    ("PropagateResourceLimits", "ALL"),
    ("RequeueExit", _NULL),
    ("RequeueExitHold", _NULL),
    ("ReturnToService", 2),
    ("SchedulerType", "sched/builtin"),
    ("SelectType", "select/cons_tres"),
    ("SelectTypeParameters", "CR_CORE"),
    ("SwitchType", _NULL),
    ("TaskPlugin", _NULL),
    ("TmpFS", "/tmp"),  # noqa: S108 - what the setting says, not where anything is written
    ("TopologyPlugin", "topology/default"),
    ("TrackWCKey", "no"),
    ("UnkillableStepTimeout", "60 sec"),
    ("WaitTime", "0 sec"),
)
"""What no setting of minislurm changes."""


def node(now: NodeNow, conf: Conf, *, load: float) -> list[str]:
    """Return the lines of a node."""
    one, system = now.node, os.uname()
    has = nodes.configured(conf, one).in_order().replace("node=1,", "")
    return [
        f"NodeName={one.name} Arch={system.machine} CoresPerSocket=1 ",
        f"CPUAlloc={now.held.cpus} CPUEfctv={one.cpus} CPUTot={one.cpus} CPULoad={load:.2f}",
        "AvailableFeatures=(null)",
        "ActiveFeatures=(null)",
        f"Gres={nodes.gres(conf, one)}",
        f"NodeAddr={one.name} NodeHostName={one.name} Version={RELEASE}",
        f"OS={system.sysname} {system.release} ",
        f"RealMemory={one.memory} AllocMem={now.memory} FreeMem={one.memory - now.memory} Sockets={one.cpus} Boards=1",
        f"State={now.state} ThreadsPerCore=1 TmpDisk=0 Weight=1 Owner=N/A MCS_label=N/A",
        f"Partitions={','.join(part.name for part in conf.partitions)} ",
        "BootTime=None SlurmdStartTime=None",
        "LastBusyTime=Unknown ResumeAfterTime=None",
        f"CfgTRES={has}",
        f"AllocTRES={now.held.of_node()}",
        "CurrentWatts=0 AveWatts=0",
    ]


def partition(one: Partition, conf: Conf) -> list[str]:
    """Return the lines of a partition."""
    cpus = sum(node.cpus for node in conf.nodes)
    everything = Amounts(
        cpus,
        sum(node.memory for node in conf.nodes),
        len(conf.nodes),
        sum(len(node.gpus) for node in conf.nodes),
        conf.gpu_type,
    )
    default = "NONE" if one.default_time is None else format_time(one.default_time)
    most_nodes = "UNLIMITED" if one.max_nodes is None else one.max_nodes
    return [
        f"PartitionName={one.name}",
        "AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL",
        f"AllocNodes=ALL Default={'YES' if one.default else 'NO'} QoS=N/A",
        f"DefaultTime={default} DisableRootJobs=NO ExclusiveUser=NO ExclusiveTopo=NO GraceTime=0 Hidden=NO",
        f"MaxNodes={most_nodes} MaxTime={format_time(one.max_time)} MinNodes=0 LLN=NO {_CPUS}",
        "NodeSets=ALL",
        f"Nodes={compress(node.name for node in conf.nodes)}",
        "PriorityJobFactor=1 PriorityTier=1 RootOnly=NO ReqResv=NO OverSubscribe=NO",
        "OverTimeLimit=NONE PreemptMode=OFF",
        f"State=UP TotalCPUs={cpus} TotalNodes={len(conf.nodes)} SelectTypeParameters=NONE",
        "JobDefaults=(null)",
        "DefMemPerNode=UNLIMITED MaxMemPerNode=UNLIMITED",
        f"TRES={everything.in_order()}",
    ]


def config(conf: Conf, home: Path, now: int) -> str:
    """Return what ``show config`` prints: the settings that say something here."""
    kind = [f"gres/gpu:{conf.gpu_type}"] if conf.gpu_type else []
    gpus = ["gres/gpu", *kind, "gres/gpumem", "gres/gpuutil"]
    own: tuple[tuple[str, object], ...] = (
        ("AccountingStorageHost", os.uname().nodename),
        ("AccountingStorageTRES", ",".join(("cpu,mem,energy,node,billing,fs/disk,vmem,pages", *gpus))),
        ("ClusterName", conf.cluster_name),
        ("DefMemPerCPU", conf.def_mem_per_cpu),
        ("FirstJobId", conf.first_job_id),
        ("KillWait", f"{conf.kill_wait:g} sec"),
        ("MaxArraySize", conf.max_array_size),
        ("MaxNodeCount", len(conf.nodes)),
        ("MinJobAge", f"{conf.min_job_age} sec"),
        ("SchedulerParameters", f"requeue_delay={conf.requeue_delay}"),
        ("SlurmctldHost[0]", os.uname().nodename),
        ("SLURM_CONF", home / "minislurm.toml"),
        ("SLURM_VERSION", f"{RELEASE}-minislurm"),
        ("StateSaveLocation", home),
    )
    settings = sorted([*own, *_SETTINGS], key=lambda pair: pair[0].lower())
    lines = [f"Configuration data as of {moment(now)}", *(f"{name:<23} = {value}" for name, value in settings)]
    return "\n".join([*lines, "", f"Slurmctld(primary) at {os.uname().nodename} is UP", ""])
