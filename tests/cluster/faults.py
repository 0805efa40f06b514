"""What is compared after a fault: trainsub's word with Slurm's, and what it did with what it was told to do."""

import json
import re
import subprocess
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cluster import billing
from cluster.laptop import Laptop, Said, until
from clusters import SlurmCluster

ORDERS = ("scancel", "scontrol update", "scontrol requeue", "scontrol hold", "scontrol release")
"""Commands that change jobs."""

FRESH_SECONDS = 2
"""Younger than this, status does not ask for it again (half of poll_seconds, and a little more)."""


@dataclass
class Told:
    """A laptop, and what was submitted from it.

    Attributes:
        laptop: It.
        jobs: Job id by run.
        submits: How many submissions were sent, refused and lost ones included.
        started: Commands that go on in the background.
    """

    laptop: Laptop
    jobs: dict[str, int] = field(default_factory=dict)
    submits: int = 0
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def submit(self, *specs: Path) -> list[str]:
        """Submit, all at the same time, with the names of their folders as keys; the runs."""
        words = [("submit", spec, "--key", spec.parent.name, "--json") for spec in specs]
        runs = [said.ok().run for said in self.laptop.run_all(*words)]
        self.submits += len(specs)
        self.jobs |= {run["run"]: run["job_id"] for run in runs}
        return [run["run"] for run in runs]

    # -- Slurm's word -------------------------------------------------------------------------------------------------

    def in_queue(self, run: str) -> str:
        """What squeue says: a state and a reason; empty where it does not know the job."""
        code, text = self.laptop.cluster.exec(
            ["squeue", "-h", "-t", "all", "-j", str(self.jobs[run]), "-o", "%T %r"], user=self.laptop.user
        )
        return text.strip() if code == 0 else ""

    def until_queue(self, run: str, word: str, seconds: float = 60) -> None:
        """Wait until squeue says it."""
        until(lambda: self.in_queue(run).startswith(word), f"squeue to say {word} of {run}", seconds)

    def in_accounts(self, run: str) -> list[tuple[str, str, str]]:
        """sacct's records: state, start and end, oldest first."""
        argv = ["env", "SLURM_TIME_FORMAT=%s", "sacct", "-nPXD", "-S", "now-3days", "-j", str(self.jobs[run])]
        rows = self.laptop.there(*argv, f"--name={run}", "-o", "State,Start,End").splitlines()
        return [(state.split()[0], start, end) for state, start, end in (row.split("|") for row in rows)]

    def until_booked(self, *runs: str) -> None:
        """Wait until the database's tables have the end of every run."""
        for run in runs:
            until(lambda run=run: self._booked(run), f"the end of {run} in the database")  # type: ignore[misc]

    def _booked(self, run: str) -> bool:
        held = billing.rows(self.laptop.cluster, self.jobs[run], run)
        return bool(held) and all(row.end for row in held)

    # -- trainsub's word ----------------------------------------------------------------------------------------------

    def status(self, *runs: str) -> dict[str, dict[str, Any]]:
        """What status says now, by run; it must be able to ask."""
        return {run["run"]: run for run in self.laptop.run("status", *runs, "--json").ok().document["runs"]}

    def check_silence(self, run: str, state: str, *, words: str = "could not be asked") -> Said:
        """Look at what status says while the cluster cannot be asked: code 4, why, and the last known with its age.

        What is new is not asked for again: that is waited for.
        """
        wait_until_old(self.laptop, run)
        said = self.laptop.run("status", run)
        assert said.code == 4, said
        assert words in said.err, said
        assert re.search(rf"\n *state +{state}( \w+)? \(squeue, .* ago", said.out), said
        return said

    def check_ends(self, ends: dict[str, str]) -> None:
        """Look at the final states, the allocations and the bill, beside sacct and the database's own tables.

        Args:
            ends: State by run.
        """
        self.until_booked(*ends)
        used = self.laptop.run("usage", *ends, "--json").ok().document["runs"]
        for one in used:
            held = billing.rows(self.laptop.cluster, self.jobs[one["run"]], one["run"])
            assert one["gpu_seconds"] == billing.gpu_seconds(held), (one, held)
            assert not one["provisional"], one
        known = self.status(*ends)
        assert {run: document["state"] for run, document in known.items()} == ends
        for run, document in known.items():
            (job,) = document["jobs"]
            records = self.in_accounts(run)
            assert records[-1][0] == ends[run], (run, records)
            told = [(one["state"], _epoch(one["start_time"]), _epoch(one["end_time"])) for one in job["allocations"]]
            assert told == [(state, _number(start), _number(end)) for state, start, end in records], (run, records)
            assert job["job_id"] == self.jobs[run]

    def check_nothing_else(self, *cancelled: str, killed: int = 0) -> None:
        """Look whether trainsub submitted, cancelled or changed anything that it was not told to.

        Args:
            cancelled: The runs that it was told to cancel.
            killed: How many submissions were killed: they may be missing from the audit log.
        """
        audit = self.laptop.audit()
        sent = sum(line["what"] == "submit" for line in audit)
        assert self.submits - killed <= sent <= self.submits, (sent, self.submits)
        commands = [command for line in audit for command in line["commands"]]
        orders = [command for command in commands if " ".join(command[:2]).startswith(ORDERS)]
        assert {command[0] for command in orders} <= {"scancel"}, orders
        assert {word for command in orders for word in command if word.isdigit()} == {
            str(self.jobs[run]) for run in cancelled
        }, orders
        # A submission of a run that is there already calls no sbatch.
        sbatches = [command for command in commands if command[0] == "sbatch"]
        assert len(self.jobs) - killed <= len(sbatches) <= self.submits, (self.jobs, self.submits, sbatches)
        jobs = set(self.jobs.values())
        # 22.05 writes the first records of a job some seconds late.
        until(lambda: jobs <= self.there(), f"all of {jobs} in the database")
        assert self.there() == jobs, (self.there(), jobs)

    def there(self) -> set[int]:
        """Ids of all jobs below this laptop's root that Slurm's database has ever heard of, or squeue shows.

        Not sacct's: unless it is asked by id, it leaves out jobs that were cancelled while they were held.
        """
        query = f"SELECT id_job FROM sandbox_job_table WHERE work_dir LIKE '{self.laptop.root}/%'"
        booked = {int(row[0] or 0) for row in self.laptop.cluster.sql(query)}
        return booked | {int(job) for job in self.laptop.queued()}

    # -- commands that go on ------------------------------------------------------------------------------------------

    def start(self, *words: str | Path) -> subprocess.Popen[bytes]:
        """Start ``trainsub WORDS``; it is ended with the test."""
        self.started.append(self.laptop.start(*words))
        return self.started[-1]

    def end(self) -> None:
        """End what still goes on."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            if process.stdout and not process.stdout.closed:
                process.communicate()


def wait_until_old(laptop: Laptop, run: str) -> None:
    """Wait until status would ask again."""
    known = laptop.run("status", run, "--cached", "--json").ok().run
    seen = datetime.fromisoformat(known["observed_at"]).timestamp()
    time.sleep(max(0.0, seen + FRESH_SECONDS - time.time()))


def mend(cluster: SlurmCluster) -> None:
    """Bring back all that a test has broken and, because it failed, not mended."""
    cluster.exec(["pkill", "-CONT", "slurmctld"])
    for name in ("slurmdbd", "slurmctld", "sshd"):
        if cluster.exec(["pgrep", name])[0] != 0:
            cluster.service(name)


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _epoch(text: str | None) -> int | None:
    return None if text is None else int(datetime.fromisoformat(text).timestamp())


def documents(said: Said) -> dict[str, dict[str, Any]]:
    """The runs that a command told of, by their names."""
    return {run["run"]: run for run in json.loads(said.out)["runs"]}
