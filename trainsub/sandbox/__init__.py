"""A real Slurm cluster in containers on this machine, to try trainsub on and to debug jobs for free.

It is one login node, which is also the controller, and a few compute nodes whose GPUs are pretended. Everything that
``up`` makes carries a label with the state directory, so that ``down`` finds all of it, even after an interrupted
``up``.
"""

import fcntl
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from trainsub.errors import SandboxError
from trainsub.sandbox import docker
from trainsub.sandbox.files import HOST, config_text, known_hosts_text, ssh_config_text
from trainsub.sandbox.layout import CONTROLLER, RELEASES, SandboxSpec, plan
from trainsub.sandbox.words import count, differences

__all__ = ["HOST", "RELEASES", "SandboxInfo", "SandboxSpec", "down", "status", "up"]

_STATE = "trainsub.state"
_SPEC = "trainsub.spec"
_PORT = "trainsub.port"
_DOWN_HINT = "remove it with `trainsub sandbox down`"


@dataclass(frozen=True)
class SandboxInfo:
    """A sandbox that exists.

    Attributes:
        spec: What was asked for, with the port that was chosen.
        state_dir: Where its key and its configuration lie.
        running: Whether all its containers run, and the files that lead there are written.
        complete: Whether ``up`` has ever ended well; otherwise it is half started.
        already_there: Whether ``up`` found it running and had nothing to do.
    """

    spec: SandboxSpec
    state_dir: Path
    running: bool
    complete: bool = True
    already_there: bool = False

    @property
    def ssh_config(self) -> Path:
        """An OpenSSH configuration that knows the host ``trainsub-sandbox``."""
        return self.state_dir / "ssh_config"

    @property
    def config(self) -> Path:
        """A trainsub configuration whose only cluster is the sandbox."""
        return self.state_dir / "config.toml"


def up(spec: SandboxSpec, state_dir: Path, progress: Callable[[str], None]) -> SandboxInfo:
    """Start a sandbox, unless it runs already; a second ``up`` at the same time waits for the first one.

    Args:
        spec: The cluster that is wanted.
        state_dir: Where its key and configuration go; made if it is missing, closed to other users.
        progress: Told in a few words what is going on.

    Raises:
        SandboxError: Docker cannot be used, or another sandbox than this one is there.
    """
    state_dir = state_dir.absolute()
    with _writing(state_dir):
        state_dir.mkdir(parents=True, exist_ok=True)
        state_dir.chmod(0o700)
    with _alone(state_dir, progress):
        return _up(spec, state_dir, progress)


def _up(spec: SandboxSpec, state_dir: Path, progress: Callable[[str], None]) -> SandboxInfo:
    began = time.monotonic()
    present = status(state_dir)
    if present is not None:
        _require_same(present.spec, spec)
        if present.running:
            progress(f"the sandbox is already running: Slurm {spec.slurm}, {count(spec.nodes, 'node')}")
            return SandboxInfo(present.spec, state_dir, running=True, already_there=True)
        if present.complete:
            progress("starting the stopped sandbox")
            _restart(present.spec, state_dir)
            return SandboxInfo(present.spec, state_dir, running=True)
    # What an interrupted `up` has left is of no use.
    docker.remove(f"{_STATE}={state_dir}")
    key = _make_key(state_dir)
    port = spec.ssh_port or docker.free_port()
    progress(f"looking for the image for Slurm {spec.slurm}; building it takes a few minutes, the first time")
    image, _ = docker.ensure_image(spec.slurm)
    labels = ((_STATE, str(state_dir)), (_SPEC, _dump(spec)), (_PORT, str(port)))
    public_key = key.with_suffix(".pub").read_text(encoding="utf-8").strip()
    layout = plan(spec, image=image, authorized_key=public_key, ssh_port=port, labels=labels)
    progress(f"starting {count(spec.nodes, 'node')} with {count(spec.gpus_per_node, 'GPU')} each")
    docker.create(layout)
    progress("waiting for Slurm to run its first job")
    docker.wait_ready(layout.controller.name)
    _write_files(spec.name, port, state_dir)
    progress(f"ready after {time.monotonic() - began:.0f} s")
    return SandboxInfo(_with_port(spec, port), state_dir, running=True)


def down(state_dir: Path, progress: Callable[[str], None]) -> bool:
    """Remove a sandbox with everything in it: containers, network, volumes, key and configuration.

    Returns:
        Whether there was one.
    """
    state_dir = state_dir.absolute()
    with _alone(state_dir, progress) if state_dir.is_dir() else nullcontext():
        return _down(state_dir, progress)


def _down(state_dir: Path, progress: Callable[[str], None]) -> bool:
    progress("removing the sandbox")
    found = docker.remove(f"{_STATE}={state_dir}")
    with _writing(state_dir):
        for name in ("config.toml", "ssh_config", "known_hosts", "id_ed25519", "id_ed25519.pub"):
            (state_dir / name).unlink(missing_ok=True)
    return found


def status(state_dir: Path | None = None) -> SandboxInfo | None:
    """Look for a sandbox.

    Args:
        state_dir: The one that ``up`` was given; ``None`` looks for any.

    Returns:
        ``None`` where there is no login node. What an interrupted ``up`` made before that does not count as a sandbox;
        ``up`` and ``down`` remove it.
    """
    label = _STATE if state_dir is None else f"{_STATE}={state_dir.absolute()}"
    found = docker.containers(label)
    login = next((name for name, _ in found if name.endswith(f"-{CONTROLLER}")), None)
    if login is None:
        return None
    spec = _with_port(_load(docker.label_of(login, _SPEC)), int(docker.label_of(login, _PORT)))
    mine = [running for name, running in found if name.startswith(f"{spec.name}-")]
    home = Path(docker.label_of(login, _STATE))
    complete = (home / "config.toml").exists()
    return SandboxInfo(spec, home, running=complete and all(mine) and len(mine) == spec.nodes + 1, complete=complete)


@contextmanager
def _alone(state_dir: Path, progress: Callable[[str], None]) -> Iterator[None]:
    """Let nobody else start or remove this sandbox meanwhile; a process that dies lets go."""
    with _writing(state_dir):
        lock = (state_dir / "lock").open("a")
    with lock:
        with _writing(state_dir):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("another `sandbox up` is under way; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _restart(spec: SandboxSpec, state_dir: Path) -> None:
    names = [f"{spec.name}-n{number}" for number in range(1, spec.nodes + 1)]
    docker.docker("start", *names, timeout=600)
    docker.docker("start", f"{spec.name}-{CONTROLLER}")
    docker.wait_ready(f"{spec.name}-{CONTROLLER}")
    _write_files(spec.name, spec.ssh_port or 0, state_dir)


def _write_files(name: str, port: int, state_dir: Path) -> None:
    """Write what ssh and trainsub need; config.toml comes last and says that all went well."""
    # From the container itself and not over the network, so that nobody can stand between.
    public = docker.docker("exec", f"{name}-{CONTROLLER}", "cat", "/var/lib/trainsub/ssh/ssh_host_ed25519_key.pub")
    known_hosts, ssh_config = state_dir / "known_hosts", state_dir / "ssh_config"
    text = ssh_config_text(HOST, port=port, user="alice", key=state_dir / "id_ed25519", known_hosts=known_hosts)
    with _writing(state_dir):
        known_hosts.write_text(known_hosts_text(port, public), encoding="utf-8")
        ssh_config.write_text(text, encoding="utf-8")
        (state_dir / "config.toml").write_text(config_text(ssh_config), encoding="utf-8")


@contextmanager
def _writing(state_dir: Path) -> Iterator[None]:
    """Say what is wrong with the state directory.

    Raises:
        SandboxError: Something in it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise SandboxError(
            f"the sandbox's state cannot be written below {state_dir}: {error.strerror or error}",
            hint="make it a directory that you may write to, or point TRAINSUB_STATE_DIR at another",
        ) from error


def _make_key(state_dir: Path) -> Path:
    key = state_dir / "id_ed25519"
    with _writing(state_dir):
        (state_dir / "config.toml").unlink(missing_ok=True)
        if key.exists() and key.with_suffix(".pub").exists():
            return key
        key.unlink(missing_ok=True)
    program = shutil.which("ssh-keygen")
    if program is None:
        raise SandboxError("there is no `ssh-keygen` on the PATH", hint="install the OpenSSH client")
    arguments = [program, "-q", "-t", "ed25519", "-N", "", "-C", HOST, "-f", str(key)]
    hint = f"see whether it works by hand: ssh-keygen -t ed25519 -f {key}"
    try:
        subprocess.run(arguments, check=True, capture_output=True, stdin=subprocess.DEVNULL)  # noqa: S603 - no shell
    except OSError as error:
        raise SandboxError(f"{program} cannot be started: {error.strerror or error}", hint=hint) from error
    except subprocess.CalledProcessError as error:
        words = (error.stderr or error.stdout).decode("utf-8", "replace").strip()
        raise SandboxError(f"ssh-keygen makes no key (exit status {error.returncode}): {words}", hint=hint) from error
    return key


def _require_same(present: SandboxSpec, wanted: SandboxSpec) -> None:
    if differing := differences(present, wanted):
        raise SandboxError(f"another sandbox is there, with {differing}", hint=_DOWN_HINT)


def _with_port(spec: SandboxSpec, port: int | None) -> SandboxSpec:
    return SandboxSpec(**{**asdict(spec), "ssh_port": port})


def _dump(spec: SandboxSpec) -> str:
    return json.dumps(asdict(spec), sort_keys=True)


def _load(text: str) -> SandboxSpec:
    values = json.loads(text)
    values["mounts"] = tuple((source, target) for source, target in values["mounts"])
    return SandboxSpec(**values)
