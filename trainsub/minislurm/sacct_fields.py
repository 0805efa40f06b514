"""The fields of sacct: their names, widths, and what each tells of a row. Pure, but for the names of users."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from trainsub.minislurm import amounts, patterns, users, view
from trainsub.minislurm.accounts import Row
from trainsub.minislurm.amounts import Amounts
from trainsub.minislurm.conf import Conf
from trainsub.minislurm.table import memory, moment
from trainsub.slurm.units import format_time

USUAL = "jobid,jobname,partition,account,alloccpus,state,exitcode"
BRIEF = "jobid,state,exitcode"
LONG = (
    "jobid,jobidraw,jobname,partition,maxvmsize,maxvmsizenode,maxvmsizetask,avevmsize,maxrss,maxrssnode,maxrsstask,averss,"
    "maxpages,maxpagesnode,maxpagestask,avepages,mincpu,mincpunode,mincputask,avecpu,ntasks,alloccpus,elapsed,state,"
    "exitcode,avecpufreq,reqcpufreqmin,reqcpufreqmax,reqcpufreqgov,reqmem,consumedenergy,maxdiskread,maxdiskreadnode,"
    "maxdiskreadtask,avediskread,maxdiskwrite,maxdiskwritenode,maxdiskwritetask,avediskwrite,reqtres,alloctres,"
    "tresusageinave,tresusageinmax,tresusageinmaxnode,tresusageinmaxtask,tresusageinmin,tresusageinminnode,"
    "tresusageinmintask,tresusageintot,tresusageoutmax,tresusageoutmaxnode,tresusageoutmaxtask,tresusageoutave,"
    "tresusageouttot"
)

_CORE = 128
"""Codes from here on lose so much in sacct, up to Slurm 25.05."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a field needs to know beside the row.

    Attributes:
        conf: The cluster.
        now: The moment.
        convert: Write memory in the largest unit.
    """

    conf: Conf
    now: int
    convert: bool = True


Tell = Callable[[Row, Context], str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: As the header has it.
        width: Characters in a table; below 0 the text stands at the left.
        tell: What it tells.
    """

    name: str
    width: int
    tell: Tell


def find(text: str) -> Field | None:
    """Return the field whose name begins so, the first one by name, or None."""
    return next((field for name, field in FIELDS.items() if name.startswith(text.lower())), None)


def job_id(row: Row) -> str:
    """Return ``12``, ``12_3``, ``12_[4-7%2]`` or ``12.batch``."""
    array = row.record.array
    if array is None:
        text = str(row.record.job_id)
    elif array.task is not None:
        text = f"{array.job_id}_{array.task}"
    elif row.tasks != (array.pending or array.cancelled):
        text = f"{array.job_id}_{view.indices(row.tasks)}"
    else:
        text = f"{array.job_id}_[{view.indices(row.tasks, array.limit)}]"
    return text if row.step is None else f"{text}.{row.step.name}"


def _state(row: Row, _: Context) -> str:
    state, by = row.record.state, row.record.stop_by
    if row.step is not None:
        state, by = row.step.state, row.step.stop_by
    return f"CANCELLED by {by}" if state == "CANCELLED" and by is not None else state


def _code(pair: tuple[int, int]) -> str:
    code, signal = pair
    return f"{code - _CORE if code >= _CORE else code}:{signal}"


def _held(row: Row, context: Context) -> Amounts | None:
    shares = row.record.shares if row.step is None else row.step.shares
    return amounts.held(shares, row.record.request, context.conf) if shares else None


def _alloc_tres(row: Row, context: Context) -> str:
    held = _held(row, context)
    return held.by_name(billing=row.step is None, convert=context.convert) if held is not None else ""


def _wanted(row: Row, context: Context) -> Amounts:
    return amounts.wanted(row.record.request, context.conf)


def _alloc_cpus(row: Row, context: Context) -> str:
    held = _held(row, context)
    return str(held.cpus if held is not None else 0)


def _req_cpus(row: Row, context: Context) -> str:
    return str(_wanted(row, context).cpus) if row.step is None else _alloc_cpus(row, context)


def _alloc_nodes(row: Row, context: Context) -> str:
    held = _held(row, context)
    return str(held.nodes if held is not None else 0)


def _nodes(row: Row, context: Context) -> str:
    return _alloc_nodes(row, context) if _held(row, context) is not None else str(row.record.request.nodes)


def _nodelist(row: Row, _: Context) -> str:
    shares = row.record.shares if row.step is None else row.step.shares
    return view.nodelist(shares) or "None assigned"


def _submit(row: Row, _: Context) -> str:
    return moment(row.record.submit if row.step is None else row.step.start)


def _eligible(row: Row, _: Context) -> str:
    return moment(row.record.eligible if row.step is None else row.step.start, "Unknown")


def _start(row: Row, _: Context) -> str:
    return moment(row.started, "Unknown" if row.ended is None else "None")


def _elapsed_raw(row: Row, context: Context) -> str:
    return str(row.elapsed(context.now))


def _elapsed(row: Row, context: Context) -> str:
    return format_time(row.elapsed(context.now))


def _cpu_seconds(row: Row, context: Context) -> int:
    held = _held(row, context)
    return row.elapsed(context.now) * held.cpus if held is not None else 0


def _planned(row: Row, context: Context) -> str:
    since = row.record.eligible
    ends = (row.started, row.record.end, context.now)
    until = next(one for one in ends if one is not None)
    return format_time(max(0, until - since) if since is not None else 0)


def _limit_minutes(row: Row, _: Context) -> str:
    limit = row.record.request.time_limit
    return "UNLIMITED" if limit is None else str(limit // 60)


def _path(row: Row, pattern: str) -> str:
    return str(Path(row.record.request.chdir) / pattern) if pattern else ""


def _stdout(row: Row, _: Context) -> str:
    return _path(row, row.record.request.output or patterns.default(row.record))


def _of_job(tell: Tell) -> Tell:
    return lambda row, context: "" if row.step is not None else tell(row, context)


def _of_step(tell: Tell) -> Tell:
    return lambda row, context: "" if row.step is None else tell(row, context)


def _raw_id(row: Row, _: Context) -> str:
    return str(row.record.job_id) + (f".{row.step.name}" if row.step is not None else "")


_ZERO = format_time(0)
_TELLS: Mapping[str, Tell] = {
    "Account": lambda row, _: row.record.request.account,
    "AllocCPUS": _alloc_cpus,
    "AllocNodes": _alloc_nodes,
    "AllocTRES": _alloc_tres,
    "Cluster": lambda _, context: context.conf.cluster_name,
    "CPUTime": lambda row, context: format_time(_cpu_seconds(row, context)),
    "CPUTimeRAW": lambda row, context: str(_cpu_seconds(row, context)),
    "DBIndex": lambda row, _: str(row.record.job_id),
    "DerivedExitCode": _of_job(lambda row, _: _code(row.derived)),
    "Elapsed": _elapsed,
    "ElapsedRaw": _elapsed_raw,
    "Eligible": _eligible,
    "End": lambda row, _: moment(row.ended, "Unknown"),
    "ExitCode": lambda row, _: _code(row.exit_code),
    "GID": _of_job(lambda row, _: str(users.group(row.record.uid))),
    "Group": _of_job(lambda row, _: view.group(row.record.uid)),
    "JobID": lambda row, _: job_id(row),
    "JobIDRaw": _raw_id,
    "JobName": lambda row, _: row.record.request.name if row.step is None else row.step.command,
    "NCPUS": _alloc_cpus,
    "NNodes": _nodes,
    "NodeList": _nodelist,
    "NTasks": _of_step(lambda row, _: str(row.step.ntasks if row.step is not None else "")),
    "Partition": _of_job(lambda row, _: row.record.request.partition),
    "Planned": _of_job(_planned),
    "Priority": _of_job(lambda *_: "1"),
    "QOS": _of_job(lambda row, _: row.record.request.qos),
    "Reason": _of_job(lambda *_: "None"),
    "ReqCPUS": _req_cpus,
    "ReqMem": _of_job(lambda row, one: memory(_wanted(row, one).memory, convert=one.convert)),
    "ReqNodes": lambda row, context: str(row.record.request.nodes) if row.step is None else _alloc_nodes(row, context),
    "ReqTRES": _of_job(lambda row, context: _wanted(row, context).by_name(convert=context.convert)),
    "Restarts": _of_job(lambda row, _: str(row.record.restarts)),
    "Start": _start,
    "State": _state,
    "StdErr": _of_job(lambda row, _: _path(row, row.record.request.error or "")),
    "StdIn": _of_job(lambda row, _: _path(row, row.record.request.input or os.devnull)),
    "StdOut": _of_job(_stdout),
    "Submit": _submit,
    "SubmitLine": _of_job(lambda row, _: row.record.request.submit_line),
    "Suspended": lambda *_: _ZERO,
    "SystemCPU": lambda *_: _ZERO,
    "Timelimit": _of_job(lambda row, _: format_time(row.record.request.time_limit)),
    "TimelimitRaw": _of_job(_limit_minutes),
    "TotalCPU": lambda *_: _ZERO,
    "UID": _of_job(lambda row, _: str(row.record.uid)),
    "User": _of_job(lambda row, _: users.name(row.record.uid)),
    "UserCPU": lambda *_: _ZERO,
    "WCKey": _of_job(lambda row, _: row.record.request.wckey),
    "WorkDir": _of_job(lambda row, _: row.record.request.chdir),
}

# All that 24.11 knows; what is not told stays empty.
_NAMES = """
Account AdminComment AllocCPUS AllocNodes AllocTRES AssocID AveCPU AveCPUFreq:10 AveDiskRead:14 AveDiskWrite:14
AvePages AveRSS AveVMSize BlockID:16 Cluster Comment:14 Constraints:19 ConsumedEnergy:14 ConsumedEnergyRaw:17
Container:19 CPUTime CPUTimeRAW DBIndex DerivedExitCode:15 Elapsed ElapsedRaw Eligible:19 End:19 ExitCode:8 Extra:14
FailedNode:19 Flags:19 GID:6 Group:9 JobID:-12 JobIDRaw:-12 JobName Layout:9 Licenses:19 MaxDiskRead:12
MaxDiskReadNode:15 MaxDiskReadTask:15 MaxDiskWrite:12 MaxDiskWriteNode:16 MaxDiskWriteTask:16 MaxPages:8
MaxPagesNode:12 MaxPagesTask:14 MaxRSS MaxRSSNode MaxRSSTask MaxVMSize MaxVMSizeNode:14 MaxVMSizeTask:14 McsLabel
MinCPU MinCPUNode MinCPUTask NCPUS NNodes:8 NodeList:15 NTasks:8 Partition Planned PlannedCPU PlannedCPURAW:13
Priority QOS QOSRAW QOSREQ Reason:22 ReqCPUFreq ReqCPUFreqGov:13 ReqCPUFreqMax:13 ReqCPUFreqMin:13 ReqCPUS:8 ReqMem
ReqNodes:8 ReqTRES Reservation:20 ReservationId:20 Restarts:8 SLUID:19 Start:19 State StdErr:20 StdIn:20 StdOut:20
Submit:19 SubmitLine:20 Suspended SystemComment:14 SystemCPU Timelimit TimelimitRaw TotalCPU TRESUsageInAve:14
TRESUsageInMax:14 TRESUsageInMaxNode:18 TRESUsageInMaxTask:18 TRESUsageInMin:14 TRESUsageInMinNode:18
TRESUsageInMinTask:18 TRESUsageInTot:14 TRESUsageOutAve:15 TRESUsageOutMax:15 TRESUsageOutMaxNode:19
TRESUsageOutMaxTask:19 TRESUsageOutMin:15 TRESUsageOutMinNode:19 TRESUsageOutMinTask:19 TRESUsageOutTot:15 UID:6
User:9 UserCPU WCKey WCKeyID WorkDir:20
"""
FIELDS: Mapping[str, Field] = {
    name.lower(): Field(name, int(width or 10), _TELLS.get(name, lambda *_: ""))
    for name, _, width in (entry.partition(":") for entry in _NAMES.split())
}
"""By name in small letters, in the order in which a shortened name is looked up."""
