"""The columns of squeue: letters of ``--format``, words of ``--Format``, and what each tells of a job. Pure."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from trainsub.minislurm import amounts, patterns, users, view
from trainsub.minislurm.table import clock, memory, moment
from trainsub.minislurm.view import View
from trainsub.slurm.hostlist import compress

Tell = Callable[[View], str]
Field = tuple[str, Tell]
"""The header and what stands below it."""

LONG = "%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R"
USUAL = "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R"
STARTS = "%.18i %.9P %.8j %.8u %.2t %.19S %.6D %20Y %R"
STEPS = "%.15i %.8j %.9P %.8u %.9M %N"

_ANY = "*"
_NULL = "(null)"
_NONE = "N/A"


def _constant(text: str) -> Tell:
    return lambda _: text


def _min_memory(one: View) -> str:
    asked = one.job.request.memory
    return memory(one.conf.def_mem_per_cpu) if asked is None else memory(asked) if asked else "0"


def _allocated(one: View) -> str:
    return (one.held or one.wanted).in_order()


def _number(value: int | None) -> str:
    return "0" if value is None else str(value)


def _path(one: View, pattern: str) -> str:
    return str(Path(one.job.request.chdir) / pattern)


def _stdout(one: View) -> str:
    return _path(one, one.job.request.output or patterns.default(one.job))


def _stderr(one: View) -> str:
    return _path(one, one.job.request.error) if one.job.request.error else _NULL


def _pending_time(one: View) -> str:
    until = one.now if one.job.start is None else one.job.start
    return str(max(0, until - (one.job.eligible or one.job.submit)))


def _task(one: View) -> int:
    array = one.job.array
    if array is None:
        return -1
    return array.task if array.task is not None else one.tasks[0]


def _deadline(one: View) -> str:
    return moment(one.job.request.deadline)


WORDS: Mapping[str, Field] = {
    "account": ("ACCOUNT", lambda one: one.job.request.account or _NULL),
    "accruetime": ("ACCRUE_TIME", lambda one: moment(one.job.eligible)),
    "admin_comment": ("ADMIN_COMMENT", _constant(_NULL)),
    "allocnodes": ("ALLOC_NODES", lambda _: os.uname().nodename),
    "allocsid": ("ALLOC_SID", _constant("0")),
    "arrayjobid": ("ARRAY_JOB_ID", lambda one: str(one.job.array_job_id)),
    "arraytaskid": ("ARRAY_TASK_ID", lambda one: one.task_text or _NONE),
    "batchflag": ("BATCH_FLAG", _constant("1")),
    "batchhost": ("EXEC_HOST", lambda one: one.job.shares[0].node if one.job.shares else "n/a"),
    "cluster": ("CLUSTER", lambda one: one.conf.cluster_name),
    "command": ("COMMAND", lambda one: one.job.request.command or _NULL),
    "comment": ("COMMENT", lambda one: one.job.request.comment or _NULL),
    "contiguous": ("CONTIGUOUS", _constant("0")),
    "cores": ("CORES_PER_SOCKET", _constant(_ANY)),
    "corespec": ("CORE_SPEC", _constant(_NONE)),
    "cpus-per-task": ("CPUS_PER_TASK", lambda one: str(one.job.request.cpus_per_task or 1)),
    "cpuspertask": ("CPUS_PER_TASK", lambda one: str(one.job.request.cpus_per_task or 1)),
    "deadline": ("DEADLINE", _deadline),
    "delayboot": ("DELAY_BOOT", _constant("0:00")),
    "dependency": ("DEPENDENCY", lambda one: one.dependency or _NULL),
    "eligibletime": ("ELIGIBLE_TIME", lambda one: moment(one.eligible)),
    "endtime": ("END_TIME", lambda one: moment(one.end)),
    "excnodes": ("EXC_NODES", lambda one: compress(one.job.request.exclude)),
    "exit_code": ("EXIT_CODE", lambda one: f"{one.job.exit_code}:{one.job.exit_signal}"),
    "feature": ("FEATURES", _constant(_NULL)),
    "gres": ("TRES_PER_NODE", lambda one: one.job.request.gpu_option or _NONE),
    "groupid": ("GROUP", lambda one: str(users.group(one.job.uid))),
    "groupname": ("GROUP", lambda one: view.group(one.job.uid)),
    "hetjobid": ("HET_JOB_ID", _constant(_NONE)),
    "hetjoboffset": ("HET_JOB_OFFSET", _constant(_NONE)),
    "jobarrayid": ("JOBID", lambda one: one.id_text),
    "jobid": ("JOBID", lambda one: str(one.job.job_id)),
    "licenses": ("LICENSES", _constant(_NULL)),
    "maxcpus": ("MAX_CPUS", lambda one: str(one.wanted.cpus)),
    "maxnodes": ("MAX_NODES", lambda one: str(one.job.request.nodes)),
    "mincpus": ("MIN_CPUS", lambda one: str(one.min_cpus)),
    "minmemory": ("MIN_MEMORY", _min_memory),
    "mintime": ("TIME_MIN", _constant("0:00")),
    "mintmpdisk": ("MIN_TMP_DISK", _constant("0")),
    "name": ("NAME", lambda one: one.job.request.name),
    "nice": ("NICE", lambda one: str(one.job.request.nice)),
    "nodelist": ("NODELIST", lambda one: one.nodelist),
    "ntpernode": ("NTASKS_PER_NODE", lambda one: _number(one.job.request.ntasks_per_node)),
    "numcpus": ("CPUS", lambda one: str((one.held or one.wanted).cpus)),
    "numnodes": ("NODES", lambda one: str(one.nodes)),
    "numtasks": ("TASKS", lambda one: str(amounts.tasks(one.job.request))),
    "oversubscribe": ("OVER_SUBSCRIBE", lambda one: "NO" if one.job.request.exclusive else "OK"),
    "partition": ("PARTITION", lambda one: one.job.request.partition),
    "pendingtime": ("PENDING_TIME", _pending_time),
    "priority": ("PRIORITY", lambda one: "0.00000000023283" if one.priority else "0.00000000000000"),
    "prioritylong": ("PRIORITY", lambda one: str(one.priority)),
    "qos": ("QOS", lambda one: one.job.request.qos),
    "reason": ("REASON", lambda one: one.reason),
    "reasonlist": ("NODELIST(REASON)", lambda one: one.nodes_or_reason),
    "reqnodes": ("REQ_NODES", lambda one: compress(one.job.request.nodelist)),
    "requeue": ("REQUEUE", lambda one: str(int(one.job.request.requeue))),
    "reservation": ("RESERVATION", _constant(_NULL)),
    "resizetime": ("RESIZE_TIME", lambda one: moment(one.job.resized)),
    "restartcnt": ("RESTART_COUNT", lambda one: str(one.job.restarts)),
    "schednodes": ("SCHEDNODES", _constant(_NULL)),
    "sct": ("S:C:T", _constant("*:*:*")),
    "sockets": ("SOCKETS_PER_NODE", _constant(_ANY)),
    "starttime": ("START_TIME", lambda one: moment(one.start)),
    "state": ("STATE", lambda one: one.job.state),
    "statecompact": ("ST", lambda one: view.SHORT.get(one.job.state, one.job.state)),
    "stderr": ("STDERR", _stderr),
    "stdin": ("STDIN", lambda one: _path(one, one.job.request.input or os.devnull)),
    "stdout": ("STDOUT", _stdout),
    "submittime": ("SUBMIT_TIME", lambda one: moment(one.job.submit)),
    "system_comment": ("SYSTEM_COMMENT", _constant(_NULL)),
    "threads": ("THREADS_PER_CORE", _constant(_ANY)),
    "timeleft": ("TIME_LEFT", lambda one: clock(one.left)),
    "timelimit": ("TIME_LIMIT", lambda one: clock(one.job.request.time_limit)),
    "timeused": ("TIME", lambda one: clock(one.used)),
    "tres": ("TRES_ALLOC", _allocated),
    "tres-alloc": ("TRES_ALLOC", _allocated),
    "tres-bind": ("TRES_BIND", _constant(_NONE)),
    "tres-freq": ("TRES_FREQ", _constant(_NONE)),
    "tres-per-job": ("TRES_PER_JOB", _constant(_NONE)),
    "tres-per-node": ("TRES_PER_NODE", lambda one: one.job.request.gpu_option or _NONE),
    "tres-per-socket": ("TRES_PER_SOCKET", _constant(_NONE)),
    "tres-per-task": ("TRES_PER_TASK", lambda one: cpus_per_task(one) or _NONE),
    "userid": ("UID", lambda one: str(one.job.uid)),
    "username": ("USER", lambda one: users.name(one.job.uid)),
    "wckey": ("WCKEY", lambda one: one.job.request.wckey or _NULL),
    "workdir": ("WORK_DIR", lambda one: one.job.request.chdir),
}
"""By the words of ``--Format`` in small letters."""

_SAME = {
    "%a": "account",
    "%A": "jobid",
    "%b": "tres-per-node",
    "%B": "batchhost",
    "%c": "mincpus",
    "%C": "numcpus",
    "%d": "mintmpdisk",
    "%D": "numnodes",
    "%e": "endtime",
    "%E": "dependency",
    "%f": "feature",
    "%F": "arrayjobid",
    "%g": "groupname",
    "%G": "groupid",
    "%h": "oversubscribe",
    "%H": "sockets",
    "%i": "jobarrayid",
    "%I": "cores",
    "%j": "name",
    "%J": "threads",
    "%k": "comment",
    "%K": "arraytaskid",
    "%l": "timelimit",
    "%L": "timeleft",
    "%m": "minmemory",
    "%M": "timeused",
    "%n": "reqnodes",
    "%N": "nodelist",
    "%o": "command",
    "%O": "contiguous",
    "%p": "priority",
    "%P": "partition",
    "%q": "qos",
    "%Q": "prioritylong",
    "%r": "reason",
    "%R": "reasonlist",
    "%S": "starttime",
    "%t": "statecompact",
    "%T": "state",
    "%u": "username",
    "%U": "userid",
    "%v": "reservation",
    "%V": "submittime",
    "%w": "wckey",
    "%W": "licenses",
    "%x": "excnodes",
    "%X": "corespec",
    "%y": "nice",
    "%Y": "schednodes",
    "%z": "sct",
    "%Z": "workdir",
}
LETTERS: Mapping[str, Field] = {letter[1]: WORDS[word] for letter, word in _SAME.items()}
"""By the letters of ``--format``."""

_ORDERED: Mapping[str, Callable[[View], float]] = {
    "A": lambda one: one.job.job_id,
    "C": lambda one: (one.held or one.wanted).cpus,
    "D": lambda one: one.nodes,
    "e": lambda one: one.end or 0,
    "F": lambda one: one.job.array_job_id,
    "i": lambda one: one.job.array_job_id + (_task(one) + 1) / 2**22,
    "K": _task,
    "l": lambda one: view.YEAR if one.job.request.time_limit is None else one.job.request.time_limit,
    "L": lambda one: view.YEAR if one.left is None else one.left,
    "M": lambda one: one.used,
    "p": lambda one: one.priority,
    "Q": lambda one: one.priority,
    "S": lambda one: one.start or 2**40,
    "U": lambda one: one.job.uid,
    "V": lambda one: one.job.submit,
    "y": lambda one: one.job.request.nice,
}


def order(letter: str) -> Callable[[View], str | float] | None:
    """Return what jobs are sorted by under ``--sort``; None where the letter is not known."""
    if letter in _ORDERED:
        return _ORDERED[letter]
    return LETTERS[letter][1] if letter in LETTERS else None


def cpus_per_task(one: View) -> str:
    """Return ``cpu=3`` where the user asked for CPUs of each task, or nothing."""
    given = one.job.request.cpus_per_task
    return f"cpu={given}" if given else ""
