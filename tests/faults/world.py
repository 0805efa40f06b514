"""A cluster for trials: minislurm's own commands, jobs that leave a line when they train, and clients with own stores."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import trainsub
from trainsub import Client
from trainsub.config import Layer, Settings, resolve
from trainsub.places import Places
from trainsub.plan import Plan
from trainsub.record import names
from trainsub.transport import Transport

MINISLURM = Path(trainsub.__file__).parent / "minislurm" / "__main__.py"
CLUSTER = "hpc"
NAME = "fault"
SPEC = """\
name = "{name}"
command = ["true"]
{code}
[slurm]
nodes = 1
time = "00:05:00"
cpus_per_task = 1
[launch]
kind = "srun"
nproc_per_node = 1
"""
HASTE = 0.08
"""Real seconds for each that a client means to sleep."""


class Hasty:
    """A clock whose sleeping is short: a client that tries for a minute tries as often, and takes a second."""

    def __init__(self) -> None:
        self._slept = 0.0

    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds, with those that were slept away."""
        return time.monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        """Sleep a little."""
        self._slept += seconds * (1 - HASTE)
        time.sleep(seconds * HASTE)


@dataclass(frozen=True)
class Job:
    """A job as Slurm has it."""

    job_id: int
    name: str
    comment: str
    state: str


class World:
    """One embedded cluster and any number of users' machines before it.

    Args:
        base: An empty folder.
        bundle: Bytes of code that travel with a run; none for no code.
    """

    def __init__(self, base: Path, *, bundle: int = 0) -> None:
        self.base = base
        self.home = base / "minislurm"
        self.trained = base / "trained"
        self.bundle = bundle
        self._lock = threading.Lock()
        self._machines = 0

    def __enter__(self) -> Self:
        self.base.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-I", MINISLURM, self.home, "setup"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        code = "code = false"
        project = self.base / "project"
        project.mkdir()
        if self.bundle:
            code = ""
            (project / "weights").write_bytes(hashlib.shake_256(b"weights").digest(self.bundle))
            for number in range(5):
                (project / f"train{number}.py").write_text(f"print({number})\n" * 50)
        (project / "job.toml").write_text(SPEC.format(name=NAME, code=code))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.slurm("scancel", "--user", str(os.getuid()))
        until(lambda: not self.alive(), "the queue to be empty")
        shutil.rmtree(self.base, ignore_errors=True)

    # -- clients ------------------------------------------------------------------------------------------------------

    def settings(self, root: str, more: str = 'transport = "local"') -> Settings:
        """A configuration with this cluster, below a root of its own."""
        import tomllib  # noqa: PLC0415 - as little as possible is loaded before a fork

        text = f"[clusters.{CLUSTER}]\n{more}\nremote_root = '{self.base / root}'\nslurm_bin = '{self.home / 'bin'}'\n"
        data = tomllib.loads(text)
        return resolve([Layer(name="user", origin="test", data=data, base=str(self.base))], home=str(self.base))

    def machine(
        self, transport: Transport, *, root: str = "root", told: Callable[[str], None] | None = None, state: str = ""
    ) -> Client:
        """A client on a machine of its own: nothing is in its store, unless it is that of a former one."""
        with self._lock:
            self._machines += 1
            folder = self.base / "machines" / (state or str(self._machines))
        environ = {"TRAINSUB_STATE_DIR": str(folder / "state"), "TRAINSUB_CACHE_DIR": str(self.base / "cache")}
        return Client(
            self.settings(root),
            places=Places(environ, working_directory=self.base),
            connect=lambda _name, _cluster: transport,
            clock=Hasty(),
            tell=told,
        )

    def plan(self, client: Client) -> Plan:
        """A plan whose job trains by leaving a line, behind the real fence."""
        plan = client.plan(self.base / "project" / "job.toml", cluster=CLUSTER)
        return replace(plan, script=trains(plan.script, self.trained))

    # -- what is there ------------------------------------------------------------------------------------------------

    def slurm(self, *command: str) -> str:
        """Run one of minislurm's commands; what it printed."""
        argv = [str(self.home / "bin" / command[0]), *command[1:]]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    def alive(self) -> str:
        """Jobs that have not ended."""
        return self.slurm("squeue", "--noheader", "--format=%A %j %T")

    def jobs(self) -> list[Job]:
        """All jobs of these trials, by name, with their comments."""
        return parse_jobs(self.slurm("sacct", "-nPX", "-S", "now-1days", f"--format={JOB_COLUMNS}"))

    def trainings(self) -> list[tuple[str, int]]:
        """What trained: run and job."""
        return parse_trainings(self.trained.read_text() if self.trained.exists() else "")

    def leftovers(self) -> list[str]:
        """Folders of programs that have not come to their end."""
        return [str(path) for path in self.base.glob("root*/.new.*")]


JOB_COLUMNS = "JobIDRaw,JobName,State,SubmitLine"
_COMMENT = re.compile(r"--comment=(\S+)")


def parse_jobs(text: str) -> list[Job]:
    """What sacct printed."""
    found = []
    for line in text.splitlines():
        number, name, state, submitted = line.split("|", 3)
        comment = _COMMENT.search(submitted)
        if name.startswith(f"{NAME}-"):
            found.append(Job(int(number), name, comment.group(1) if comment else "", state))
    return found


def parse_trainings(text: str) -> list[tuple[str, int]]:
    """Lines that jobs left."""
    return [(run, int(job)) for run, job in (line.split() for line in text.splitlines())]


def trains(script: str, file: Path | str) -> str:
    """The script up to its training, which is one line in a file."""
    head, mark, _ = script.partition("\nexport SLURM_EXPORT_ENV")
    assert mark
    assert 'ln -sn "$job" "$owner"' in head
    return f"{head}\necho \"${{run_dir##*/}} $SLURM_JOB_ID\" >>'{file}'\n"


def keyed(plan: Plan, key: str, *, drawn: bool = False) -> Plan:
    """The same plan for another wish."""
    return replace(plan, key=key, key_drawn=drawn, run=names.run_id(plan.spec.name, key))


def until(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Wait for what others do."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.2)


def fast_folder() -> Path:
    """A folder in memory, where there is one: a store for each trial is many small files."""
    memory = Path("/dev/shm")
    where = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="trainsub-faults-", dir=where))


def processes_of(base: Path) -> Sequence[str]:
    """Command lines of programs that still hold something below a folder in their environment or arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(base) in words:
            found.append(words)
    return found
