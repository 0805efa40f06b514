"""The network between a cluster's nodes, as far as a training must be told of it. Pure."""

from typing import Annotated, Literal

from pydantic import Field

from trainsub.spec.expect import Natural, Text, Variable, one_of
from trainsub.spec.names import VariableName
from trainsub.spec.table import Table

FABRICS = ("infiniband", "roce", "efa", "slingshot", "tcp")


class Fabric(Table):
    """The network between the nodes. `fabric = "efa"` is short for a table with that kind alone."""

    kind: Annotated[Literal["infiniband", "roce", "efa", "slingshot", "tcp"], one_of(*FABRICS)] = Field(
        description="What it is. `efa` sets `FI_EFA_USE_HUGE_PAGE=0` and `NCCL_SOCKET_IFNAME=^docker,lo,veth`; "
        "`slingshot` sets `NCCL_NET=AWS Libfabric`, without which NCCL may fall back to sockets, and "
        "`NCCL_SOCKET_IFNAME=hsn`; `tcp` sets `NCCL_IB_DISABLE=1`. The others set nothing by themselves."
    )
    interface: Text | None = Field(None, description="`NCCL_SOCKET_IFNAME`: over which NCCL's ranks first meet.")
    hca: Text | None = Field(None, description="`NCCL_IB_HCA`: the adapters to use, such as `=mlx5_0,mlx5_1`.")
    gid_index: Natural | None = Field(None, description="`NCCL_IB_GID_INDEX`, for RoCE with NCCL before 2.21.")
    traffic_class: Natural | None = Field(None, description="`NCCL_IB_TC`, for RoCE.")
    check: Annotated[Literal["warn", "stop", "off"], one_of("warn", "stop", "off")] = Field(
        "warn",
        description="What to do when NCCL says that it uses sockets instead: say so in the log, or stop the job with "
        "exit code 76. Not looked at under `tcp`, with one node, or where the job sets NCCL's debugging itself.",
    )
    env: dict[VariableName, Variable] = Field(
        default_factory=dict, description="Other variables that every job there needs; a job's own `[env]` wins."
    )


def as_table(value: object) -> object:
    """Return the table that a kind alone stands for; anything else is left as it is."""
    return {"kind": value} if isinstance(value, str) else value
