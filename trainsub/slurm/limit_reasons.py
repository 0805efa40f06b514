"""The reasons that name a limit of an account or a QOS: ``QOSMaxGRESPerUser``, ``AssocGrpCpuLimit``. Pure.

Slurm has some 150 of them, and each name says it all: whose limit it is, of what, and how it is counted. The names of
the limits are sacctmgr's own.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """What a reason of this kind says.

    Attributes:
        words: Which limit is reached.
        remedy: What the user can do about a job that waits.
        options: The options of sbatch that ask for what is limited; none where only the number of jobs is.
        refused: What the user can do where a submission was refused for it.
    """

    words: str
    remedy: str
    options: tuple[str, ...]
    refused: str


_ALONE = "If it asks for more than that alone, it never starts: cancel it, and submit it with less."
_SHOW = {
    "account": "`sacctmgr show assoc user=$USER` shows the limits.",
    "QOS": "`sacctmgr show qos` shows the limits.",
}

# How the codes spell what is limited → how a person calls it, its product with time, what to ask for instead, and the
# options that ask for it.
_THINGS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "bb": ("burst buffer space", "burst buffer space × minutes", "less burst buffer space", ("bb",)),
    "billing": (
        "billing units (Slurm's weighted sum of resources)",
        "billing units × minutes",
        "fewer nodes or GPUs",
        ("nodes", "gpus_per_node", "cpus_per_task"),
    ),
    "cpu": (
        "CPUs",
        "CPU-minutes",
        "fewer CPUs (`nodes`, `cpus_per_task`)",
        ("nodes", "ntasks_per_node", "cpus_per_task", "cpus_per_gpu"),
    ),
    "energy": ("energy", "energy × minutes", "fewer `nodes`", ("nodes",)),
    "gres": (
        "GPUs (or other GRES)",
        "GPU-minutes (or those of another GRES)",
        "fewer GPUs (`nodes`, `gpus_per_node`)",
        ("gpus_per_node", "gres", "nodes"),
    ),
    "license": ("licenses", "license-minutes", "fewer `licenses`", ("licenses",)),
    "mem": (
        "memory",
        "memory × minutes",
        "less memory (`mem`, `nodes`)",
        ("mem", "mem_per_cpu", "mem_per_gpu", "nodes"),
    ),
    "node": ("nodes", "node-minutes", "fewer `nodes`", ("nodes",)),
    "unknown": (
        "of a resource that Slurm does not name",
        "a resource that Slurm does not name × minutes",
        "less of it",
        ("nodes",),
    ),
}
_THINGS["memory"] = _THINGS["mem"]
_THING = "(?P<thing>BB|Billing|C[Pp][Uu]|Energy|GRES|License|Mem(?:ory)?|Node|Unknown)"


def read(code: str) -> Limit | None:
    """Return what a code says, or None where it is not one of a limit.

    Args:
        code: As Slurm prints it.
    """
    for pattern, words, remedy in _RULES:
        match = pattern.fullmatch(code)
        if match is not None:
            return _filled(match.groupdict(), words, remedy)
    return None


def _filled(parts: dict[str, str | None], words: str, remedy: str) -> Limit:
    """The sentences, with whose limit it is and of what."""
    whose = "account" if (parts.get("whose") or "QOS") == "Assoc" else "QOS"
    thing, minutes, less, options = _THINGS[(parts.get("thing") or "unknown").lower()]
    per = parts.get("per") or ""
    jobs = "your running jobs" if per == "User" else "the running jobs of its account"
    values = {"whose": whose, "thing": thing, "minutes": minutes, "less": less, "per": per, "jobs": jobs}
    if "time limit" in words:
        options = ("time", *options) if parts.get("thing") else ("time",)
        less = f"a shorter `time`, or {less}" if parts.get("thing") else "a shorter `time`"
    if "on one node" in words:
        options = tuple(option for option in options if option != "nodes")
    if remedy in {_SOME_ENDED, _ONE_ENDED}:
        options, refused = (), "Too many jobs are in the queue for you or your account: wait until some have ended."
    elif "demands" in words:
        refused = "Ask for more, or use another QOS, which is for smaller jobs."
    else:
        refused = f"Ask for {less}, or use another account or QOS."
    told = f"{remedy.format(**values)} {_SHOW[whose]}"
    return Limit(words.format(**values), told, options, f"{refused} {_SHOW[whose]}")


_WAIT = "It starts when enough of them have ended, or sooner with {less}. " + _ALONE
_SHORTER = "A shorter `time`, or {less}, may fit in."
_CHANGE = "It cannot start as it is: cancel it, and submit it with {less}."
_SOME_ENDED = "Wait until some have ended."
_ONE_ENDED = "It starts when one of them has ended."
_WHOSE = "(?P<whose>Assoc|QOS)"

_TABLE: tuple[tuple[str, str, str], ...] = (
    # -- all jobs of an account, and of those below it, or of a QOS
    (
        f"{_WHOSE}Grp{_THING}(?:Limit)?",
        "with it, the running jobs of its {whose} would hold more {thing} than they may together (GrpTRES)",
        _WAIT,
    ),
    (
        f"{_WHOSE}Grp{_THING}Minutes(?:Limit)?",
        "what its {whose} has left of its budget of {minutes} does not last until its time limit (GrpTRESMins)",
        f"{_SHORTER} Else use another account or QOS, or ask the site for more.",
    ),
    (
        f"{_WHOSE}Grp{_THING}RunMinutes(?:Limit)?",
        (
            "with it, the running jobs of its {whose} would have more {minutes} before them, until their time limits, "
            "than they may together (GrpTRESRunMins)"
        ),
        f"It starts as the others go on and end. {_SHORTER}",
    ),
    (
        f"{_WHOSE}GrpJobsLimit",
        "as many jobs of its {whose} run as may run at the same time (GrpJobs)",
        _ONE_ENDED,
    ),
    (
        f"{_WHOSE}GrpSubmitJobsLimit",
        "as many jobs of its {whose} wait or run as may at the same time (GrpSubmitJobs)",
        _SOME_ENDED,
    ),
    (
        f"{_WHOSE}GrpWallLimit",
        "the jobs of its {whose} have used up the running time that they have together (GrpWall)",
        "Use another account or QOS, or ask the site for more.",
    ),
    # -- one job
    (
        f"{_WHOSE}Max{_THING}PerJob(?:Limit)?",
        "it asks for more {thing} than one job of its {whose} may have (MaxTRESPerJob)",
        _CHANGE,
    ),
    (
        f"{_WHOSE}Max{_THING}PerNode",
        "it asks for more {thing} on one node than a job of its {whose} may have there (MaxTRESPerNode)",
        "It cannot start as it is: cancel it, and submit it with less on each node.",
    ),
    (
        f"{_WHOSE}Max{_THING}MinutesPerJob(?:Limit)?",
        "until its time limit it could use more {minutes} than one job of its {whose} may (MaxTRESMinsPerJob)",
        "It cannot start as it is: cancel it, and submit it with a shorter `time`, or {less}.",
    ),
    (
        f"{_WHOSE}MaxWallDurationPerJobLimit",
        "its time limit is longer than one job of its {whose} may run (MaxWall)",
        "It cannot start as it is: cancel it, and submit it with a shorter `time`.",
    ),
    (
        f"QOSMin{_THING}(?:NotSatisfied)?",
        "it asks for less than its QOS demands of each job (MinTRESPerJob): {thing}",
        "Use another QOS, which is for smaller jobs, or ask for more.",
    ),
    # -- a user's jobs, or an account's, in one QOS
    (
        f"(?:QOS)?Max{_THING}Per(?P<per>User|Account)(?:Limit)?",
        "with it, {jobs} in its QOS would hold more {thing} than they may together (MaxTRESPer{per})",
        _WAIT,
    ),
    (
        f"Max{_THING}RunMinsPer(?P<per>User|Account)",
        (
            "with it, {jobs} in its QOS would have more {minutes} before them, until their time limits, than they may "
            "together (MaxTRESRunMinsPer{per})"
        ),
        f"It starts as the others go on and end. {_SHORTER}",
    ),
    # -- numbers of jobs
    (
        "(?P<whose>Assoc)MaxJobsLimit",
        "as many of your jobs run under its account as may run at the same time (MaxJobs)",
        _ONE_ENDED,
    ),
    (
        "(?P<whose>Assoc)MaxSubmitJobLimit",
        "as many of your jobs wait or run under its account as may at the same time (MaxSubmitJobs)",
        _SOME_ENDED,
    ),
    (
        "QOSMaxJobsPerUserLimit",
        "as many of your jobs run in its QOS as may run at the same time (MaxJobsPerUser)",
        _ONE_ENDED,
    ),
    (
        "QOSMaxSubmitJobPerUserLimit",
        "as many of your jobs wait or run in its QOS as may at the same time (MaxSubmitJobsPerUser)",
        _SOME_ENDED,
    ),
    (
        "MaxJobsPerAccount",
        "as many jobs of its account run in its QOS as may run at the same time (MaxJobsPerAccount)",
        _ONE_ENDED,
    ),
    (
        "MaxSubmitJobsPerAccount",
        "as many jobs of its account wait or run in its QOS as may at the same time (MaxSubmitJobsPerAccount)",
        _SOME_ENDED,
    ),
    # -- names of old, which say no more than this
    (
        "(?P<whose>Assoc)iationJobLimit|QOSJobLimit",
        "as many jobs of its {whose} run, or are in the queue, as may",
        _SOME_ENDED,
    ),
    (
        "(?P<whose>Assoc)iationResourceLimit|QOSResourceLimit",
        "with it, the jobs of its {whose} would hold more than they may: CPUs, GPUs, memory or nodes",
        "It starts when enough others have ended; a smaller job may start sooner.",
    ),
    (
        "(?P<whose>Assoc)iationTimeLimit|QOSTimeLimit",
        "its {whose} has used up its time, or allows less than its time limit",
        "A shorter `time` may fit in.",
    ),
)
_RULES = tuple((re.compile(pattern), words, remedy) for pattern, words, remedy in _TABLE)
