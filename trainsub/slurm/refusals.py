"""What a refusal of sbatch is about: its text → the keys of the spec, and what to do. Pure.

The texts are Slurm's error table (tests/data/slurm/*/errors.txt) and those of sbatch's options, of 22.05, 24.11 and
26.05. Many mean one option. Some mean that several are too much together, and then those are named that were given.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trainsub.slurm import limit_reasons


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where to look after a refusal.

    Attributes:
        field: Key path in the spec, such as ``slurm.partition``; several with commas, if any of them, or they
            together, may be too much; empty where the spec is not at fault.
        hint: What to do next.
    """

    field: str
    hint: str


_ACCOUNTS = "`sacctmgr show assoc user=$USER format=account,partition,qos` lists what you may use."
_SIZES = "`sinfo -o '%P %D %c %m %G %f'`"
_ON_A_NODE = "gpus_per_node gres cpus_per_task cpus_per_gpu ntasks_per_node mem mem_per_cpu mem_per_gpu tmp constraint"

# A pattern, options, and a hint. Of the options those are named that were given; where none was, what stands behind
# the bar, or the first. The first match counts, so the precise ones come first: sbatch says what is wrong before it
# says that something is.
_TABLE: tuple[tuple[str, str, str], ...] = (
    ("disk is full|no space left", "", "Make room on the cluster, then submit again."),
    # -- what may be used
    ("invalid partition", "partition", "`sinfo -s` on the cluster lists the partitions that you may use."),
    ("no partition specified", "partition", "The cluster has no default partition: name one."),
    ("partition in down state", "partition", "The partition is down: choose another one, or wait."),
    ("required partition not available", "partition", "The partition takes no jobs now: choose another one, or wait."),
    (
        "partition configuration not available",
        "partition",
        "The partition does not take this job: compare it with `scontrol show partition`.",
    ),
    (
        "not permitted to use this partition|multiple partition job request",
        "partition",
        "Ask the site for access, or choose another partition.",
    ),
    (
        "invalid account or account/partition",
        "account partition",
        f"The account does not exist for you, or may not be used in this partition. {_ACCOUNTS}",
    ),
    ("invalid or unknown association|invalid parent account", "account", _ACCOUNTS),
    ("invalid qos|relative qos", "qos", _ACCOUNTS),
    ("usage threshold", "qos", "The account has used up what the QOS allows."),
    ("denied to requested reservation", "reservation", "`scontrol show reservation` says who may use it."),
    (
        "access/permission denied|access denied",
        "reservation partition account qos",
        "Slurm does not let you use what the job names: reservation, partition, account or QOS.",
    ),
    # -- time
    (
        "time limit is invalid|time limit specification required|maxwall|timelimit",
        "time deadline",
        "Ask for no more than the partition and QOS allow (`sinfo -o '%P %l'`); a deadline must leave enough time.",
    ),
    ("invalid time-min", "time_min", "It must not be longer than `time`."),
    ("--begin specification", "begin", "See --begin in `man sbatch`."),
    ("--deadline specification", "deadline", "See --deadline in `man sbatch`."),
    ("invalid time specif", "time begin deadline", "A time that sbatch cannot read: see `man sbatch`."),
    (
        "maxsubmitjob|maxjobcount|job queue full",
        "",
        "Too many jobs are in the queue for you, your account or the cluster: wait until some have ended.",
    ),
    (
        "violates accounting/qos policy",
        "",
        "A limit of your account or QOS: number of jobs, size or time. `sacctmgr show assoc user=$USER` shows them.",
    ),
    # -- what there is
    (
        "memory specification|memory required",
        "mem mem_per_cpu mem_per_gpu",
        "No node has that much memory: `sinfo -o '%P %m'` shows how much.",
    ),
    ("temporary disk", "tmp", "No node has that much local disk space: `sinfo -o '%P %d'` shows how much."),
    (
        "socket, core and/or thread",
        "threads_per_core hint",
        "No node has its cores and threads laid out so: `sinfo -o '%P %z'` shows how they are.",
    ),
    (
        "node count|invalid number of nodes|maximum node count|maximum node limit",
        "nodes",
        "Ask for no more nodes than the partition has and allows: `scontrol show partition`.",
    ),
    ("invalid node name|requested nodes not in this partition", "nodelist exclude", "`sinfo -N` lists the nodes."),
    ("required node not available", "nodelist", "A node that you named is down, drained or reserved."),
    (
        "did not request any gpu",
        "cpus_per_gpu mem_per_gpu",
        "It only makes sense with GPUs: give `gpus_per_node`, too, or ask for CPUs and memory per task or node.",
    ),
    (
        "generic resource|gres specification|trackable resource|gres option",
        "gpus_per_node gres | gres",
        "`sinfo -o '%P %G'` shows which GPUs the nodes have and what they are called.",
    ),
    (
        # Said, too, when there are not as many nodes as are asked for.
        "cpu count per node",
        "nodes cpus_per_task",
        "There are not that many nodes with so many CPUs: compare both with `sinfo -o '%P %D %c'`.",
    ),
    (
        "requested node configuration is not available|required nodes lack available resources",
        f"{_ON_A_NODE} | nodes",
        f"No node, or not as many as are asked for, has all of this: compare with {_SIZES}.",
    ),
    (
        "more processors requested|more tasks than available|cpu count|layout tasks",
        "ntasks_per_node cpus_per_task cpus_per_gpu threads_per_core | cpus_per_task",
        "Tasks on a node × CPUs per task are more CPUs than a node has: `sinfo -o '%P %c'` shows how many.",
    ),
    (
        "task count",
        "ntasks_per_node nodes",
        "The number of tasks does not fit the nodes: ask for fewer tasks on each, or more nodes.",
    ),
    ("task distribution", "distribution", "See --distribution in `man sbatch`."),
    ("preferred feature", "prefer", "`sinfo -o '%P %f'` lists the features of the nodes."),
    (
        "invalid (?:cluster )?feature|--batch option",
        "constraint",
        "`sinfo -o '%P %f'` lists the features of the nodes.",
    ),
    ("extra constraints", "extra", "See --extra in `man sbatch`."),
    (
        "topology|segment",
        "segment switches nodes",
        "The nodes asked for do not fit the network's layout: `scontrol show topology` shows it.",
    ),
    # -- the rest of the options
    ("reservation", "reservation", "`scontrol show reservation` lists the reservations and who may use them."),
    ("license", "licenses", "`scontrol show license` lists the licenses."),
    ("dependency", "dependency", "A job that this one waits for does not exist, or the wording is wrong."),
    (
        "invalid job array",
        "array",
        "Indices stay below MaxArraySize (`scontrol show config`): set clusters.NAME.max_array_size for sweeps.",
    ),
    ("invalid --nice|negative nice", "nice", "Only administrators may lower it below 0."),
    ("job priority|invalid priority", "priority", "Only administrators set a priority: use `nice`."),
    ("wckey", "wckey", "`sacctmgr show wckey` lists them."),
    ("mcs_label", "mcs_label", "See --mcs-label in `man sbatch`; the site says which labels there are."),
    ("burst buffer", "bb", "See the site's documentation of its burst buffer."),
    ("rlimit|--propagate=", "propagate", "See --propagate in `man sbatch`."),
    ("too long", "", "A name, path or option is too long for Slurm."),
    # -- the cluster
    (
        "unable to contact slurm controller",
        "",
        "slurmctld does not answer: `scontrol ping` on the cluster says whether it is up. Nothing was submitted.",
    ),
    (
        "rate limit exceeded|temporarily unable to accept|unable to create job record",
        "",
        "The controller is busy: submit again in a minute.",
    ),
    (
        "system submissions disabled|operation is presently disabled",
        "",
        "The site has stopped submissions, as before maintenance: try again later.",
    ),
    (
        "protocol authentication|authentication credential|authentication failure|user nobody",
        "",
        "Slurm could not check who you are on the login node (munge): ask the cluster's administrators.",
    ),
    (
        "incompatible versions",
        "",
        "sbatch and slurmctld are of different releases: check `slurm_bin` in the cluster's configuration.",
    ),
    ("dos line breaks", "template", "The script has Windows line ends: save the template with Unix line ends."),
    ("not look like a batch script", "template", "The template must begin with `#!` and a shell."),
    (
        r"sbatch\S*: (?:(?:command )?not found|no such file)",
        "",
        "sbatch is not on the PATH there: set `slurm_bin` in the cluster's configuration.",
    ),
)

_RULES = tuple((re.compile(pattern, re.IGNORECASE), options, hint) for pattern, options, hint in _TABLE)

# Options are refused by sbatch itself, each with its name.
_OPTION = re.compile(r"(?:invalid --|for --|unrecognized --|option '--)([a-z][a-z0-9-]*)")
_UNKNOWN_OPTION = re.compile(r"unrecognized option '--([a-z0-9-]+)")
_REASON = re.compile(r"^sbatch: error: ([A-Za-z]+)\s*$", re.MULTILINE)
_NOTHING: Mapping[str, str] = MappingProxyType({})


def explain(text: str, given: Mapping[str, str] = _NOTHING) -> Explanation | None:
    """Return what a refusal is about, or None where its text is not known.

    Args:
        text: What sbatch said.
        given: The options that sbatch was given, by their long names with underscores, and the key path that each
            comes from, such as ``{"ntasks_per_node": "launch.nproc_per_node"}``; an option that is not in it is
            taken for one of ``[slurm]``.
    """
    unknown = _UNKNOWN_OPTION.search(text)
    if unknown is not None:
        option = unknown.group(1)
        field = given.get(option.replace("-", "_"), "slurm.extra")
        return Explanation(field, f"The cluster's sbatch does not know --{option}: see `man sbatch`.")
    for reason in _REASON.findall(text):
        limit = limit_reasons.read(reason)
        if limit is not None:
            return Explanation(_paths(" ".join(limit.options), given), limit.refused)
    for pattern, options, hint in _RULES:
        if pattern.search(text):
            return Explanation(_paths(options, given), hint)
    named = _OPTION.search(text.lower())
    if named is None:
        return None
    option = named.group(1)
    return Explanation(_paths(option.replace("-", "_"), given), f"See --{option} in `man sbatch`.")


def _paths(options: str, given: Mapping[str, str]) -> str:
    """Return the key paths of those options that were given; where none was, those of the likeliest."""
    if options == "template":
        return options
    first, _, fallback = options.partition("|")
    named = [option for option in first.split() if option in given] or fallback.split() or first.split()[:1]
    return ", ".join(dict.fromkeys(given.get(option, f"slurm.{option}") for option in named))
