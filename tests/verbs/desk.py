"""Scaffolding: a desk with a fake clock, before clusters whose Slurm commands are stand-ins (tests/standins.py).

Everything between the library's face and the shells is the real thing: store, claims, tracker, transport and remote
programs. The stand-ins are there for failures that a real Slurm does not produce on demand: silence, garbage, an answer
that comes late, an id that is used again. What Slurm really says is tested in tests/cluster.
"""

# ruff: noqa: D102 - the doubles' methods are those of what they stand for

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from standins import Login, Slurm, wait_until

from trainsub import Client, Run
from trainsub.places import Places
from trainsub.plan import Plan
from trainsub.spec import JobSpec, parse_spec
from trainsub.transport.base import Channel

if TYPE_CHECKING:
    from trainsub.errors import TrainsubError

SPEC = """\
name = "demo"
command = ["python3", "train.py"]
code = false
[slurm]
nodes = 1
gpus_per_node = 8
time = "1:00:00"
"""

SQUEUE = r"""
want=
for word; do case $word in --name=*) want=${word#*=} ;; esac; done
awk -F '\037' -v want="$want" 'want == "" || $14 == want' "$state/queue" | as_asked
"""
SACCT = r"""
since=0 jobs= want=
for word; do case $word in uts*) since=${word#uts} ;; --jobs=*) jobs=,${word#*=}, ;; --name=*) want=${word#*=} ;; esac; done
awk -F '\037' -v since="$since" -v jobs="$jobs" -v want="$want" '
    ($8 == "Unknown" || $8 >= since) && (jobs == "" || index(jobs, "," $1 ",")) && (want == "" || $16 == want)
' "$state/accounting" | as_asked
"""
SCANCEL = r"""
want= ids=,
for word; do case $word in --name=*) want=${word#*=} ;; -*) ;; *) ids=$ids$word, ;; esac; done
awk -F '\037' -v OFS='\037' -v ids="$ids" -v want="$want" -v now="$(date +%s)" '
    index(ids, "," $1 ",") && (want == "" || $14 == want) { $4 = "CANCELLED"; $8 = now } { print }
' "$state/queue" >"$state/queue.new"
mv "$state/queue.new" "$state/queue"
"""
CONFIGURATION = 'echo "AccountingStorageTRES = cpu,gres/gpu"; echo "SLURM_VERSION = 24.11.5"'
SILENT = 'echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2; exit 1'


class Clock:
    """A clock that only sleeping moves, with what is to happen at a time."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC).replace(microsecond=0)
        self.seconds = 0.0
        self.slept: list[float] = []
        self._later: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        assert len(self.slept) < 200, "this waits for ever"
        self.time += timedelta(seconds=seconds)
        self.seconds += seconds
        due = [action for at, action in self._later if at <= self.seconds]
        self._later = [(at, action) for at, action in self._later if at > self.seconds]
        for action in due:
            action()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Let something happen, seconds from now."""
        self._later.append((self.seconds + seconds, action))

    def skip(self, **how_long: float) -> None:
        """Let time pass, or set the clock back."""
        self.time += timedelta(**how_long)


class Road(Login):
    """The way to a cluster, which may be blocked or cut; all clients take it."""

    def __init__(self) -> None:
        super().__init__(("/bin/sh",))
        self.blocked: list[TrainsubError | None] = []
        """What the next execs end with before anything is sent; the last one stays."""
        self.cuts: list[int | None] = []
        """After how many bytes of their answers the next execs are cut."""
        self.sends: list[int | None] = []
        """After how many bytes of what they are sent the next execs are cut."""

    def open(self, argv: Sequence[str], *, what: str = "") -> Channel:
        error = self.blocked[0] if self.blocked else None
        del self.blocked[: len(self.blocked) > 1]
        if error is not None:
            raise error
        self.in_limit = self.cuts.pop(0) if self.cuts else None
        self.out_limit = self.sends.pop(0) if self.sends else None
        return super().open(argv, what=what)


class Site:
    """A cluster: its Slurm, its files, and the way there."""

    def __init__(self, folder: Path) -> None:
        self.slurm = Slurm(folder)
        self.root = folder / "root"
        self.road = Road()
        scontrol = self.slurm.bin / "scontrol"
        scontrol.write_text((self.slurm.bin / "squeue").read_text())
        scontrol.chmod(0o755)
        for name, script in (("squeue", SQUEUE), ("sacct", SACCT), ("scancel", SCANCEL), ("scontrol", CONFIGURATION)):
            self.slurm.says(name, script)

    def clear(self) -> None:
        """Let squeue show nothing."""
        (self.slurm.state / "queue").write_text("")

    def shows(self, run: Run, state: str, **more: Any) -> None:
        """Let squeue show one job alone, that of a run."""
        self.clear()
        self.add(run, state, **more)

    def add(self, run: Run, state: str, **more: Any) -> None:
        """Let squeue show a run's job too."""
        values = {"name": run.run, "comment": f"trainsub:{run.run}:1", "start": stamp(), "tres": "cpu=1,gres/gpu=8"}
        self.slurm.queue(run.jobs[0].job_id, state=state, **{**values, **more})

    def accounts(self, run: Run, state: str, **more: Any) -> None:
        """Let sacct show a record of a run's job: an hour on eight GPUs."""
        values = {"submitted": stamp(-3601), "start": stamp(-3600), "end": stamp(), "tres": "cpu=1,gres/gpu=8"}
        self.slurm.account(run.jobs[0].job_id, run.run, state=state, **{**values, **more})

    def ended(self, run: Run, state: str = "COMPLETED", **more: Any) -> None:
        """Let a job have left the queue, with its record closed."""
        self.clear()
        self.accounts(run, state, **more)

    def log(self, run: Run) -> Path:
        """The log of a run's job."""
        return self.root / "runs" / run.run / "logs" / f"{run.jobs[0].job_id}.out"

    def holds(self, name: str) -> Callable[[], None]:
        """Make a command wait when it is called, until the function that this returns is called."""
        gate = self.slurm.state / f"{name}.gate"
        self.slurm.before(name, f'touch "{gate}.met"; while [ ! -e "{gate}" ]; do sleep 0.02; done')
        return gate.touch

    def met(self, name: str) -> None:
        """Wait until a command that is held has been called."""
        wait_until((self.slurm.state / f"{name}.gate.met").exists)


class Desk:
    """One user's machine: a store, two configured clusters, a clock, and what was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.alpha, self.beta = Site(folder / "alpha"), Site(folder / "beta")
        self.clock = Clock()
        self.told: list[str] = []
        self.config = folder / "config.toml"
        self.configure()
        self._clients: list[Client] = []

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a command of this user."""
        return {"TRAINSUB_STATE_DIR": str(self.folder / "state"), "TRAINSUB_CACHE_DIR": str(self.folder / "cache")}

    def configure(self, alpha: str = "", beta: str = "", *, clusters: Sequence[str] = ("alpha", "beta")) -> None:
        """Write the configuration; more keys for each cluster."""
        more = {"alpha": alpha, "beta": beta}
        tables = [
            f'[clusters.{name}]\ntransport = "local"\nremote_root = "{self.folder}/{name}/root"\n'
            f'slurm_bin = "{self.folder}/{name}/slurm bin"\n{more[name]}\n'
            for name in clusters
        ]
        default = [f'default_cluster = "{clusters[0]}"\n'] if clusters else []
        self.config.write_text("".join([*default, *tables]))

    def client(
        self, *, cluster: str | None = None, clock: Clock | None = None, state: str = "", alpha: Road | None = None
    ) -> Client:
        """What another process, or another machine with its own store, would use."""
        environ = {**self.environ, **({"TRAINSUB_STATE_DIR": str(self.folder / state)} if state else {})}
        places = Places(environ, working_directory=self.folder, config_file=self.config)
        roads = {"alpha": alpha or self.alpha.road, "beta": self.beta.road}
        made = Client(
            places=places,
            cluster=cluster,
            clock=clock or self.clock,
            tell=self.told.append,
            connect=lambda name, _: roads[name],
        )
        self._clients.append(made)
        return made

    def close(self) -> None:
        for client in self._clients:
            client.close()


def stamp(seconds: float = 0) -> int:
    """A time as Slurm prints it, seconds from now."""
    return int(time.time() + seconds)


def spec(**sets: object) -> JobSpec:
    """The spec of these tests."""
    return parse_spec(SPEC, origin="test", sets=[f"{key.replace('__', '.')}={value}" for key, value in sets.items()])


def plan(client: Client, key: str | None = None, cluster: str | None = None, **sets: object) -> Plan:
    """A plan for it."""
    return client.plan(spec(**sets), key=key, cluster=cluster)


def submitted(client: Client, key: str | None = None, cluster: str | None = None, **sets: object) -> Run:
    """A run that was accepted."""
    return client.submit(plan(client, key, cluster, **sets))


class Elsewhere:
    """A call that another thread makes, with its own client, as another process would."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        self._error: BaseException | None = None
        self._value: Any = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is asked for
            self._error = error

    def result(self) -> Any:
        """What came of it."""
        self._thread.join(30)
        assert not self._thread.is_alive(), "it goes on and on"
        if self._error is not None:
            raise self._error
        return self._value
