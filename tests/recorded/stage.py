"""A real cluster on which scenes are played, and what was answered in them."""

import base64
import shlex
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from clusters import SlurmCluster
from recorded.answers import Recorded

from trainsub.record.names import comment
from trainsub.slurm import sacct, sbatch, squeue
from trainsub.slurm.environment import SET

USER = "alice"
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
HASH = "0a1b2c3d"
"""What the names of all runs here end with."""

_ALONE = """\
folder=$(mktemp -d) && "$@" >"$folder/out" 2>"$folder/err" </dev/null
echo "$?" && base64 -w0 "$folder/out" && echo && base64 -w0 "$folder/err" && rm -r "$folder"
"""


class Stage:
    """One cluster.

    Args:
        cluster: It.

    Attributes:
        answers: All that was recorded, in order.
        scene: The name of the scene that is being played.
    """

    def __init__(self, cluster: SlurmCluster) -> None:
        self.cluster = cluster
        self.answers: list[Recorded] = []
        self.scene = ""

    # -- what is recorded ---------------------------------------------------------------------------------------------

    def record(self, name: str, argv: Sequence[str], *, settings: Iterable[tuple[str, str]] = SET) -> Recorded:
        """Run a command as trainsub runs it, and keep the answer as ``<name>.txt``."""
        env = {**dict(settings), "TZ": "UTC0"}
        code, printed = self.cluster.exec(["bash", "-c", _ALONE, "bash", *argv], user=USER, env=env)
        lines = printed.splitlines()
        if code or len(lines) not in {2, 3}:
            raise RuntimeError(f"{shlex.join(argv)} could not be recorded: {printed}")
        out, err = (base64.b64decode(text).decode(errors="replace") for text in (*lines[1:], "")[:2])
        self.answers.append(Recorded(self.scene, f"{name}.txt", tuple(argv), int(lines[0]), out, err))
        return self.answers[-1]

    def queue(self, name: str, run: str) -> None:
        """Record squeue's rows of a run as ``<name>.squeue.txt``."""
        self.record(f"{name}.squeue", squeue.by_name_argv(run))

    def accounts(self, name: str, *jobs: int) -> None:
        """Record sacct's records of jobs as ``<name>.sacct.txt``."""
        self.record(f"{name}.sacct", sacct.argv(jobs, SINCE))

    def long_form(self, name: str, job: int) -> None:
        """Record the controller's long form of a job as ``<name>.scontrol-job.txt``."""
        self.record(f"{name}.scontrol-job", ["scontrol", "show", "job", str(job)])

    def waiting(self, name: str, job: int, reason: str) -> None:
        """Record all three of a job that waits, when squeue gives this reason; 22.05 tells the accounts seconds later."""
        self.until(job, f"PENDING {reason}")
        self.until_booked(job, "PENDING")
        self.all_of(name, job)

    def all_of(self, name: str, job: int) -> None:
        """Record all three."""
        self.queue(name, run_of(name))
        self.accounts(name, job)
        self.long_form(name, job)

    # -- what is played -----------------------------------------------------------------------------------------------

    def argv_of_sbatch(self, run: str) -> list[str]:
        """Return sbatch's command as trainsub/remote/submit.sh has it."""
        folder = f"/home/{USER}/runs/{run}"
        return [
            "sbatch",
            "--parsable",
            f"--job-name={run}",
            f"--comment={comment(run, 1)}",
            f"--chdir={folder}/work",
            f"--output={folder}/logs/%j.out",
            "--open-mode=append",
            f"{folder}/script.sbatch",
            folder,
            "1",
        ]

    def place(self, run: str, script: str, options: Mapping[str, sbatch.Value]) -> None:
        """Put a run's folder and script on the cluster."""
        lines = ["#!/bin/sh", *sbatch.directives(options), script, ""]
        folder = f"/home/{USER}/runs/{run}"
        make = 'mkdir -p "$1/work" "$1/logs" && printf %s "$2" >"$1/script.sbatch"'
        self.there("sh", "-c", make, "sh", folder, "\n".join(lines))

    def submit(self, scene: str, script: str, options: Mapping[str, sbatch.Value] | None = None) -> int:
        """Submit a job that is named after its scene; its id."""
        self.place(run_of(scene), script, {"time": "00:05:00", **(options or {})})
        return int(self.there(*self.argv_of_sbatch(run_of(scene))).split(";")[0])

    def there(self, *argv: str) -> str:
        """Run a command as the user; what it printed."""
        return self.cluster.check(argv, user=USER)

    def root(self, *argv: str) -> str:
        """Run a command as root; what it printed."""
        return self.cluster.check(argv)

    def state(self, job: int) -> str:
        """State and reason of a job, or of an array's first row, in squeue."""
        code, text = self.cluster.exec(["squeue", "-h", "-t", "all", "-j", str(job), "-o", "%T %r"], user=USER)
        return text.splitlines()[0] if code == 0 and text.strip() else ""

    def until(self, job: int, *words: str, seconds: float = 90) -> int:
        """Wait until squeue says one of these of a job: a state, or a state and a reason."""
        wanted = [word if " " in word else f"{word} " for word in words]
        wait(lambda: f"{self.state(job)} ".startswith(tuple(wanted)), f"job {job} to be {words}", seconds)
        return job

    def until_booked(self, job: int, *words: str) -> int:
        """Wait until sacct's newest record of a job has one of these states and the job's own name."""
        argv = ["sacct", "-nPXD", "-j", str(job), "-o", "State,JobName"]

        def booked() -> bool:
            rows = [row for row in self.there(*argv).splitlines() if row]
            # On 22.05 the record of a quick job is called "allocation" for some seconds.
            return bool(rows) and rows[-1].startswith(words) and not any(row.endswith("|allocation") for row in rows)

        wait(booked, f"sacct to call job {job} {words}")
        return job

    def until_file(self, run: str, text: str) -> None:
        """Wait until a run's log has a text."""
        argv = ["sh", "-c", 'cat "$1"/logs/*', "sh", f"/home/{USER}/runs/{run}"]
        wait(lambda: text in self.cluster.exec(argv, user=USER)[1], f"the log of {run} to say {text!r}")

    def evidence(self) -> str:
        """Return what helps to see why a scene failed."""
        queue = self.cluster.exec(["squeue", "-t", "all", "-o", "%i %j %T %r %S %N"])[1]
        return queue + self.cluster.exec(["tail", "-n", "20", "/var/log/slurm/slurmctld.log"])[1]

    def clear(self) -> None:
        """End all jobs, and wait until the nodes are free."""
        self.cluster.exec(["scancel", "-u", USER])
        living = ["squeue", "-h", "-u", USER, "-t", "PD,R,CG,S,CF,ST,RS", "-o", "%A"]
        wait(lambda: not self.root(*living).split(), "all jobs to end")


def run_of(scene: str) -> str:
    """Return the id of the run that a scene is about."""
    return f"{scene}-{HASH}"


def wait(condition: Callable[[], bool], what: str, seconds: float = 90) -> None:
    """Wait until something is true.

    Raises:
        TimeoutError: It did not come true.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.2)
