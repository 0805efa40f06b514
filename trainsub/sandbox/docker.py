"""Docker's door: its command line, called with lists of arguments, and what its errors mean.

The command line and not the SDK, because it is there wherever Docker is, knows the user's contexts and credentials,
and costs trainsub no dependency.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

from trainsub.errors import SandboxError
from trainsub.sandbox.layout import Container, Layout, base_image, image_tag, run_arguments

# More than a few at once only queue up inside the engine.
_PARALLEL = 4
_LINGER = 20.0
# What it says of things that are gone in a moment: a network knows a removed container's place a little longer than
# the container lives, and somebody else may be removing the same container.
_GOING = ("active endpoints", "already in progress")
_NOT_IN_IMAGE = "prepare"


def containers_dir() -> Path:
    """Find the image's sources: inside the installed package, or beside it in a checkout."""
    packaged = Path(str(files("trainsub"))) / "_containers"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "containers"


def docker(*arguments: str, timeout: float | None = 120) -> str:
    """Run one docker command and return what it printed.

    Raises:
        SandboxError: Docker is missing or stopped, refuses this user, said no, or did not answer in time.
    """
    program = shutil.which("docker")
    if program is None:
        raise SandboxError("there is no `docker` on the PATH", hint=_prepare_hint("install Docker"))
    try:
        # A list of arguments without a shell; what is in it comes from the layout.
        done = subprocess.run(  # noqa: S603
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SandboxError(f"`docker {arguments[0]}` did not end within {timeout:.0f} s") from error
    if done.returncode != 0:
        raise _explain(arguments, done.stderr.strip() or done.stdout.strip())
    return done.stdout


def ensure_image(slurm: str, *, sources: Path | None = None) -> tuple[str, bool]:
    """Build the image for a version of Slurm, unless it is there.

    Returns:
        The image's tag, and whether it had to be built.
    """
    directory = sources or containers_dir()
    paths = [path for path in directory.rglob("*") if path.is_file() and path.name != _NOT_IN_IMAGE]
    tag = image_tag(slurm, ((path.relative_to(directory).as_posix(), path.read_bytes()) for path in paths))
    if docker("image", "ls", "--quiet", tag).strip():
        return tag, False
    base = base_image(slurm)
    try:
        docker("build", "--build-arg", f"BASE={base}", "--tag", tag, str(directory), timeout=1800)
    except SandboxError as error:
        if docker("image", "ls", "--quiet", base).strip():
            raise
        raise SandboxError(f"cannot pull the image {base}", hint=_prepare_hint("pull it")) from error
    return tag, True


def create(layout: Layout) -> None:
    """Make a cluster's network and volumes and start its containers, compute nodes first."""
    labels = [part for key, value in layout.labels for part in ("--label", f"{key}={value}")]
    docker("network", "create", *labels, layout.network)
    for volume in layout.volumes:
        docker("volume", "create", *labels, volume)

    def start(container: Container) -> None:
        docker("run", *run_arguments(container, layout.network))

    pool = ThreadPoolExecutor(_PARALLEL)
    try:
        for _ in pool.map(start, layout.compute):
            pass
    finally:
        # After an error or Ctrl-C, do not go on starting the rest.
        pool.shutdown(cancel_futures=True)
    start(layout.controller)


def free_port() -> int:
    """Choose a port ourselves: one that Docker chooses would change whenever the container restarts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_ready(controller: str, *, seconds: int = 180) -> None:
    """Wait until the cluster works and has run a job."""
    docker("exec", controller, "ready.sh", str(seconds), timeout=seconds + 60)


def containers(label: str) -> list[tuple[str, bool]]:
    """List the containers that have a label, as (name, is it running)."""
    lines = docker("ps", "--all", "--filter", f"label={label}", "--format", "{{.Names}}\t{{.State}}").splitlines()
    pairs = [line.split("\t") for line in lines]
    return sorted((name, state == "running") for name, state in pairs)


def label_of(container: str, label: str) -> str:
    """Read one label of a container; empty where it has none."""
    return docker("inspect", "--format", '{{index .Config.Labels "' + label + '"}}', container).strip()


def remove(label: str) -> bool:
    """Remove every container, network and volume that has a label.

    Returns:
        Whether there was anything to remove.
    """
    having = ("--quiet", "--filter", f"label={label}")
    # Networks and volumes can only go when no container uses them any more.
    kinds = (
        (("ps", "--all", *having), ("rm", "--force", "--volumes")),
        (("network", "ls", *having), ("network", "rm")),
        (("volume", "ls", *having), ("volume", "rm", "--force")),
    )
    removed = [_remove_listed(listing, removal) for listing, removal in kinds]
    return any(removed)


def _remove_listed(listing: Sequence[str], removal: Sequence[str]) -> bool:
    """Remove what a listing shows; False if that is nothing."""
    found = False
    deadline = time.monotonic() + _LINGER
    while names := docker(*listing).split():
        found = True
        try:
            docker(*removal, *names, timeout=600)
            break
        except SandboxError as error:
            if not any(words in error.message for words in _GOING) or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    return found


def _explain(arguments: Sequence[str], said: str) -> SandboxError:
    """Turn what docker said into an error that tells what to do."""
    lowered = said.lower()
    if "permission denied" in lowered and "docker" in lowered and ("sock" in lowered or "daemon" in lowered):
        return SandboxError(
            "Docker does not let this user in",
            hint="join the group `docker` (sudo usermod -aG docker $USER, then log in again), or run as root",
        )
    if "cannot connect to the docker daemon" in lowered or "failed to connect to the docker api" in lowered:
        return SandboxError("Docker is not running", hint=_prepare_hint("start it"))
    if "already in use by container" in lowered or "already exists" in lowered:
        return SandboxError(
            f"another sandbox of the same name is in the way: {_last_line(said)}",
            hint="remove it with `trainsub sandbox down`, under the TRAINSUB_STATE_DIR with which it was started",
        )
    return SandboxError(f"`docker {arguments[0]}` failed: {_last_line(said)}")


def _last_line(said: str) -> str:
    """Keep the end of a long output, where docker says what went wrong."""
    return "\n".join(said.splitlines()[-12:])


def _prepare_hint(what: str) -> str:
    return f"{what}; as root on Debian, `sh {containers_dir() / 'prepare'}` does it"
