"""The columns of sinfo: letters of ``--format``, words of ``--Format``, and what each tells of nodes. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trainsub.minislurm import nodes
from trainsub.minislurm.conf import Conf, Partition
from trainsub.minislurm.nodes import NodeNow
from trainsub.minislurm.table import clock
from trainsub.minislurm.version import RELEASE
from trainsub.slurm.hostlist import compress

_NOTHING = "n/a"


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that share a row.

    Attributes:
        conf: The cluster.
        partition: The partition that the row tells of.
        members: The nodes; those of one row do not differ in what it shows.
    """

    conf: Conf
    partition: Partition
    members: tuple[NodeNow, ...]


Tell = Callable[[Group], str]


@dataclass(frozen=True, slots=True)
class Field:
    """A column.

    Attributes:
        header: Its header.
        tell: What it tells.
        splits: Whether nodes that differ in it get rows of their own.
        of_partition: Whether it tells of the partition.
    """

    header: str
    tell: Tell
    splits: bool = False
    of_partition: bool = False


def _partition(header: str, tell: Callable[[Partition], str]) -> Field:
    return Field(header, lambda group: tell(group.partition), of_partition=True)


def _node(header: str, tell: Callable[[NodeNow], str], *, splits: bool = True) -> Field:
    return Field(header, lambda group: tell(group.members[0]) if group.members else _NOTHING, splits=splits)


def _count(group: Group, state: str) -> int:
    return sum(1 for one in group.members if (one.state == "IDLE") == (state == "IDLE"))


def _nodes_ai(group: Group) -> str:
    return f"{_count(group, 'BUSY')}/{_count(group, 'IDLE')}"


def _nodes_aiot(group: Group) -> str:
    return f"{_nodes_ai(group)}/0/{len(group.members)}"


def _cpus_aiot(group: Group) -> str:
    held, total = (sum(one.held.cpus for one in group.members), sum(one.node.cpus for one in group.members))
    return f"{held}/{total - held}/0/{total}"


def _names(group: Group) -> str:
    return compress(one.node.name for one in group.members)


def _size(part: Partition) -> str:
    return f"1-{'infinite' if part.max_nodes is None else part.max_nodes}"


def _limit(seconds: int | None, nothing: str) -> str:
    return nothing if seconds is None else clock(seconds)


def _gres(group: Group) -> str:
    return nodes.gres(group.conf, group.members[0].node) if group.members else ""


def _gres_used(group: Group) -> str:
    return nodes.gres_used(group.conf, group.members[0]) if group.members else ""


def marked(part: Partition) -> str:
    """Return the name of a partition; a star marks the default one."""
    return f"{part.name}*" if part.default else part.name


_NAME = _node("HOSTNAMES", lambda one: one.node.name)
WORDS: Mapping[str, Field] = {
    "allocmem": _node("ALLOCMEM", lambda one: str(one.memory)),
    "allocnodes": _partition("ALLOCNODES", lambda _: "all"),
    "available": _partition("AVAIL", lambda _: "up"),
    "cluster": Field("CLUSTER", lambda group: group.conf.cluster_name),
    "cores": _node("CORES", lambda _: "1"),
    "cpus": _node("CPUS", lambda one: str(one.node.cpus)),
    "cpusload": _node("CPU_LOAD", lambda one: f"{one.held.cpus:.2f}"),
    "cpusstate": Field("CPUS(A/I/O/T)", _cpus_aiot),
    "defaulttime": _partition("DEFAULTTIME", lambda one: _limit(one.default_time, _NOTHING)),
    "disk": _node("TMP_DISK", lambda _: "0"),
    "features": _node("AVAIL_FEATURES", lambda _: "(null)"),
    "features_act": _node("ACTIVE_FEATURES", lambda _: "(null)"),
    "freemem": _node("FREE_MEM", lambda one: str(one.node.memory - one.memory)),
    "gres": Field("GRES", _gres, splits=True),
    "gresused": Field("GRES_USED", _gres_used, splits=True),
    "groups": _partition("GROUPS", lambda _: "all"),
    "maxcpuspernode": _partition("MAX_CPUS_PER_NODE", lambda _: "UNLIMITED"),
    "memory": _node("MEMORY", lambda one: str(one.node.memory)),
    "nodeaddr": Field("NODE_ADDR", _NAME.tell, splits=True),
    "nodeai": Field("NODES(A/I)", _nodes_ai),
    "nodeaiot": Field("NODES(A/I/O/T)", _nodes_aiot),
    "nodehost": _NAME,
    "nodelist": Field("NODELIST", _names),
    "nodes": Field("NODES", lambda group: str(len(group.members))),
    "oversubscribe": _partition("OVERSUBSCRIBE", lambda _: "NO"),
    "partition": _partition("PARTITION", marked),
    "partitionname": _partition("PARTITION", lambda one: one.name),
    "preemptmode": _partition("PREEMPT_MODE", lambda _: "OFF"),
    "priorityjobfactor": _partition("PRIO_JOB_FACTOR", lambda _: "1"),
    "prioritytier": _partition("PRIO_TIER", lambda _: "1"),
    "reason": _node("REASON", lambda _: "none", splits=False),
    "root": _partition("ROOT", lambda _: "no"),
    "size": _partition("JOB_SIZE", _size),
    "socketcorethread": _node("S:C:T", lambda one: f"{one.node.cpus}:1:1"),
    "sockets": _node("SOCKETS", lambda one: str(one.node.cpus)),
    "statecompact": _node("STATE", lambda one: nodes.SHORT[one.state]),
    "statecomplete": _node("STATECOMPLETE", lambda one: one.state.lower()),
    "statelong": _node("STATE", lambda one: one.state.lower()),
    "threads": _node("THREADS", lambda _: "1"),
    "time": _partition("TIMELIMIT", lambda one: _limit(one.max_time, "infinite")),
    "timestamp": _node("TIMESTAMP", lambda _: "Unknown", splits=False),
    "user": _node("USER", lambda _: "Unknown", splits=False),
    "userlong": _node("USER", lambda _: "Unknown", splits=False),
    "version": _node("VERSION", lambda _: RELEASE, splits=False),
    "weight": _node("WEIGHT", lambda _: "1"),
}
"""By the words of ``--Format`` in small letters."""

_SAME = (
    "A=nodeai a=available b=features_act B=maxcpuspernode c=cpus C=cpusstate d=disk D=nodes e=freemem E=reason "
    "f=features F=nodeaiot g=groups G=gres h=oversubscribe H=timestamp I=priorityjobfactor l=time L=defaulttime "
    "m=memory M=preemptmode n=nodehost N=nodelist o=nodeaddr O=cpusload p=prioritytier P=partition r=root "
    "R=partitionname s=size S=allocnodes t=statecompact T=statelong u=user U=userlong v=version V=cluster "
    "w=weight X=sockets Y=cores z=socketcorethread Z=threads "
)
LETTERS: Mapping[str, Field] = {
    **{pair[0]: WORDS[pair[2:]] for pair in _SAME.split()},
    "i": Field("RESERVATION", lambda _: ""),
}
"""By the letters of ``--format``."""
