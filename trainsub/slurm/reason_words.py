"""Slurm's reason codes and the controller's own sentences, in plain words. Pure: data for ``reasons``.

The codes are those of Slurm 22.05, 24.11 and 26.05 (tests/data/slurm/*/reasons.txt), less the limits of accounts and
QOS, which limit_reasons.py reads. Where the controller has more to say than a code it writes a sentence in its place
(``state_desc`` in its sources), which squeue prints as the reason.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """A reason in words.

    Attributes:
        words: What it means; a clause without a full stop, to stand behind "because" or alone.
        remedy: What the user can do, whole sentences; empty where there is nothing but waiting.
    """

    words: str
    remedy: str = ""


ADMINISTRATORS = "Ask the cluster's administrators."
_OTHER_PARTITION = "Choose another partition (`sinfo -s`), or wait until it takes jobs again."
_ACCOUNTS = "`sacctmgr show assoc user=$USER format=account,partition,qos` shows what you may use."
RELEASE = "`trainsub release RUN` lets it go."
_LOOK_AT_LOG = "`trainsub logs RUN` shows what it printed."
_NEVER = "It cannot start as it is: cancel it, and submit it with less."
_SMALLER = (
    "A shorter `time` lets it slip into gaps before larger jobs (backfill); fewer nodes, or another partition, "
    "start sooner, too."
)

CODES: dict[str, Meaning] = {
    # -- the queue -----------------------------------------------------------------------------------------------
    "None": Meaning("Slurm has not looked at the job yet, or gives no reason"),
    "Priority": Meaning("jobs of a higher priority are before it in the queue", _SMALLER),
    "Resources": Meaning("it is first in line, and the nodes that it needs are busy", _SMALLER),
    "SchedDefer": Meaning(
        "the site's scheduler looks at new jobs in rounds, and not when they are submitted", "Wait for the next round."
    ),
    "BeginTime": Meaning(
        "its begin time has not come",
        "It waits for `begin` in the spec; after a requeue Slurm itself sets one, some two minutes later.",
    ),
    "Dependency": Meaning("a job that it depends on has not ended", "Wait for that job; `squeue -o '%i %E'` names it."),
    "DependencyNeverSatisfied": Meaning(
        "a job that it depends on ended in a way that it will never start after",
        "Cancel it, and submit it again without the dependency, or behind another job.",
    ),
    "JobArrayTaskLimit": Meaning("as many tasks of its array run as may run at the same time"),
    "Cleaning": Meaning("the nodes of its former start are still being cleaned up"),
    "Prolog": Meaning("the site's preparation of its nodes (prolog) is running", "It starts when that is done."),
    "FedJobLock": Meaning("the clusters of the federation have not agreed which of them starts it"),
    # -- holds ---------------------------------------------------------------------------------------------------
    "JobHeldUser": Meaning("it is held: you, or the spec, ordered so", RELEASE),
    "JobHeldAdmin": Meaning(
        "an administrator, or Slurm itself, holds it", f"Only an administrator can release it. {ADMINISTRATORS}"
    ),
    "JobHoldMaxRequeue": Meaning(
        "it was requeued too often, because its starts failed, and is held now",
        f"Find out why the starts fail (`trainsub logs RUN`), and ask the administrators; then {RELEASE[0].lower()}"
        f"{RELEASE[1:]}",
    ),
    "BadConstraints": Meaning(
        "what it asks for can be met by no nodes, so Slurm holds it",
        "Compare nodes, GPUs, CPUs, memory and constraint with `sinfo -o '%P %D %c %m %G %f'`; "
        "cancel it, and submit it again with what there is.",
    ),
    "Constraints": Meaning(
        "what it asks for can be met by no nodes at the moment",
        "Compare `constraint` and the rest with `sinfo -o '%P %D %c %m %G %f'`; it starts if such nodes come back.",
    ),
    # -- partitions and nodes ------------------------------------------------------------------------------------
    "PartitionNodeLimit": Meaning(
        "it asks for more nodes than the partition allows, or has; or for fewer than it must",
        "`scontrol show partition` shows MinNodes and MaxNodes. " + _NEVER,
    ),
    "PartitionTimeLimit": Meaning(
        "its time limit is longer than the partition allows",
        "`sinfo -o '%P %l'` shows the partitions' limits: cancel it, and submit it with a shorter `time`.",
    ),
    "PartitionDown": Meaning("its partition is down: jobs wait there, and none starts", _OTHER_PARTITION),
    "PartitionInactive": Meaning("its partition is inactive: it starts no jobs and takes none", _OTHER_PARTITION),
    "PartitionConfig": Meaning(
        "the partition does not allow it, or does not have what it asks for: nodes, time, account, QOS or group",
        "Compare the spec with `scontrol show partition`; cancel it, and submit it with what the partition allows.",
    ),
    "MaxMemPerLimit": Meaning(
        "it asks for more memory per node or per CPU than the partition allows",
        "Ask for less `mem`, or `mem_per_cpu`: `scontrol show partition` shows MaxMemPerNode and MaxMemPerCPU.",
    ),
    "ReqNodeNotAvail": Meaning(
        "nodes that it needs are not available: down, drained, or reserved",
        "Leave out `nodelist` where the spec names nodes; `sinfo -R` says why nodes are down, and "
        "`scontrol show reservation` what is reserved. A job that ends before a reservation begins can start.",
    ),
    "NodeDown": Meaning(
        "a node that it ran on, or needs, failed", "Where it does not run again by itself, submit it again."
    ),
    "FrontEndDown": Meaning("no front end node that could start it is up", ADMINISTRATORS),
    "Reservation": Meaning(
        "it waits for its reservation to begin, or for room in it", "`scontrol show reservation` shows when it begins."
    ),
    "ReservationDeleted": Meaning(
        "its reservation was deleted, so Slurm holds it",
        "Cancel it, and submit it again without `reservation`.",
    ),
    "ReservationInvalid": Meaning(
        "its reservation is not valid any more, so Slurm holds it",
        "Cancel it, and submit it again with another `reservation`, or none.",
    ),
    "Licenses": Meaning("licenses that it asks for are all in use", "`scontrol show license` shows how many are free."),
    "MaxPoweredUpNodes": Meaning(
        "the site keeps no more nodes powered up at a time", "It starts when others are powered down."
    ),
    "PowerNotAvail": Meaning("there is not enough electric power left for it under the site's power cap"),
    "PowerReserved": Meaning("the electric power that it needs is reserved for others"),
    "MpiPortsBusy": Meaning("the network ports that its MPI steps would need are in use"),
    "NvidiaImexChannels": Meaning("all NVIDIA IMEX channels, which link GPUs across nodes, are in use by other jobs"),
    "BlockMaxError": Meaning("the block of nodes (BlueGene) has had too many errors", ADMINISTRATORS),
    "BlockFreeAction": Meaning("the block of nodes (BlueGene) is being freed"),
    "BurstBufferResources": Meaning("the burst buffer has no room for it now"),
    "BurstBufferStageIn": Meaning("its files are being copied into the burst buffer"),
    "BurstBufferOperation": Meaning("the burst buffer could not do what it asks for", ADMINISTRATORS),
    # -- accounts and QOS ----------------------------------------------------------------------------------------
    "AccountNotAllowed": Meaning("its account may not use this partition", _ACCOUNTS),
    "QOSNotAllowed": Meaning("its QOS may not be used in this partition, or by this account", _ACCOUNTS),
    "InvalidAccount": Meaning("its account is not valid, or not any more", _ACCOUNTS),
    "InvalidQOS": Meaning("its QOS is not valid, or not any more", _ACCOUNTS),
    "QOSUsageThreshold": Meaning(
        "the account has used more than its share, and the QOS does not allow that (UsageThreshold)",
        "Use another QOS, or wait until the usage has decayed; `sshare` shows it.",
    ),
    "AccountingPolicy": Meaning(
        "a limit of its account or QOS is reached",
        "`sacctmgr show assoc user=$USER` and `sacctmgr show qos` show the limits.",
    ),
    # -- how it ended --------------------------------------------------------------------------------------------
    "NonZeroExitCode": Meaning("its script ended with an exit code other than 0", _LOOK_AT_LOG),
    "RaisedSignal": Meaning("a signal ended it", _LOOK_AT_LOG),
    "OutOfMemory": Meaning(
        "it used more memory than it had asked for, and was killed", "Ask for more `mem`, or use less per rank."
    ),
    "TimeLimit": Meaning(
        "it reached its time limit", "Ask for more `time`, or save checkpoints and go on in another job."
    ),
    "DeadLine": Meaning("it could not end before its `deadline` any more", "Submit it with a later `deadline`."),
    "InactiveLimit": Meaning("it did nothing for longer than the site allows (InactiveLimit)"),
    "JobLaunchFailure": Meaning(
        "Slurm could not start it on its nodes: a broken node, a file system that is not there, or the prolog",
        f"Submit it again; if that fails too: {ADMINISTRATORS[0].lower()}{ADMINISTRATORS[1:]}",
    ),
    "SystemFailure": Meaning("Slurm itself failed", ADMINISTRATORS),
}
"""Every code that is not a limit of an account or a QOS."""

# The controller's sentences, and what the code alone does not say.
SENTENCES: tuple[tuple[str, Meaning], ...] = (
    (
        r"ReqNodeNotAvail, ?UnavailableNodes:(?P<it>.*)",
        Meaning("these nodes are not available: {it}", CODES["ReqNodeNotAvail"].remedy),
    ),
    (
        r"ReqNodeNotAvail, ?Reserved for maintenance",
        Meaning(
            "the nodes that it needs are reserved for maintenance",
            "It starts afterwards, or before if its `time` is short enough to end by then: "
            "`scontrol show reservation` shows when.",
        ),
    ),
    (
        r"ReqNodeNotAvail, ?May be reserved for other job",
        Meaning(
            "nodes that it needs are not available: drained, or reserved for another job",
            CODES["ReqNodeNotAvail"].remedy,
        ),
    ),
    (
        r"Nodes required for job are DOWN, DRAINED or reserved.*",
        Meaning(
            "too many nodes of the partition are down, drained, or reserved for jobs in partitions of higher priority",
            "Ask for fewer nodes, or choose another partition: `sinfo -R` says why nodes are down.",
        ),
    ),
    (
        r"(?:launch failed|user env retrieval failed) requeued held",
        Meaning(
            "its start failed on a node, so Slurm put it back into the queue and holds it",
            f"{RELEASE} If that fails again: {ADMINISTRATORS[0].lower()}{ADMINISTRATORS[1:]}",
        ),
    ),
    (r"launch failure limit exceeded requeued held", CODES["JobHoldMaxRequeue"]),
    (
        r"job requeued in (?:held|special exit) state",
        Meaning("it was put back into the queue and is held there", RELEASE),
    ),
    (r"Reservation .* was deleted", CODES["ReservationDeleted"]),
    (r"Reservation .* is invalid", CODES["ReservationInvalid"]),
    (r"Reservation (?P<it>.*), which this job was running under, has ended", Meaning("its reservation {it} ended")),
    (r"CANCELLED by (?P<it>.*)", Meaning("user {it} cancelled it")),
    (r"RaisedSignal:(?P<it>.*)", Meaning("signal {it} ended it", _LOOK_AT_LOG)),
    (r"Job's account not (?:known|permitted).*", CODES["AccountNotAllowed"]),
    (r"Job's QOS not (?:known|permitted).*", CODES["QOSNotAllowed"]),
    (
        r"uid .* not in group permitted to use this partition.*",
        Meaning("none of your groups may use this partition", "Choose another one, or ask the site for access."),
    ),
    (
        r"Job is at or exceeds .*",
        Meaning("it, or its account or QOS, used up a budget while it ran", CODES["AccountingPolicy"].remedy),
    ),
    (
        r"License request .* is no longer valid.*",
        Meaning("licenses that it asks for do not exist any more, so Slurm holds it", CODES["JobHeldAdmin"].remedy),
    ),
    (r"burst_buffer/.*", CODES["BurstBufferOperation"]),
    (
        r".*(?:topology|segment).*",
        Meaning(
            "the free nodes do not fit the network's layout that it asks for",
            "Ask for fewer nodes, or leave out `switches`, `segment` and the like.",
        ),
    ),
)
