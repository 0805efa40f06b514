"""Kills processes of a minislurm at random moments while jobs run, and looks for what must not be.

By hand: ``python tests/minislurm/storm.py --kills 200``. Linux only: it looks at /proc.
"""

import argparse
import contextlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from trainsub.minislurm.queue import Queue
from trainsub.minislurm.values import Job

MAIN = Path(__file__).parents[2] / "trainsub" / "minislurm" / "__main__.py"
MARKER = "MINISLURM_STORM"
PATIENCE = 120

HEAD = """#!/bin/bash
log={work}/log.$SLURM_JOB_ID
me="$SLURM_JOB_ID ${{SLURM_RESTART_COUNT:-0}}"
echo "begin $me" >>$log
leave() {{ echo "end $me $1" >>$log; exit $1; }}
"""
SCRIPTS = {
    "quick": "leave 0",
    "fails": "leave 7",
    "sleeps": "sleep 0.$((RANDOM % 9)); leave 0",
    "family": "(sleep {nap} & sleep {nap} & (sleep {nap} &) &) ; setsid sleep {nap} & sleep 0.5; leave 0",
    "bare": "env -i setsid sleep {nap} & env -i sh -c 'sleep {nap} & sleep {nap}' & sleep 0.7; leave 3",
    "step": "srun -n2 --overcommit sh -c 'sleep 0.4'; leave $?",
    "steps": "srun -n1 --overlap sh -c 'sleep {nap} & sleep 0.3' & srun -n1 --overlap sleep 0.5 & wait; leave 0",
    "deaf": "trap '' TERM; sleep 0.3; leave 0",
    "parent": "env -u SLURM_RESTART_COUNT sbatch --parsable {work}/quick.sh >>{work}/ids; leave 0",
    "long": "sleep {nap}; leave 0",
}


class Storm:
    """One storm.

    Args:
        folder: An empty folder.
        seed: Of all that is random, but not of what the machine does.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.home = folder / "home"
        self.work = folder / "work"
        self.work.mkdir()
        self.word = uuid.uuid4().hex
        # A process without any environment is known by how long it sleeps.
        self.nap = f"{600 + seed % 100}.{uuid.uuid4().int % 10**12:012}"
        self.environment = {**os.environ, MARKER: self.word, "PATH": f"{self.home}/bin:{os.environ['PATH']}"}
        subprocess.run(
            [sys.executable, "-I", MAIN, self.home, "setup", "--set", "kill_wait=1", "--set", "requeue_delay=0"],
            check=True,
        )
        for name, body in SCRIPTS.items():
            text = HEAD + body + "\n"
            (self.work / f"{name}.sh").write_text(text.format(work=self.work, nap=self.nap))
        self.ids: set[int] = set()
        self.killed: Counter[str] = Counter()
        self.cancelled: set[int] = set()

    # -- what happens ----------------------------------------------------------------------------------------------

    def run(self, kills: int) -> list[str]:
        """Let it rage; return what is wrong afterwards."""
        over = threading.Event()
        users = [threading.Thread(target=self._submit, args=(over,)) for _ in range(2)]
        for user in users:
            user.start()
        while self.killed.total() < kills:
            time.sleep(self.random.expovariate(1 / 0.06))
            self._kill_one()
        over.set()
        for user in users:
            user.join()
        return self._calm() or self.problems()

    def _submit(self, over: threading.Event) -> None:
        while not over.is_set():
            kind = self.random.choice(list(SCRIPTS))
            options = self.random.choice(
                [[], [], ["--no-requeue"], ["-N2", "-n2"], ["--array=1-3%2"], ["--begin=now+1"]]
            )
            limit = ["--signal=B:USR1@1"] if kind == "sleeps" else []
            done = self._command(
                "sbatch", "--parsable", "-o", f"{self.work}/out.%j", *options, *limit, f"{self.work}/{kind}.sh"
            )
            if done.stdout.strip().isdigit():
                self.ids.add(int(done.stdout))
                if kind == "long" or self.random.random() < 0.1:
                    time.sleep(self.random.random())
                    self.cancelled.add(int(done.stdout))
                    self._command("scancel", done.stdout.strip())
            time.sleep(self.random.random() * 0.3)

    def _command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, env=self.environment, cwd=self.work, capture_output=True, text=True, check=False, timeout=60
        )

    def _kill_one(self) -> None:
        victims = list(self._own().items())
        if victims:
            pid, kind = self.random.choice(victims)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.killed[kind] += 1

    def _own(self) -> dict[int, str]:
        """Return the processes of this minislurm, and what they are."""
        found = {}
        for pid, words in _commands().items():
            text = b" ".join(words).decode(errors="replace")
            if str(self.home) in text and pid != os.getpid():
                match = re.search(rf"{re.escape(str(self.home))} (\w+)|(slurm_script)", text)
                found[pid] = (match.group(1) or match.group(2)) if match else "other"
        return found

    # -- what must be ----------------------------------------------------------------------------------------------

    def _calm(self) -> list[str]:
        """Wait until all is over, as users do: they look now and then."""
        end = time.monotonic() + PATIENCE
        open_: list[Job] = []
        while time.monotonic() < end:
            for job_id in self.cancelled:
                # A scancel that was killed is typed again.
                self._command("scancel", str(job_id))
            self._command("squeue")
            with Queue(self.home) as queue:
                open_ = queue.open_jobs()
                for job in open_:
                    if job.held:
                        self._command("scontrol", "release", str(job.job_id))
                    if job.request.name == "long.sh":
                        self.cancelled.add(job.array_job_id)
            if not open_ and not self._own():
                return []
            time.sleep(0.5)
        return [f"not over: {[(job.job_id, job.state, job.reason, job.stepd) for job in open_]}, {self._own()}"]

    def problems(self) -> list[str]:
        """Return what is wrong with the queue, the jobs and the processes."""
        wrong: list[str] = []
        with contextlib.closing(sqlite3.connect(self.home / "queue.sqlite")) as database:
            (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
        wrong += [] if verdict == "ok" else [f"the queue: {verdict}"]
        with Queue(self.home) as queue:
            jobs = queue.all_jobs()
            known = {job.array_job_id for job in jobs}
            steps = [step for step in queue.steps() if step.end is None]
        nested = {int(line) for line in _lines(self.work / "ids") if line.isdigit()}
        wrong += [f"job {job_id} was lost" for job_id in (self.ids | nested) - known]
        wrong += [f"a step never ended: {step}" for step in steps]
        wrong += [problem for job in jobs for problem in self._false(job)]
        wrong += [f"process {pid} is alive: {words}" for pid, words in self._orphans().items()]
        return wrong

    def _false(self, job: Job) -> list[str]:
        """Return in what a job's state disagrees with what its script wrote."""
        lines = [line.split() for line in _lines(self.work / f"log.{job.job_id}")]
        begun = Counter(line[2] for line in lines if line[0] == "begin" and len(line) == 3)
        ends = {line[2]: int(line[3]) for line in lines if line[0] == "end" and len(line) == 4}
        wrong = [f"start {restart} of it ran {count} times" for restart, count in begun.items() if count > 1]
        last = str(job.restarts)
        match job.state:
            case "COMPLETED" | "FAILED" if not job.exit_signal:
                if ends.get(last) != job.exit_code:
                    wrong.append(f"{job.state} {job.exit_code}, but its script wrote {lines}")
            case "FAILED":
                if job.exit_signal != signal.SIGKILL:
                    wrong.append(f"FAILED by signal {job.exit_signal}")
            case "NODE_FAIL":
                if job.request.requeue:
                    wrong.append("NODE_FAIL although it may be requeued")
            case "CANCELLED":
                if job.array_job_id not in self.cancelled:
                    wrong.append("cancelled by nobody")
            case _:
                wrong.append(f"is {job.state}")
        if int(max(begun, key=int, default="0")) > job.restarts:
            wrong.append(f"restarts {job.restarts}, but its script began {dict(begun)}")
        return [f"job {job.job_id} ({job.request.name}): {one}" for one in wrong]

    def _orphans(self) -> dict[int, str]:
        marker = f"{MARKER}={self.word}".encode()
        mine = {os.getpid()}
        return {
            pid: b" ".join(words).decode(errors="replace")
            for pid, words in _commands().items()
            if pid not in mine and (marker in _environment(pid) or self.nap.encode() in b" ".join(words))
        }


def _commands() -> dict[int, list[bytes]]:
    found = {}
    for name in (path.name for path in Path("/proc").iterdir()):
        if name.isdigit():
            with contextlib.suppress(OSError):
                words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
                if words != [b""]:
                    found[int(name)] = words
    return found


def _environment(pid: int) -> list[bytes]:
    with contextlib.suppress(OSError):
        return Path("/proc", str(pid), "environ").read_bytes().split(b"\0")
    return []


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def main(report: Callable[[str], None] = print) -> int:
    """Rage by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="storm."))
    report(f"storm in {folder}, seed {given.seed}")
    storm = Storm(folder, given.seed)
    began = time.monotonic()
    wrong = storm.run(given.kills)
    with Queue(storm.home) as queue:
        states = Counter(job.state for job in queue.all_jobs())
        restarts = sum(job.restarts for job in queue.all_jobs())
    report(f"{time.monotonic() - began:.0f} s, killed {dict(storm.killed)}, jobs {dict(states)}, restarts {restarts}")
    for one in wrong:
        report(f"WRONG: {one}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
