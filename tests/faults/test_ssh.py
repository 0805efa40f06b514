"""The same over real SSH: a real sshd, and a relay on the TCP connection that resets, closes or swallows."""

import getpass
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.bench import Bench
from faults.broken import CUT, DOWN, HOLE, UP, Fault, here
from faults.conftest import Amount
from faults.relay import RESET, Relay
from faults.trial import Trial, run_trial
from faults.world import World, keyed
from sshd import SSHD, Server, end_masters, start_sshd, stop_sshd

from trainsub.transport import Transport, open_transport

Tell = Callable[..., None]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An sshd, and a place for control sockets."""
    if not Path(SSHD).exists():
        if os.environ.get("CI") == "true":
            pytest.fail("sshd is not installed: apt-get install openssh-server openssh-client")
        pytest.skip("NOT TESTED over SSH: sshd is not installed (apt-get install openssh-server openssh-client)")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="ts", dir="/tmp"))
    monkeypatch.setenv("TRAINSUB_RUNTIME_DIR", str(folder))
    started = start_sshd(tmp_path)
    yield started
    stop_sshd(started)
    end_masters(folder)
    shutil.rmtree(folder, ignore_errors=True)


class Line:
    """A thread's own way to the sshd: a relay, and an OpenSSH configuration that leads over it.

    Args:
        server: The sshd.
        kind: ``paramiko`` or ``openssh``.
        folder: Where its files lie.
    """

    def __init__(self, server: Server, kind: str, folder: Path) -> None:
        self.relay = Relay(server.port)
        self.relay.__enter__()
        folder.mkdir()
        known = folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{self.relay.port} {server.host_key()}\n")
        alive = "  ServerAliveInterval 1\n  ServerAliveCountMax 2\n"
        self.config = folder / "ssh_config"
        self.config.write_text(
            f"Host hpc\n  HostName 127.0.0.1\n  Port {self.relay.port}\n  User {getpass.getuser()}\n{alive}"
            f"  IdentityFile {server.key}\n  IdentitiesOnly yes\n  IdentityAgent none\n"
            f"  UserKnownHostsFile {known}\n  GlobalKnownHostsFile none\n"
        )
        self.keys = f"transport = '{kind}'\nhost = 'hpc'\nssh_config = '{self.config}'\nconnect_timeout = 4\n"

    def transport(self, world: World, root: str) -> Transport:
        """A new way over it."""
        cluster = world.settings(root, self.keys).config.clusters["hpc"]
        return open_transport("hpc", cluster)

    def close(self) -> None:
        """Leave it."""
        self.relay.__exit__(None, None, None)


@pytest.mark.parametrize("kind", ["paramiko", "openssh"])
def test_a_real_connection_breaks(
    folder: Path, server: Server, kind: str, amount: Amount, tell: Tell, tmp_path: Path
) -> None:
    """Reset, closed or swallowed anywhere between the first byte of the handshake and the last of the talk."""
    with World(folder, bundle=100_000) as world:
        bench = Bench(world)
        lines: dict[str, Line] = {}

        def line(root: str) -> Line:
            if root not in lines:
                lines[root] = Line(server, kind, tmp_path / f"line-{root}")
            return lines[root]

        def submit_over(way: Line, root: str, key: str) -> None:
            with world.machine(way.transport(world, root), root=root) as client:
                client.submit(keyed(bench.plan, key))

        undisturbed = line("rootless")
        submit_over(undisturbed, "rootless", "undisturbed")
        whole = dict(undisturbed.relay.passed)
        assert min(whole.values()) > 3000

        def one(number: int, fault: Fault, then: str) -> None:
            root = bench.root()
            for archive in (world.base / root / "code").glob("*") if number % 3 else ():
                archive.unlink(missing_ok=True)
            way, wish = line(root), keyed(bench.plan, f"wish {number}")
            way.relay.drop()  # with a shared connection, the next one is new
            way.relay.breaks(fault)
            trial = Trial(f"{kind}: {fault}, then {then}", f"{kind} {fault.kind}", bench.runs(wish))
            bench.trials.append(trial)
            with (
                world.machine(way.transport(world, root), root=root) as client,
                world.machine(here(), root=root) as other,
            ):
                run_trial(trial, wish, client, other, then=then)
            way.relay.drop()

        draw = random.Random(amount.seed)
        count = 60 if amount.everything else 5
        faults = [
            Fault(broken, way, draw.randrange(whole[way] + 1))
            for broken in (CUT, RESET, HOLE)
            for way in (UP, DOWN)
            for _ in range(count)
        ]
        try:
            bench.each(one, faults, at_once=6)
            tell(f"over {kind}", bench.figures())
        finally:
            for each in lines.values():
                each.close()
