"""What step srun makes of an allocation: how many tasks, where, with what. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from trainsub.minislurm import layout
from trainsub.minislurm.srun_options import Asked, AskedError
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Job, Share
from trainsub.slurm import hostlist


class BusyError(Exception):
    """Other steps hold what is needed."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A step's size.

    Attributes:
        ntasks: Tasks.
        nodes: Nodes.
        per_node: Most tasks on a node; None for no limit.
        warnings: What srun says about it.
    """

    ntasks: int
    nodes: int
    per_node: int | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A step's place.

    Attributes:
        shares: What it holds.
        nodes: Node of each task, as an index into the shares.
        distribution: ``block``, ``cyclic`` or ``plane``.
    """

    shares: tuple[Share, ...]
    nodes: tuple[int, ...]
    distribution: str


def shape(asked: Asked, job: Job) -> Shape:
    """Return the size of a step.

    Raises:
        AskedError: A number is none.
    """
    nodes = asked.count("nodes") or len(job.shares)
    per_node = asked.count("ntasks-per-node")
    ntasks = asked.count("ntasks", of_line=True)
    warnings: list[str] = []
    if ntasks is None:
        inherited = asked.count("ntasks")
        most = nodes * (per_node or 1)
        narrower = per_node is not None and (asked.parsed.has("nodes") or asked.parsed.has("ntasks-per-node"))
        ntasks = most if inherited is None else min(inherited, most) if narrower else inherited
    if ntasks < nodes:
        warnings.append(f"can't run {ntasks} processes on {nodes} nodes, setting nnodes to {ntasks}")
        nodes = ntasks
    if per_node is not None and ntasks > nodes * per_node:
        warnings.append(
            f"can't honor --ntasks-per-node set to {per_node} which doesn't match the requested tasks {ntasks}"
            f" with the maximum number of requested nodes {nodes}. Ignoring --ntasks-per-node."
        )
        per_node = None
    return Shape(ntasks, nodes, per_node, tuple(warnings))


def place(asked: Asked, wanted: Shape, job: Job, steps: Iterable[Step]) -> Layout:
    """Return where a step runs.

    Args:
        asked: What is asked for.
        wanted: Its size.
        job: The job.
        steps: Those of the job that run.

    Raises:
        AskedError: The allocation cannot hold it.
        BusyError: It cannot now.
    """
    if wanted.nodes > len(job.shares):
        raise AskedError(f"error: Only allocated {len(job.shares)} nodes asked for {wanted.nodes}")
    usable = _usable(asked, job)
    per_task = asked.count("cpus-per-task") or 1
    steps = [step for step in steps if not step.overlap and step.name != "batch"]
    left = list(usable) if asked.flag("overlap") else [_left(share, steps) for share in usable]
    # Nobody waits for what could never be.
    _choose(asked, wanted, usable, per_task, job)
    try:
        chosen, counts = _choose(asked, wanted, left, per_task, job)
    except AskedError:
        raise BusyError from None
    exact = asked.flag("exact") or asked.parsed.has("exclusive") or asked.parsed.has("cpus-per-task")
    shares = tuple(
        Share(share.node, min(share.cpus, count * per_task) if exact else share.cpus, _gpus(asked, share, count))
        for share, count in zip(chosen, counts, strict=True)
    )
    how = asked.distribution() or ("block" if wanted.ntasks > wanted.nodes else "cyclic")
    return Layout(shares, layout.nodes_of_tasks(counts, how), how.partition("=")[0])


def _usable(asked: Asked, job: Job) -> list[Share]:
    """Return the nodes that the options leave."""
    names = [share.node for share in job.shares]
    wanted = _names(asked, "nodelist")
    if not set(wanted) <= set(names):
        raise _cannot(job, "Requested node configuration is not available")
    out = _names(asked, "exclude")
    first = asked.number("relative", 0)
    shares = [share for share in job.shares[first:] if share.node not in out]
    return sorted(shares, key=lambda share: (share.node not in wanted, names.index(share.node)))


def _choose(
    asked: Asked, wanted: Shape, shares: Sequence[Share], per_task: int, job: Job
) -> tuple[list[Share], tuple[int, ...]]:
    """Return the nodes that a step gets, in the job's order, and the tasks of each."""
    overcommit = asked.flag("overcommit")
    room = {share.node: _room(asked, share, job, per_task, wanted.per_node) for share in shares}
    fit = [share for share in shares if room[share.node] or (overcommit and share.cpus)]
    if len(fit) < wanted.nodes and len(shares) >= wanted.nodes and asked.gpus() is not None:
        raise _cannot(job, "Invalid generic resource (gres) specification")
    named = _names(asked, "nodelist")
    roomiest = sorted(fit, key=lambda share: (share.node not in named, -room[share.node]))
    order = [share.node for share in job.shares]
    for some in (fit[: wanted.nodes], roomiest[: wanted.nodes]):
        chosen = sorted(some, key=lambda share: order.index(share.node))
        rooms = [room[share.node] for share in chosen]
        if len(chosen) == wanted.nodes and (overcommit or sum(rooms) >= wanted.ntasks):
            return chosen, layout.dealt(wanted.ntasks, rooms)
    raise _cannot(job, "More processors requested than permitted")


def _room(asked: Asked, share: Share, job: Job, per_task: int, per_node: int | None) -> int:
    """Return how many of the step's tasks a node could take; none where its GPUs are not there."""
    tasks = share.cpus // per_task
    whole = next(one for one in job.shares if one.node == share.node)
    count = asked.gpus()
    if asked.parsed.has("gpus-per-task") and count:
        tasks = min(tasks, len(share.gpus) // count)
    elif len(share.gpus) < (len(whole.gpus) if count is None else count):
        return 0
    return tasks if per_node is None else min(tasks, per_node)


def _gpus(asked: Asked, share: Share, tasks: int) -> tuple[int, ...]:
    count = asked.gpus()
    if count is None:
        return share.gpus
    return share.gpus[: count * tasks if asked.parsed.has("gpus-per-task") else count]


def _left(share: Share, steps: Iterable[Step]) -> Share:
    held = [one for step in steps for one in step.shares if one.node == share.node]
    taken: Collection[int] = {gpu for one in held for gpu in one.gpus}
    free = share.cpus - sum(one.cpus for one in held)
    return Share(share.node, max(0, free), tuple(gpu for gpu in share.gpus if gpu not in taken))


def _names(asked: Asked, name: str) -> list[str]:
    try:
        return hostlist.expand(asked.parsed.last(name) or "")
    except ValueError:
        raise AskedError("fatal: Invalid node list specified") from None


def _cannot(job: Job, why: str) -> AskedError:
    return AskedError(f"error: Unable to create step for job {job.job_id}: {why}")
