"""A cluster of stand-ins (tests/standins.py) for the remote programs: every shell, a hostile home, a snapshot."""

# ruff: noqa: D102 - their names say what they are

import hashlib
import io
import os
import shutil
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from standins import RUN, US, CutChannel, Login, Slurm, wait_until

from trainsub.remote import SubmitRequest

__all__ = ["RUN", "US", "Cluster", "CutChannel", "Login", "Slurm", "wait_until"]

SHELLS = {
    "dash": ("dash",),
    "bash": ("bash", "--posix"),
    "busybox": ("busybox", "sh"),
    "macos": (str(Path(__file__).parent / "macos" / "sh"),),
}


@dataclass(frozen=True)
class Cluster:
    """All of it, in one directory."""

    home: Path
    slurm: Slurm
    login: Login
    archive: Path

    @property
    def root(self) -> Path:
        return self.home / ".trainsub"

    @property
    def run_dir(self) -> Path:
        return self.root / "runs" / RUN

    def request(self, **changes: object) -> SubmitRequest:
        values: dict[str, object] = {
            "remote_root": "~/.trainsub",
            "run": RUN,
            "link": 1,
            "files": {"script.sbatch": b'#!/bin/bash\necho "$1"\n', "spec.toml": b"name = 'x'\n"},
            "archive": self.archive,
            "sha256": hashlib.sha256(self.archive.read_bytes()).hexdigest(),
            "size": self.archive.stat().st_size,
            "slurm_bin": str(self.slurm.bin),
            "sbatch_timeout": 20,
        }
        return SubmitRequest(**{**values, **changes})  # type: ignore[arg-type]

    def other_login(self) -> Login:
        return Login(self.login.shell)

    def leftovers(self) -> list[str]:
        """What a submit that ended should not leave, and the run's directory if it is there."""
        if not self.root.exists():
            return []
        kept = {"PROTOCOL", "runs", "code"}
        return [path.name for path in self.root.iterdir() if path.name not in kept] + [
            path.name for path in (self.root / "runs").glob("*")
        ]


def add(tar: tarfile.TarFile, name: str, data: bytes = b"", *, mode: int = 0o644, **more: object) -> None:
    """Add a member to an archive."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = mode
    info.mtime = 1_700_000_000
    for key, value in more.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def installed(program: str) -> str:
    """Where a program is; if it is missing the test fails in CI, and is skipped elsewhere in a word that names it."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is not installed: apt-get install {program}")
        pytest.skip(f"NOT TESTED with {program}: it is not installed")
    return found


@pytest.fixture(params=sorted(SHELLS))
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Each shell that may be somebody's /bin/sh."""
    command = SHELLS[request.param]
    installed(command[0])
    return command


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A snapshot with all that must survive: modes, a symbolic link, an empty directory, odd names."""
    path = tmp_path / "snap:shot.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        add(tar, "train.py", b"print('hello')\n")
        add(tar, "run.sh", b"#!/bin/sh\n", mode=0o755)
        add(tar, "empty", type=tarfile.DIRTYPE, mode=0o755)
        add(tar, "locked", type=tarfile.DIRTYPE, mode=0o555)
        add(tar, "link", type=tarfile.SYMTYPE, linkname="train.py")
        add(tar, "dir/with space/ünïcode $(x)\n.txt", b"x")
        add(tar, "big.bin", bytes(range(256)) * 1024)
    return path


@pytest.fixture
def cluster(
    tmp_path: Path, shell: tuple[str, ...], archive: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    """A cluster with an empty home directory whose name is not nice."""
    home = tmp_path / "ho me'$x"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    yield Cluster(home, Slurm(tmp_path), Login(shell), archive)
    for locked in home.rglob("locked"):
        locked.chmod(stat.S_IRWXU)
