"""Whether the cluster could ever run a job: what slurmctld looks at when it is submitted. Pure."""

from trainsub.minislurm import schedule
from trainsub.minislurm.conf import Conf
from trainsub.minislurm.errors import RefusedError, failed
from trainsub.minislurm.given import Given
from trainsub.minislurm.values import Request

_UNAVAILABLE = "Requested node configuration is not available"
_TIME = "Requested time limit is invalid (missing or exceeds some limit)"
_NODE_COUNT = "Node count specification invalid"


def limited(request: Request, given: Given, conf: Conf, now: int) -> int | None:
    """Return the job's time limit.

    Raises:
        RefusedError: The partition is unknown, or allows no such limit.
    """
    names = request.partition.split(",")
    for name in names:
        if conf.partition(name) is None:
            raise failed("Invalid partition name specified", f"invalid partition specified: {name or '(null)'}")
    limit = _limit(names[0], request, given, conf, now)
    for name in names[1:]:
        partition = conf.partition(name)
        most = partition.max_time if partition is not None else None
        if most is not None and (limit is None or limit > most):
            raise failed("Requested partition configuration not available now")
    return limit


def _limit(name: str, request: Request, given: Given, conf: Conf, now: int) -> int | None:
    partition = conf.partition(name)
    most = partition.max_time if partition is not None else None
    default = partition.default_time if partition is not None else None
    limit = request.time_limit if "time" in given else most if default is None else default
    if most is not None and (limit is None or limit > most):
        raise failed(_TIME)
    if limit == 0:
        raise failed(_TIME)
    least = given.get("time-min")
    if least is not None and limit is not None and least > limit:
        raise failed("Invalid time-min specification (exceeds job's time or other limits)")
    if request.deadline is not None and now + (least or limit or 60) > request.deadline:
        raise failed(_TIME)
    return limit


def check(request: Request, given: Given, conf: Conf) -> None:
    """Refuse what could never run.

    Raises:
        RefusedError: It could never run; the text is Slurm's.
    """
    if request.nice < 0:
        raise failed("Invalid --nice value")
    _no_such_thing(given)
    _nodes(request, given, conf)
    _per_node(request, given, conf)
    too_many = request.ntasks_per_node is not None and request.ntasks > request.nodes * request.ntasks_per_node
    if too_many or not schedule.fits(request, conf):
        raise failed(_UNAVAILABLE)


def _no_such_thing(given: Given) -> None:
    if given.get("reboot"):
        raise failed("Access/permission denied", "rebooting of nodes is only allowed for admins")
    if given.get("reservation"):
        raise failed("Requested reservation is invalid")
    if given.get("licenses"):
        raise failed("Invalid license specification")
    if given.get("constraint"):
        raise failed("Invalid feature specification")
    if given.get("prefer"):
        raise failed("Invalid preferred feature specification")


def _nodes(request: Request, given: Given, conf: Conf) -> None:
    names = {node.name for node in conf.nodes}
    both = set(request.nodelist) & set(request.exclude)
    if both or not names.issuperset({*request.nodelist, *request.exclude}):
        raise failed("Invalid node name specified")
    partition = conf.partition(request.partition)
    most = partition.max_nodes if partition is not None else None
    asked = "nodes" in given or "nodelist" in given
    if request.nodes < 1 or (asked and request.nodes > min(len(names), most or len(names))):
        raise failed(_NODE_COUNT)
    if request.ntasks * (request.cpus_per_task or 1) > sum(node.cpus for node in conf.nodes):
        raise failed("More processors requested than permitted")
    if request.nodes > len(names - set(request.exclude)):
        raise failed(_UNAVAILABLE)


def _per_node(request: Request, given: Given, conf: Conf) -> None:
    cpus = max(node.cpus for node in conf.nodes)
    per_task = request.cpus_per_task or 1
    if given.get("tmp"):
        raise failed(_UNAVAILABLE, "Temporary disk specification can not be satisfied")
    if request.memory is not None and request.memory > max(node.memory for node in conf.nodes):
        raise failed(_UNAVAILABLE, "Memory specification can not be satisfied")
    if given.get("threads-per-core", 1) > 1:
        raise failed(_UNAVAILABLE, "Socket, core and/or thread specification can not be satisfied")
    if per_task * (request.ntasks_per_node or 1) > cpus:
        raise failed(_UNAVAILABLE, "CPU count per node can not be satisfied")
    asked = [given[name] for name in ("gpus-per-node", "gres", "gpus", "gpus-per-task") if given.get(name)]
    # Where the cluster does not know the type of its GPUs, any type will do.
    kinds = {"", conf.gpu_type} if conf.gpu_type else {one.kind for one in asked}
    if any(one.number < 0 or (one.number and one.kind not in kinds) for one in asked):
        raise failed(_UNAVAILABLE)


def check_begin(given: Given) -> None:
    """Refuse a job that may not begin before it is given up.

    Raises:
        RefusedError: It is such a job.
    """
    if "deadline" in given and given.get("begin", 0) > given["deadline"]:
        raise RefusedError("error: Incompatible begin and deadline time specification")
