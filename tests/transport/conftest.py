"""Fixtures of the transport's tests: a real sshd, and transports to it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sshd import SSHD, Cluster, Server, end_masters, start_sshd, stop_sshd

from trainsub.transport import Transport, open_transport
from trainsub.transport.base import Ask


@pytest.fixture(scope="session")
def _sshd_installed() -> None:
    if not Path(SSHD).exists() or shutil.which("ssh-keygen") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("sshd is not installed: apt-get install openssh-server openssh-client")
        pytest.skip("NOT TESTED over SSH: sshd is not installed (apt-get install openssh-server openssh-client)")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's privilege separation wants it


@pytest.fixture(scope="session")
def sshd(_sshd_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The sshd that most tests share."""
    server = start_sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    stop_sshd(server)


@pytest.fixture
def sshd_with(_sshd_installed: None, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start an sshd of one's own, with extra lines of configuration."""
    started: list[Server] = []

    def start(*extra: str) -> Server:
        directory = tmp_path / f"sshd{len(started)}"
        directory.mkdir()
        started.append(start_sshd(directory, *extra))
        return started[-1]

    yield start
    for server in started:
        stop_sshd(server)


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place of the test's own for control sockets, with a short path; what holds a connection ends with the test."""
    folder = Path(tempfile.mkdtemp(prefix="ts", dir="/tmp"))
    monkeypatch.setenv("TRAINSUB_RUNTIME_DIR", str(folder))
    yield folder
    end_masters(folder)
    shutil.rmtree(folder, ignore_errors=True)  # a master may just be removing its socket


@pytest.fixture
def connect() -> Iterator[Callable[..., Transport]]:
    """Make transports that are closed at the end: ``connect(config, host="hpc", ...)``."""
    made: list[Transport] = []

    def make(config: Path | None, *, ask: Ask | None = None, **settings: object) -> Transport:
        cluster = Cluster(**{"host": "hpc", "ssh_config": config, **settings})  # type: ignore[arg-type]
        made.append(open_transport("hpc", cluster, ask=ask))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture(params=["local", "paramiko", "openssh"])
def transport(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Transport]:
    """Each kind of transport, for the contract suite."""
    if request.param == "local":
        cluster = Cluster(transport="local")
    else:
        server: Server = request.getfixturevalue("sshd")
        cluster = Cluster(transport=request.param, host="hpc", ssh_config=server.config(tmp_path / "ssh_config"))
    transport = open_transport("hpc", cluster)
    yield transport
    transport.close()
