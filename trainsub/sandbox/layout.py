"""What a containerised Slurm cluster consists of, as a value: nothing here runs anything.

The sandbox and the tests start the same containers with different programs; both read them from here.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from trainsub.errors import SandboxError

RELEASES = {"22.05": "bookworm", "24.11": "trixie", "26.05": "forky"}
"""Slurm's version → the Debian release that packages it."""

HOME_USERS = ("alice", "bob", "tess", "finn")
"""The image's ordinary users; their login shells are bash, bash with a talkative .bashrc, tcsh and fish."""

CONTROLLER = "controller"
MAX_NODES = 512
MAX_GPUS = 16

_IMAGE = "trainsub-slurm"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class SandboxSpec:
    """The cluster that somebody wants.

    Args:
        name: Begins the names of all that is made; lower-case letters, digits and dashes.
        slurm: Slurm's version, a key of ``RELEASES``.
        nodes: Compute nodes; they are called n1, n2 and so on.
        gpus_per_node: Devices on each node. They count as GPUs for Slurm and are nothing else.
        ssh_port: Port on 127.0.0.1 that leads to the login node; ``None`` lets ``up`` choose a free one.
        accounting: Whether slurmdbd keeps records and enforces associations, limits and QOS.
        lua: Whether the site rewrites job comments.
        mounts: Host directories that every container sees, read-only: (host path, container path).
        cpus_per_node: CPUs that each node claims to have.
    """

    name: str
    slurm: str = "24.11"
    nodes: int = 2
    gpus_per_node: int = 8
    ssh_port: int | None = None
    accounting: bool = True
    lua: bool = False
    mounts: tuple[tuple[str, str], ...] = ()
    cpus_per_node: int = 128

    def __post_init__(self) -> None:
        """Refuse what Docker or Slurm would refuse later, in words that fit."""
        if not _NAME.fullmatch(self.name):
            raise SandboxError(
                f"sandbox name {self.name!r} is not usable",
                hint="use up to 40 lower-case letters, digits and dashes",
            )
        if self.slurm not in RELEASES:
            raise SandboxError(f"there is no sandbox for Slurm {self.slurm}", hint=f"known: {', '.join(RELEASES)}")
        if not 1 <= self.nodes <= MAX_NODES:
            raise SandboxError(f"a sandbox has 1 to {MAX_NODES} nodes, not {self.nodes}")
        if not 0 <= self.gpus_per_node <= MAX_GPUS:
            raise SandboxError(f"a sandbox node has 0 to {MAX_GPUS} GPUs, not {self.gpus_per_node}")


@dataclass(frozen=True)
class Mount:
    """A named volume (``source`` without a slash) or a host directory inside a container."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Container:
    """One container, in the words of ``docker run``.

    Attributes:
        ports: Pairs (port on 127.0.0.1, port in the container).
    """

    name: str
    hostname: str
    image: str
    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    mounts: tuple[Mount, ...]
    ports: tuple[tuple[int, int], ...]
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Layout:
    """A whole cluster. Start the compute nodes first: slurmctld waits for their names, not the other way round."""

    network: str
    volumes: tuple[str, ...]
    compute: tuple[Container, ...]
    controller: Container
    labels: tuple[tuple[str, str], ...]


def base_image(slurm: str) -> str:
    """Name the Debian image that packages this version of Slurm."""
    return f"debian:{RELEASES[slurm]}"


def image_tag(slurm: str, files: Iterable[tuple[str, bytes]]) -> str:
    """Name the image for what it is built from, so that a change builds anew and nothing else does.

    Args:
        slurm: Slurm's version.
        files: Path and content of everything that goes into the image.
    """
    digest = hashlib.sha256()
    for path, content in sorted(files):
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return f"{_IMAGE}:{slurm}-{digest.hexdigest()[:12]}"


def plan(
    spec: SandboxSpec,
    *,
    image: str,
    authorized_key: str,
    ssh_port: int,
    labels: tuple[tuple[str, str], ...] = (),
) -> Layout:
    """Lay out the containers of a cluster.

    Args:
        spec: The cluster that is wanted.
        image: The image that all its containers run.
        authorized_key: SSH public keys, one a line, that open the accounts of all users.
        ssh_port: The port on 127.0.0.1 that leads to the login node; it stays the same when that restarts.
        labels: Put on everything that is made, so that it can be found and removed.
    """
    home, state = f"{spec.name}-home", f"{spec.name}-state"
    env = (
        ("NODES", str(spec.nodes)),
        ("CPUS", str(spec.cpus_per_node)),
        ("GPUS_PER_NODE", str(spec.gpus_per_node)),
        ("ACCOUNTING", str(int(spec.accounting))),
        ("LUA", str(int(spec.lua))),
    )
    mounts = (
        Mount(home, "/home"),
        Mount(state, "/var/lib/trainsub"),
        *(Mount(source, target, read_only=True) for source, target in spec.mounts),
    )

    def container(hostname: str, role: str, *, login: bool = False) -> Container:
        return Container(
            name=f"{spec.name}-{hostname}",
            hostname=hostname,
            image=image,
            command=(role,),
            env=(*env, ("AUTHORIZED_KEY", authorized_key)) if login else env,
            mounts=mounts,
            ports=((ssh_port, 22),) if login else (),
            labels=labels,
        )

    return Layout(
        network=spec.name,
        volumes=(home, state),
        compute=tuple(container(f"n{number}", "compute") for number in range(1, spec.nodes + 1)),
        controller=container(CONTROLLER, "controller", login=True),
        labels=labels,
    )


def run_arguments(container: Container, network: str) -> list[str]:
    """Spell a container as the arguments of ``docker run``."""
    arguments = ["--detach", "--name", container.name, "--hostname", container.hostname]
    arguments += ["--network", network, "--network-alias", container.hostname]
    for key, value in container.labels:
        arguments += ["--label", f"{key}={value}"]
    for key, value in container.env:
        arguments += ["--env", f"{key}={value}"]
    for mount in container.mounts:
        kind = "bind" if "/" in mount.source else "volume"
        text = f"type={kind},source={mount.source},target={mount.target}"
        arguments += ["--mount", text + (",readonly" if mount.read_only else "")]
    for outside, inside in container.ports:
        arguments += ["--publish", f"127.0.0.1:{outside}:{inside}"]
    return [*arguments, container.image, *container.command]
