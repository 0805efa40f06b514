"""What a template can name of the network between the nodes. Pure."""

from collections.abc import Mapping
from typing import TypedDict

from trainsub.config import Fabric
from trainsub.spec import JobSpec

# Sources: NCCL's documentation; the EFA cheat sheet of aws-samples; the user guides of Slingshot machines.
_BY_KIND: Mapping[str, Mapping[str, str]] = {
    "efa": {"FI_EFA_USE_HUGE_PAGE": "0", "NCCL_SOCKET_IFNAME": "^docker,lo,veth"},
    "slingshot": {"NCCL_NET": "AWS Libfabric", "NCCL_SOCKET_IFNAME": "hsn"},
    "tcp": {"NCCL_IB_DISABLE": "1"},
}
_DEBUGGING = frozenset({"NCCL_DEBUG_FILE", "NCCL_DEBUG_SUBSYS"})
_TALKATIVE = frozenset({"INFO", "TRACE"})


class Told(TypedDict):
    """What the script must know: variables by name, and whether NCCL's choice is checked, with what consequence."""

    check: str | None
    kind: str
    variables: list[tuple[str, str | int | float]]


def of_fabric(fabric: Fabric | None, spec: JobSpec) -> Told:
    """Return the variables that the fabric needs, but for those of the job itself, and how NCCL's choice is checked."""
    if fabric is None:
        return {"check": None, "kind": "", "variables": []}
    named = {
        "NCCL_SOCKET_IFNAME": fabric.interface,
        "NCCL_IB_HCA": fabric.hca,
        "NCCL_IB_GID_INDEX": fabric.gid_index,
        "NCCL_IB_TC": fabric.traffic_class,
    }
    found: dict[str, str | int | float] = dict(_BY_KIND.get(fabric.kind, {}))
    found |= {name: value for name, value in named.items() if value is not None}
    found |= fabric.env
    return {
        "check": fabric.check if _checked(fabric, spec, {**found, **spec.env}) else None,
        "kind": fabric.kind,
        "variables": [(name, value) for name, value in found.items() if name not in spec.env],
    }


def _checked(fabric: Fabric, spec: JobSpec, env: Mapping[str, object]) -> bool:
    """Whether there is something to check, and nobody else reads what NCCL says."""
    if fabric.check == "off" or fabric.kind == "tcp" or spec.slurm.nodes == 1 or spec.launch.kind == "command":
        return False
    return not _DEBUGGING & env.keys() and str(env.get("NCCL_DEBUG", "")).upper() not in _TALKATIVE
