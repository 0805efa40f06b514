"""What a refusal of sbatch is about: its text → the key of the spec, and what to do. Pure."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where to look after a refusal.

    Attributes:
        field: Key path in the spec, such as ``slurm.partition``; several with commas, if they are too much only
            together; empty where the spec is not at fault.
        hint: What to do next.
    """

    field: str
    hint: str


# The first match counts, so the precise ones come first. The texts are Slurm's error table, and those of its options.
_TABLE: tuple[tuple[str, str, str], ...] = (
    ("disk is full|no space left", "", "Make room on the cluster, then submit again."),
    ("invalid partition", "partition", "`sinfo -s` on the cluster lists the partitions that you may use."),
    ("no partition specified", "partition", "The cluster has no default partition: name one."),
    ("partition in down state", "partition", "The partition is down: choose another one, or wait."),
    ("required partition not available", "partition", "The partition takes no jobs now: choose another one, or wait."),
    ("not permitted to use this partition", "partition", "Ask the site for access, or choose another partition."),
    (
        "invalid account or account/partition",
        "account",
        "`sacctmgr show assoc user=$USER` lists your accounts; the account may also not be allowed in this partition.",
    ),
    ("invalid or unknown association", "account", "`sacctmgr show assoc user=$USER` lists your accounts."),
    ("invalid qos", "qos", "`sacctmgr show assoc user=$USER format=account,qos` lists your QOS."),
    (
        "time limit is invalid|maxwall|timelimit",
        "time",
        "Ask for no more than the partition and QOS allow (`sinfo -o '%P %l'`); a deadline must leave enough time.",
    ),
    ("invalid time-min", "time_min", "It must not be longer than `time`."),
    (
        "maxsubmitjob|maxjobcount|job queue full",
        "",
        "Too many jobs are in the queue for you, your account or the cluster: wait until some have ended.",
    ),
    (
        r"(?:assoc|qos)(?:max|grp)\w*(?:gres|tres|cpu|node|mem)\w*",
        "nodes",
        "The job asks for more than your account or QOS may hold: fewer nodes or GPUs, or ask the site.",
    ),
    ("usage threshold", "qos", "The account has used up what the QOS allows."),
    (
        "violates accounting/qos policy",
        "",
        "A limit of your account or QOS: number of jobs, size or time. `sacctmgr show assoc user=$USER` shows them.",
    ),
    ("memory specification|memory required", "mem", "No node has that much memory: `sinfo -o '%P %m'` shows how much."),
    ("node count", "nodes", "Ask for no more nodes than the partition allows: `scontrol show partition`."),
    ("invalid node name|requested nodes not in this partition", "nodelist", "Check `nodelist` and `exclude`."),
    ("required node not available", "nodelist", "A node that you named is down, drained or reserved."),
    (
        "generic resource|gres specification|trackable resource",
        "gres",
        "`sinfo -o '%P %G'` shows which GPUs the nodes have and what they are called.",
    ),
    (
        # Said, too, when there are not as many nodes as are asked for.
        "cpu count per node",
        "nodes, cpus_per_task",
        "There are not that many nodes with so many CPUs: compare both with `sinfo -o '%P %D %c'`.",
    ),
    (
        "requested node configuration is not available",
        "nodes",
        "No node has all that is asked of one: compare GPUs, CPUs, mem, constraint with `sinfo -o '%P %c %m %G %f'`.",
    ),
    (
        "more processors requested|cpu count",
        "cpus_per_task",
        "Ask for no more CPUs than a node has: `sinfo -o '%P %c'`.",
    ),
    ("task count", "ntasks", "The number of tasks does not fit the nodes."),
    ("task distribution", "distribution", "See --distribution in `man sbatch`."),
    ("preferred feature", "prefer", "`sinfo -o '%P %f'` lists the features of the nodes."),
    ("invalid feature", "constraint", "`sinfo -o '%P %f'` lists the features of the nodes."),
    ("reservation", "reservation", "`scontrol show reservation` lists the reservations and who may use them."),
    ("license", "licenses", "`scontrol show license` lists the licenses."),
    ("dependency", "dependency", "A job that this one waits for does not exist, or the wording is wrong."),
    ("invalid job array", "array", "The indices are wrong, or more than MaxArraySize (`scontrol show config`)."),
    ("invalid --nice|negative nice", "nice", "Only administrators may lower it below 0."),
    ("job priority|invalid priority", "priority", "Only administrators set a priority: use `nice`."),
    ("wckey", "wckey", "`sacctmgr show wckey` lists them."),
    ("burst buffer", "bb", "See the site's documentation of its burst buffer."),
    (
        "access/permission denied|access denied",
        "account",
        "Slurm does not let you use what the job names: partition, account, QOS or reservation.",
    ),
    ("topology", "switches", "The nodes asked for do not fit the network's layout."),
    (
        "unable to contact slurm controller",
        "",
        "slurmctld does not answer: `scontrol ping` on the cluster says whether it is up. Nothing was submitted.",
    ),
    ("rate limit exceeded|temporarily unable to accept", "", "The controller is busy: submit again in a minute."),
    ("system submissions disabled", "", "The site has stopped submissions, as before maintenance: try again later."),
    (
        "incompatible versions",
        "",
        "sbatch and slurmctld are of different releases: check `slurm_bin` in the cluster's configuration.",
    ),
    ("dos line breaks", "template", "The script has Windows line ends: save the template with Unix line ends."),
    (
        r"sbatch\S*: (?:(?:command )?not found|no such file)",
        "",
        "sbatch is not on the PATH there: set `slurm_bin` in the cluster's configuration.",
    ),
)

_RULES = tuple((re.compile(pattern, re.IGNORECASE), field, hint) for pattern, field, hint in _TABLE)

# Options are refused by sbatch itself, each with its name.
_OPTION = re.compile(r"(?:invalid --|for --|unrecognized --|option '--)([a-z][a-z0-9-]*)")
_UNKNOWN_OPTION = re.compile(r"unrecognized option '--([a-z0-9-]+)")


def explain(text: str) -> Explanation | None:
    """Return what a refusal is about, or None where its text is not known.

    Args:
        text: What sbatch said.
    """
    unknown = _UNKNOWN_OPTION.search(text)
    if unknown is not None:
        option = unknown.group(1)
        return Explanation(
            field="slurm.extra", hint=f"The cluster's sbatch does not know --{option}: see `man sbatch`."
        )
    for pattern, field, hint in _RULES:
        if pattern.search(text):
            return Explanation(field=_path(field), hint=hint)
    named = _OPTION.search(text.lower())
    if named is None:
        return None
    option = named.group(1)
    return Explanation(field=_path(option.replace("-", "_")), hint=f"See --{option} in `man sbatch`.")


def _path(field: str) -> str:
    """Return the key paths; all keys but a few are sbatch options."""
    return field if field in {"", "template"} else ", ".join(f"slurm.{one}" for one in field.split(", "))
