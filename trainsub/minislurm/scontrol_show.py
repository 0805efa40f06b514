"""``scontrol show job`` and ``show step``: what is told of jobs and steps. Pure, but for the names of users."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from trainsub.minislurm import amounts, patterns, users, view
from trainsub.minislurm.amounts import Amounts
from trainsub.minislurm.conf import Conf
from trainsub.minislurm.steps import Step
from trainsub.minislurm.table import memory, moment
from trainsub.minislurm.values import Array, Job, Share
from trainsub.minislurm.view import View
from trainsub.slurm.hostlist import compress
from trainsub.slurm.units import format_time

_NULL = "(null)"


def job(one: View, *, details: bool = False) -> list[str]:
    """Return the lines of a job."""
    told, ask = one.job, one.job.request
    code = f"{told.exit_code}:{told.exit_signal}"
    lines = [
        _names(one),
        _owner(one),
        f"Priority={one.priority} Nice={ask.nice} Account={ask.account} QOS={ask.qos}",
        f"JobState={told.state} Reason={one.reason.replace(' ', '_')} Dependency={one.dependency or _NULL}",
        f"Requeue={int(ask.requeue)} Restarts={told.restarts} BatchFlag=1 Reboot=0 ExitCode={code}",
        *(["DerivedExitCode=0:0"] if details else []),
        *_times(one),
        *_place(one),
        *_size(one),
        *(_details(one) if details else []),
        *_rest(one),
        *_files(one),
    ]
    return lines + _last(one)


def _last(one: View) -> list[str]:
    ask = one.job.request
    told = {
        "TresPerNode": ask.gpu_option,
        "TresPerTask": f"cpu={ask.cpus_per_task}" if ask.cpus_per_task else "",
        **dict(ask.told),
    }
    names = ("CpusPerTres", "MemPerTres", "TresPerJob", "TresPerNode", "TresPerTask", "MailType")
    return [f"{name}={told[name]}" for name in names if told.get(name)]


def _names(one: View) -> str:
    array = one.job.array
    parts = [f"JobId={one.job.job_id}"]
    if array is not None:
        parts.append(f"ArrayJobId={array.job_id} ArrayTaskId={one.task_text}")
        parts += [f"ArrayTaskThrottle={array.limit}"] if array.limit else []
    return " ".join([*parts, f"JobName={one.job.request.name}"])


def _owner(one: View) -> str:
    uid = one.job.uid
    return f"UserId={users.name(uid)}({uid}) GroupId={view.group(uid)}({users.group(uid)}) MCS_label=N/A"


def _times(one: View) -> list[str]:
    eligible = one.eligible
    accrues = None if eligible is not None and eligible > one.now else eligible
    start, end, deadline = moment(one.start, "Unknown"), moment(one.end, "Unknown"), moment(one.job.request.deadline)
    least = dict(one.job.request.told).get("TimeMin", "N/A")
    return [
        f"RunTime={format_time(one.used)} TimeLimit={format_time(one.job.request.time_limit)} TimeMin={least}",
        f"SubmitTime={moment(one.job.submit)} EligibleTime={moment(eligible, 'Unknown')}",
        f"AccrueTime={moment(accrues, 'Unknown')}",
        *([f"ResizeTime={moment(one.job.resized)}"] if one.job.resized is not None else []),
        f"StartTime={start} EndTime={end} Deadline={deadline}",
        f"SuspendTime=None SecsPreSuspend=0 LastSchedEval={moment(one.job.start or one.job.submit)} Scheduler=Main",
    ]


def _place(one: View) -> list[str]:
    ask = one.job.request
    return [
        f"Partition={ask.partition} AllocNode:Sid={os.uname().nodename}:0",
        f"ReqNodeList={compress(ask.nodelist) or _NULL} ExcNodeList={compress(ask.exclude) or _NULL}",
        f"NodeList={one.nodelist}",
        *([f"BatchHost={one.job.shares[0].node}"] if one.job.shares else []),
    ]


def _size(one: View) -> list[str]:
    ask, held = one.job.request, one.held
    ranged = one.pending and ask.most_nodes is not None and (one.nodes > 1 or one.job.held)
    count = f"{one.nodes}-{max(one.nodes, ask.most_nodes or 0)}" if ranged else str(one.nodes)
    tasks = f"NumTasks={amounts.tasks(ask)} CPUs/Task={ask.cpus_per_task or 1}"
    return [
        f"NumNodes={count} NumCPUs={(held or one.wanted).cpus} {tasks} ReqB:S:C:T=0:0:*:*",
        f"ReqTRES={one.wanted.in_order()}",
        f"AllocTRES={held.in_order() if held is not None else _NULL}",
        f"Socks/Node=* NtasksPerN:B:S:C={ask.ntasks_per_node or 0}:0:*:* CoreSpec=*",
    ]


def _details(one: View) -> list[str]:
    held = one.held
    kind = f"{held.kind}:" if held is not None and held.kind else ""
    lines = [f"JOB_GRES=gpu:{kind}{held.gpus}"] if held is not None and held.gpus else []
    for share in one.job.shares:
        part = amounts.held((share,), one.job.request, one.conf)
        gres = f"gpu:{kind}{part.gpus}(IDX:{view.indices(share.gpus)})" if share.gpus else ""
        lines.append(f"  Nodes={share.node} CPU_IDs=0-{share.cpus - 1} Mem={part.memory} GRES={gres}")
    return lines


def _rest(one: View) -> list[str]:
    ask = one.job.request
    asked = "MinMemoryCPU=" + memory(one.conf.def_mem_per_cpu)
    told = dict(ask.told)
    if "MinMemoryCPU" in told:
        asked = f"MinMemoryCPU={told['MinMemoryCPU']}"
    elif ask.memory is not None:
        asked = "MinMemoryNode=" + (memory(ask.memory) if ask.memory else "0")
    shared = f"OverSubscribe={'NO' if ask.exclusive else 'OK'} Contiguous={told.get('Contiguous', '0')}"
    return [
        f"MinCPUsNode={one.min_cpus} {asked} MinTmpDiskNode=0",
        "Features=(null) DelayBoot=00:00:00",
        f"{shared} Licenses=(null) Network={told.get('Network', _NULL)}",
        f"Command={ask.command or _NULL}",
        f"WorkDir={ask.chdir}",
        *([f"Comment={ask.comment} "] if ask.comment else []),
    ]


def _files(one: View) -> list[str]:
    ask = one.job.request
    told = one.job
    if told.array is not None and told.array.task is None and len(one.tasks) == 1:
        told = replace(told, array=_alone(told.array, one.tasks[0]))
    values = patterns.of_job(told, users.name(told.uid))

    def path(pattern: str) -> str:
        return str(Path(ask.chdir) / patterns.fill(pattern, values))

    output = path(ask.output or patterns.default(told))
    return [
        f"StdErr={path(ask.error) if ask.error else output}",
        f"StdIn={path(ask.input or os.devnull)}",
        f"StdOut={output}",
    ]


def _alone(array: Array, task: int) -> Array:
    return replace(array, task=task, pending=())


def step(owner: Job, one: Step, conf: Conf) -> list[str]:
    """Return the lines of a step that runs."""
    held = amounts.held(one.shares, owner.request, conf)
    batch = one.name == "batch"
    nodes, cpus = len(one.shares), 0 if batch else held.cpus
    lines = [
        f"StepId={owner.job_id}.{one.name} UserId={owner.uid} StartTime={moment(one.start)} TimeLimit=UNLIMITED",
        f"State={one.state} Partition={owner.request.partition} NodeList={view.nodelist(one.shares)}",
        f"Nodes={nodes} CPUs={cpus} Tasks={one.ntasks} Name={one.command} Network=(null)",
        f"TRES={_NULL if batch else held.by_name(billing=False)}",
        "ResvPorts=(null)",
        "CPUFreqReq=Default",
        f"SrunHost:Pid={_srun(owner.shares, one)}",
    ]
    return lines + (_per_step(held, nodes) if not batch else [])


def _per_step(held: Amounts, nodes: int) -> list[str]:
    gpus = [f"TresPerNode=gres/gpu:{held.gpus // max(1, nodes)}"] if held.gpus else []
    return [f"TresPerStep=cpu:{held.cpus}", *gpus]


def _srun(shares: Sequence[Share], one: Step) -> str:
    if one.name == "batch" or one.process is None or not shares:
        return f"{_NULL}:0"
    return f"{shares[0].node}:{one.process.pid}"


def text(lines: Iterable[str], *, one_line: bool, last: str = "   \n") -> str:
    """Return an entity as scontrol prints it.

    Args:
        lines: Its lines.
        one_line: All in one line.
        last: What Slurm leaves at the end of the entity.
    """
    if one_line:
        return " ".join(lines) + (" \n" if last else "\n")
    return "\n   ".join(lines) + f"\n{last}\n"
