"""Real Slurm clusters for tests: the sandbox's layout, started and broken by Testcontainers.

    ensure(["24.11"])
    with SlurmCluster("24.11", nodes=4) as cluster:
        code, text = cluster.exec(["sinfo"], user="alice")
        subprocess.run(["ssh", "-F", cluster.ssh_config, cluster.host_alias, "sbatch ..."])

Several clusters, also of one version, may run at once; nothing that they make has a fixed name. What a killed test
run left behind is removed by the next call of ``ensure``.
"""

import atexit
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

# The image of its cleaner cannot be pulled everywhere; `ensure` and `stop` clean up. Read when testcontainers is imported.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from trainsub.sandbox import docker as engine
from trainsub.sandbox.files import known_hosts_text, ssh_config_text
from trainsub.sandbox.layout import CONTROLLER, HOME_USERS, RELEASES, Container, SandboxSpec, plan

VERSIONS = tuple(RELEASES)
PYTHON = "/opt/python-run/python"
"""A Python with torch and the launchers, in the containers of a cluster that was given ``python_mounts()``."""

RENAMED = frozenset({"slurmctld", "slurmd"})
"""Daemons whose process has another name after ``scontrol reconfigure``."""

_LABEL = "trainsub.test"
_READS = frozenset({"cat", "grep", "ls", "ps", "readlink", "sacct", "sinfo", "squeue", "stat"})
_TORCH = ("torch==2.13.0", "numpy", "accelerate==1.15.0", "deepspeed==0.19.8", "megatron-core==0.16.1")
_WRAPPER = """\
#!/bin/sh
# The host's Python looks for its library where the host has it.
LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/torch${PYTHONPATH:+:$PYTHONPATH}
export LD_LIBRARY_PATH PYTHONPATH
exec /opt/python/bin/python3 "$@"
"""


def ensure(versions: Iterable[str] = VERSIONS) -> dict[str, str]:
    """Make Docker, the base images and the images of these versions of Slurm available.

    Returns:
        The image of each version.
    """
    versions = list(versions)
    subprocess.run(["sh", engine.containers_dir() / "prepare", *versions], check=True)
    _remove_leftovers()
    # One test process builds, the others find it built.
    with _locked("images"):
        return {version: engine.ensure_image(version)[0] for version in versions}


class SlurmCluster:
    """A Slurm cluster in containers.

    Attributes:
        version: Slurm's version as asked for: 22.05, 24.11 or 26.05.
        nodes: Names of the compute nodes: n1, n2 and so on.
        controller: Name of the controller's container; it is the login node too.
        users: The ordinary users: alice (bash), bob (a talkative .bashrc), tess (tcsh), finn (fish).
        directory: Where the SSH key and configuration lie.
        ssh_config: An OpenSSH configuration with ``host_alias`` (alice) and one alias for each user, see ``alias``.
        ssh_port: The login node's SSH port on 127.0.0.1; the same for the cluster's whole life.
    """

    def __init__(
        self,
        version: str = "24.11",
        *,
        nodes: int = 4,
        gpus_per_node: int = 8,
        accounting: bool = True,
        lua: bool = False,
        mounts: tuple[tuple[str, str], ...] = (),
        env: dict[str, str] | None = None,
        image: str | None = None,
        security: tuple[str, ...] = (),
    ) -> None:
        self.version = version
        self.users = HOME_USERS
        self.name = f"ts-{version.replace('.', '-')}-{uuid.uuid4().hex[:8]}"
        self.spec = SandboxSpec(
            self.name,
            slurm=version,
            nodes=nodes,
            gpus_per_node=gpus_per_node,
            accounting=accounting,
            lua=lua,
            mounts=mounts,
        )
        self.nodes = tuple(f"n{number}" for number in range(1, nodes + 1))
        self.controller = f"{self.name}-{CONTROLLER}"
        self.host_alias = self.name
        self.ssh_port = 0
        self.directory = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self.ssh_config = self.directory / "ssh_config"
        # start.sh's further parameters, such as SLURMD_TIMEOUT and CRED_EXPIRE.
        self._env = env or {}
        # Another image than the sandbox's, made on it; and Docker's security options, for containers in containers.
        self._image = image
        self._security = list(security)
        self._containers: dict[str, DockerContainer] = {}
        self._addresses: dict[str, str] = {}
        self._network = Network()

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        self.stop()

    def start(self) -> Self:
        """Start the cluster and wait until it has run a job."""
        atexit.register(self.stop)
        key = self.directory / "id_ed25519"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", key], check=True)
        self.ssh_port = engine.free_port()
        layout = plan(
            self.spec,
            image=self._image or engine.ensure_image(self.version)[0],
            authorized_key=key.with_suffix(".pub").read_text().strip(),
            ssh_port=self.ssh_port,
            labels=((_LABEL, str(os.getpid())), (f"{_LABEL}.name", self.name)),
        )
        self._network.name = layout.network
        self._network._docker_network_kw = {"labels": dict(layout.labels)}  # noqa: SLF001 - needs no second client
        self._network.create()
        for volume in layout.volumes:
            self._client.volumes.create(volume, labels=dict(layout.labels))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._run, layout.compute))
        self._run(layout.controller)
        self.wait_ready()
        self._addresses = {node: self._address(node) for node in (CONTROLLER, *self.nodes)}
        self._write_ssh_files(key)
        return self

    def stop(self) -> None:
        """Remove the cluster with all its data; more than once is fine."""
        atexit.unregister(self.stop)
        engine.remove(f"{_LABEL}.name={self.name}")
        shutil.rmtree(self.directory, ignore_errors=True)

    def wait_ready(self, seconds: int = 240) -> None:
        """Wait until all nodes are idle and a job has run on all of them."""
        code, text = self.exec(["ready.sh", str(seconds)])
        if code:
            raise RuntimeError(f"{self.name} did not get ready: {text}")

    # --- looking in ---

    def alias(self, user: str) -> str:
        """Return the SSH host alias that logs in as this user."""
        return self.host_alias if user == "alice" else f"{self.host_alias}-{user}"

    def exec(
        self,
        cmd: Sequence[str],
        user: str = "root",
        node: str = CONTROLLER,
        env: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        """Run a command inside a node, not over SSH; in the user's home.

        Returns:
            Its exit code, and what it printed to both streams.
        """
        home = f"/home/{user}" if user in self.users else "/root"
        environment = {"HOME": home, "USER": user, "LOGNAME": user, **(env or {})}

        def say() -> Any:
            return self._wrapped(node).exec_run(list(cmd), user=user, workdir=home, environment=environment)

        result = say()
        if not result.output and (cmd[0] in _READS or list(cmd[:2]) == ["scontrol", "show"]):
            result = say()  # Docker 20.10 now and then loses all that a command printed which ends at once
        return int(result.exit_code), result.output.decode(errors="replace")

    def check(self, cmd: Sequence[str], user: str = "root", node: str = CONTROLLER) -> str:
        """Run a command inside a node and return what it printed; fail if it failed."""
        code, text = self.exec(cmd, user, node)
        if code:
            raise RuntimeError(f"{list(cmd)} as {user} on {node} exited with {code}: {text}")
        return text

    def sql(self, query: str) -> list[tuple[str | None, ...]]:
        """Ask the accounting database; ``sandbox`` is the prefix of the cluster's tables.

        Returns:
            Rows of text; ``None`` where SQL has NULL.
        """
        text = self.check(["mariadb", "--batch", "--skip-column-names", "slurm_acct_db", "-e", query])
        return [tuple(None if field == "NULL" else field for field in line.split("\t")) for line in text.splitlines()]

    def ssh(self, command: str, user: str = "alice", *, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command through OpenSSH and the user's login shell."""
        argv = ["ssh", "-F", str(self.ssh_config), self.alias(user), command]
        return subprocess.run(
            argv, text=True, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False
        )

    # --- breaking things ---

    def service(self, name: str, node: str = CONTROLLER) -> None:
        """Start or restart a daemon: munge, mariadb, slurmdbd, slurmctld, slurmd or sshd."""
        if name in RENAMED and self.exec(["pgrep", "-x", _named(name)], node=node)[0] == 0:
            self.kill_service(name, node, "TERM")
        self.check(["start.sh", "service", name], node=node)

    def kill_service(self, name: str, node: str = CONTROLLER, signal: str = "KILL") -> None:
        """Send a signal to a daemon by the name of its program, and wait until it is gone.

        For sshd, only the listener is meant: open sessions go on.
        """
        which = "kill -s $0 $(cat /run/sshd.pid)" if name == "sshd" else f"pkill -$0 -x '{_named(name)}'"
        self.check(["bash", "-c", which, signal], node=node)
        if name != "sshd":
            self._until_gone(name, node)

    def freeze_service(self, name: str, node: str = CONTROLLER) -> None:
        """Stop a daemon where it stands: connections to it are taken and nothing answers."""
        self.check(["pkill", "-STOP", "-x", _named(name)], node=node)

    def thaw_service(self, name: str, node: str = CONTROLLER) -> None:
        """Let a frozen daemon go on."""
        self.check(["pkill", "-CONT", "-x", _named(name)], node=node)

    def kill_logins(self) -> None:
        """Kill sshd with all its sessions, as when the login node is rebooted; ``service("sshd")`` brings it back."""
        self.check(["pkill", "-KILL", "sshd"])

    def cold_start(self) -> None:
        """Restart slurmctld so that it forgets all jobs; it tells the accounts that they have ended."""
        self.kill_service("slurmctld", signal="TERM")
        self.check(["slurmctld", "-c", "-i"])
        self._until_orphans_are_gone()

    def lose_queue(self) -> None:
        """Take the file of its jobs from slurmctld while the database is down: the accounts never hear of their end."""
        self.kill_service("slurmdbd")
        # Orderly: without the database it needs the associations that it writes at its end.
        self.kill_service("slurmctld", signal="TERM")
        self.check(["sh", "-c", "rm -f /var/lib/trainsub/slurmctld/job_state*"])
        self.check(["slurmctld", "-i"])
        self._until_orphans_are_gone()
        self.service("slurmdbd")

    def _until_orphans_are_gone(self) -> None:
        """Wait until the nodes have ended jobs that slurmctld forgot, and forgotten them too: it gives their ids again."""
        self._until(lambda: self.exec(["scontrol", "ping"])[0] == 0, "slurmctld")
        for node in self.nodes:
            self._until(
                lambda node=node: self.exec(["pgrep", "-x", "slurmstepd"], node=node)[0] != 0, "orphans to end", 90
            )
        time.sleep(int(self._env.get("CRED_EXPIRE", "30")) + 2)

    def restart(self, node: str) -> None:
        """Restart a container, orderly."""
        self._wrapped(node).restart(timeout=10)
        self._after_start(node)

    def stop_node(self, node: str) -> None:
        """Stop a container, orderly; ``start_node`` brings it back."""
        self._wrapped(node).stop(timeout=10)

    def start_node(self, node: str) -> None:
        """Start a container that was stopped or killed."""
        self._wrapped(node).start()
        self._after_start(node)

    def kill(self, node: str) -> None:
        """Kill a container at once, as when the power fails."""
        self._wrapped(node).kill()

    def pause(self, node: str) -> None:
        """Freeze all processes of a container: connections stay open and nothing answers."""
        self._wrapped(node).pause()

    def unpause(self, node: str) -> None:
        """Let a frozen container go on.

        A node that was down by then may wait for minutes until slurmctld asks it again; ``service("slurmd", node)``
        makes it register at once.
        """
        self._wrapped(node).unpause()

    def disconnect(self, node: str) -> None:
        """Pull a container's network cable."""
        self._docker_network().disconnect(self._wrapped(node), force=True)

    def connect(self, node: str) -> None:
        """Plug the network cable in again."""
        self._docker_network().connect(self._wrapped(node), aliases=[node])
        self._after_start(node)

    # --- inside ---

    @property
    def _client(self) -> Any:
        return self._network._docker.client  # noqa: SLF001 - testcontainers has no door to volumes

    def _wrapped(self, node: str) -> Any:
        return self._containers[node].get_wrapped_container()

    def _docker_network(self) -> Any:
        return self._client.networks.get(self.name)

    def _run(self, planned: Container) -> None:
        container = DockerContainer(planned.image, command=list(planned.command), name=planned.name)  # type: ignore[arg-type,unused-ignore]
        container.with_envs(**dict(planned.env), **self._env)
        container.with_network(self._network).with_network_aliases(planned.hostname)
        for mount in planned.mounts:
            container.with_volume_mapping(mount.source, mount.target, "ro" if mount.read_only else "rw")
        for outside, inside in planned.ports:
            # with_bind_ports would open the port to the whole network.
            container.ports[f"{inside}/tcp"] = ("127.0.0.1", outside)  # type: ignore[assignment,unused-ignore]
        labels = dict(planned.labels)
        container.with_kwargs(hostname=planned.hostname, labels=labels, security_opt=self._security)
        container.start()
        self._containers[planned.hostname] = container

    def _write_ssh_files(self, key: Path) -> None:
        public = self.check(["cat", "/var/lib/trainsub/ssh/ssh_host_ed25519_key.pub"])
        known_hosts = self.directory / "known_hosts"
        known_hosts.write_text(known_hosts_text(self.ssh_port, public))
        self.ssh_config.write_text(
            "".join(
                ssh_config_text(self.alias(user), port=self.ssh_port, user=user, key=key, known_hosts=known_hosts)
                for user in self.users
            )
        )

    def _address(self, node: str) -> str:
        """Return a node's address as the others resolve it."""
        _, text = self.exec(["getent", "hosts", node])
        return text.split()[0] if text else ""

    def _after_start(self, node: str) -> None:
        """Tell slurmctld if a node came back with another address: it keeps the one that it resolved first."""
        if node == CONTROLLER:
            return
        self._until(lambda: self._address(node) != "", f"the name {node}")
        if self._address(node) != self._addresses[node]:
            self._addresses[node] = self._address(node)
            self.exec(["scontrol", "reconfigure"])

    def _until_gone(self, program: str, node: str) -> None:
        self._until(lambda: self.exec(["pgrep", "-x", _named(program)], node=node)[0] != 0, f"{program} to end")

    def _until(self, condition: Any, what: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: waited {seconds:.0f} s for {what}")
            time.sleep(0.1)


def _named(program: str) -> str:
    """Return the pattern of a daemon's name: since 23.11 a reconfigured one starts itself anew by Debian's own name."""
    return f"{program}(-wlm)?" if program in RENAMED else program


def torch_dir() -> Path:
    """Install the CPU build of torch, and what trains with it, for this Python, once for each machine."""
    target = _cache() / "-".join(["py", *map(str, sys.version_info[:2]), *_TORCH])
    with _locked("torch"):
        if not target.exists():
            partial = target.with_name(f".{target.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--target", partial, *_TORCH], check=True)
            partial.rename(target)
    return target


def python_mounts() -> tuple[tuple[str, str], ...]:
    """Return the mounts that bring this Python with torch into the containers as ``PYTHON``."""
    wrappers = _cache() / "python-run"
    wrappers.mkdir(exist_ok=True)
    for name in ("python", "python3"):
        script = wrappers / name
        script.write_text(_WRAPPER)
        script.chmod(0o755)
    return (
        (sys.base_prefix, "/opt/python"),
        (str(torch_dir()), "/opt/torch"),
        (str(wrappers), "/opt/python-run"),
    )


def _cache() -> Path:
    default = Path.home() / ".cache" / "trainsub-tests"
    directory = Path(os.environ.get("TRAINSUB_TEST_CACHE") or default)
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    with (_cache() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_leftovers() -> None:
    """Remove the clusters of test processes that are no more."""
    listing = engine.docker("ps", "--all", "--filter", f"label={_LABEL}", "--format", f'{{{{.Label "{_LABEL}"}}}}')
    for pid in set(listing.split()):
        if not _alive(int(pid)):
            engine.remove(f"{_LABEL}={pid}")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
