"""The configuration's model: clusters, how they are reached, what they cost. Pure."""

import re
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from trainsub.config.fabric import Fabric, as_table
from trainsub.slurm import arrays
from trainsub.spec.expect import Count, Expect, NotExpectedError, Text, integer, line, matching, one_of
from trainsub.spec.slurm_options import SlurmDefaults
from trainsub.spec.table import AsGiven, Table, conflict

EMBEDDED = "minislurm"
"""The cluster that is always there; see config/builtin.py."""

_TRANSPORTS = one_of("paramiko", "openssh", "local")
_HOST = matching("a host", r"[^\s@/-][^\s@/]*")
_CLUSTER = matching("a name", r"[A-Za-z0-9_][A-Za-z0-9._-]{0,39}")
_MONEY = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")


def _cluster_name(value: object) -> str:
    name = str(_CLUSTER.check(value))
    if name != EMBEDDED and name.lower() == EMBEDDED:
        raise NotExpectedError(
            f"the name {EMBEDDED} is taken by the embedded cluster",
            hint=f"Call your cluster something else; the embedded one is written {EMBEDDED}.",
        )
    return name


def _host(value: object) -> str:
    text = line(value)
    if "@" in text:
        user, _, host = text.rpartition("@")
        raise NotExpectedError(f"{text} has a user in it", hint=f'Write host = "{host}" and user = "{user}".')
    return str(_HOST.check(text))


def _remote_root(value: object) -> str:
    path = line(value)
    if not path.startswith(("/", "~/")):
        raise NotExpectedError
    path = path.rstrip("/")
    if path in {"", "~"}:
        raise NotExpectedError(f"{value} itself is no place for it", hint="Name a directory below it.")
    if ".." in path.split("/"):
        raise NotExpectedError('must not go up by ".."')
    return path


def _slurm_bin(value: object) -> str:
    if value == "":
        return ""
    path = line(value)
    if not path.startswith("/"):
        raise NotExpectedError
    return path.rstrip("/") or "/"


def _money(value: object) -> Decimal:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise NotExpectedError(f'money is a decimal in quotes, so that it is exact: "{value}"')
    text = format(value, "f") if isinstance(value, Decimal) else line(value)
    if _MONEY.fullmatch(text) is None:
        raise NotExpectedError
    return Decimal(text)


ClusterName = Annotated[str, Expect("a cluster's name: at most 40 of A-Z a-z 0-9 . _ -", _cluster_name)]
Money = Annotated[Decimal, Expect('a decimal in quotes, such as "8.50"', _money)]
LocalPath = Annotated[str, Expect("a path on this machine", line)]


class Price(Table):
    """What a GPU-hour costs. Without it, costs are unknown."""

    currency: Annotated[str, matching("three capital letters, such as EUR", r"[A-Z]{3}")] = Field(
        description="Currency of all prices of the cluster."
    )
    gpu_hour: Money = Field(description="Price of one GPU for one hour.")
    partitions: dict[Text, Money] = Field(
        default_factory=dict, description="Partitions with another price of a GPU-hour."
    )

    def for_partition(self, name: str) -> Decimal:
        """Return the price of a GPU-hour in a partition.

        Args:
            name: The partition; of several separated by commas, the dearest counts; empty for the cluster's own.
        """
        return max(self.partitions.get(one.strip(), self.gpu_hour) for one in name.split(","))


class Cluster(Table):
    """A cluster: how it is reached, where runs lie there, and what every job there is submitted with."""

    transport: Annotated[Literal["paramiko", "openssh", "local"], _TRANSPORTS] = Field(
        "paramiko",
        description="`paramiko`: over SSH, a connection for each command. `openssh`: over the system's ssh, one"
        " connection for all commands, with any login that ssh knows. `local`: Slurm's commands run on this machine,"
        " which is a login node.",
    )
    host: Annotated[str, Expect("a host, or an alias of the OpenSSH configuration", _host)] | None = Field(
        None, description="The login node. Required unless `local`."
    )
    user: Annotated[str, matching("a user's name", r"[^\s@:/-][^\s@:/]*")] | None = Field(
        None, description="User there. Default: as OpenSSH has it."
    )
    port: Annotated[int, integer(1, 65_535)] | None = Field(None, description="Port. Default: as OpenSSH has it.")
    identity_file: LocalPath | None = Field(
        None, description="Private key, instead of those that OpenSSH would try. Relative to the configuration file."
    )
    ssh_config: LocalPath | None = Field(
        None, description="OpenSSH configuration to read instead of the user's. Relative to the configuration file."
    )
    remote_root: Annotated[str, Expect('a path on the cluster: absolute, or beginning with "~/"', _remote_root)] = (
        Field("~/.trainsub", description="Where runs lie, on the file system that all nodes share.")
    )
    slurm_bin: Annotated[str, Expect("an absolute path on the cluster", _slurm_bin)] = Field(
        "", description="Directory of Slurm's commands, if they are not on the PATH there."
    )
    fabric: Annotated[Fabric | None, BeforeValidator(as_table)] = Field(
        None, description="Network between the nodes: its kind, or a table. Without it, NCCL finds its way alone."
    )
    gpus_per_node: Count | None = Field(
        None,
        description="GPUs on each node: to estimate usage where Slurm does not record GPUs, and for the ceiling of jobs"
        " that are `exclusive`, which hold all of them.",
    )
    max_array_size: Annotated[int, integer(1, arrays.LARGEST + 1)] = Field(
        1001,
        description="What each index of a job array there is smaller than: Slurm's `MaxArraySize`, or its"
        " `max_array_tasks`, if that is less. A sweep of more points becomes several runs.",
    )
    connect_timeout: Annotated[int, integer(1, 3600)] = Field(15, description="Seconds to wait for a connection.")
    poll_seconds: Annotated[int, integer(1, 3600)] = Field(
        30,
        description="Seconds between two questions to Slurm in steady state, for all commands of a machine together.",
    )
    defaults: Annotated[dict[str, Any], AsGiven(SlurmDefaults)] = Field(
        default_factory=dict, description="Options of sbatch for every job there; the spec wins."
    )
    price: Price | None = Field(None, description="What a GPU-hour costs.")

    @model_validator(mode="after")
    def _has_host(self) -> Self:
        if self.transport != "local" and self.host is None:
            raise conflict("host", "is required: a host, or an alias of the OpenSSH configuration")
        return self


class MiniSlurm(Table):
    """The embedded cluster `minislurm`: the nodes that it pretends to have on this machine."""

    nodes: Annotated[int, integer(1, 254)] | None = Field(None, description="How many nodes. Default: 4.")
    cpus_per_node: Annotated[int, integer(1, 65_535)] | None = Field(
        None, description="CPUs of each node. Default: those of this machine, and at least 16, which may be pretended."
    )
    gpus_per_node: Annotated[int, integer(0, 1024)] | None = Field(
        None,
        description="GPUs of each node, all of them pretended. Default: the machine's real ones, each on one node "
        "only; where there are none, 8 pretended ones on each.",
    )


class Config(Table):
    """The keys above all tables."""

    unknown_hint: ClassVar[str | None] = None

    default_cluster: ClusterName | None = Field(
        None, description="The cluster that is meant where `--cluster` names none. Not needed with a single one."
    )
    clusters: dict[ClusterName, Cluster] = Field(default_factory=dict, description="The clusters, by name.")
    minislurm: MiniSlurm = Field(default_factory=MiniSlurm, description="The embedded cluster.")
