"""A laptop whose connection to a real cluster goes over a relay that breaks it, and many such laptops at once."""

import itertools
import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from cluster.laptop import Laptop, until
from clusters import SlurmCluster
from faults.broken import Fault
from faults.relay import Relay
from faults.trial import NEXT, Figures, Trial, judge, run_trial
from faults.world import JOB_COLUMNS, Hasty, keyed, parse_jobs, parse_trainings, trains

from trainsub import Client
from trainsub.places import Places
from trainsub.plan import Plan

QUICKLY = "  ServerAliveInterval 1\n  ServerAliveCountMax 2\n"
"""A connection that swallows everything is noticed after three seconds."""


def over(relay: Relay, cluster: SlurmCluster, folder: Path) -> Path:
    """An OpenSSH configuration that leads to a cluster over a relay."""
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / "known_hosts"
    host_key = cluster.check(["cat", "/var/lib/trainsub/ssh/ssh_host_ed25519_key.pub"])
    known.write_text(f"[127.0.0.1]:{relay.port} {' '.join(host_key.split()[:2])}\n")
    text = cluster.ssh_config.read_text()
    text = re.sub(r"(?m)^(\s*)Port .*$", rf"\g<1>Port {relay.port}\n{QUICKLY.rstrip()}", text)
    text = re.sub(r"(?m)^(\s*)UserKnownHostsFile .*$", rf"\g<1>UserKnownHostsFile {known}", text)
    config = folder / "ssh_config"
    config.write_text(text)
    return config


class Line:
    """A thread's own way to the cluster, and remote root there."""

    def __init__(self, laptop: Laptop, number: int) -> None:
        self.relay = Relay(laptop.cluster.ssh_port)
        self.relay.__enter__()
        self.folder = laptop.home / f"line-{number}"
        self.config = over(self.relay, laptop.cluster, self.folder)
        self.root = f"{laptop.root}/line-{number}"


class Trials:
    """Trials on a real cluster, several at the same time, each wish with stores of its own.

    Args:
        laptop: Whose account and remote root are used.
    """

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.trained = f"{laptop.root}/trained"
        self.trials: list[Trial] = []
        self._own = threading.local()
        self._count = itertools.count()
        self._lines: list[Line] = []
        spec = laptop.shell_job("true", name="fault")
        with laptop.client() as client:
            plan = client.plan(spec)
        self.plan = replace(plan, script=trains(plan.script, self.trained))

    def line(self) -> Line:
        """This thread's way."""
        if not hasattr(self._own, "line"):
            self._own.line = Line(self.laptop, next(self._count))
            self._lines.append(self._own.line)
        made: Line = self._own.line
        return made

    def machine(self, line: Line, *, broken: bool) -> Client:
        """A client that knows nothing yet, over the relay or not."""
        state = line.folder / f"machine-{next(self._count)}"
        laptop = self.laptop
        config = line.config if broken else laptop.cluster.ssh_config
        other = Laptop(state, laptop.cluster, user=laptop.user, root=line.root)
        other.configure("connect_timeout = 10", ssh_config=config)
        return Client(other.settings(), places=Places(other.environ, working_directory=state), clock=Hasty())

    def size(self) -> dict[str, int]:
        """Bytes of an undisturbed submit in each direction."""
        line = self.line()
        with self.machine(line, broken=True) as client:
            client.submit(keyed(self.plan, "undisturbed"))
        return dict(line.relay.passed)

    def one(self, number: int, fault: Fault) -> None:
        """One trial."""
        line, wish = self.line(), self._wish(number)
        then = random.Random(-number).choice(NEXT)
        trial = Trial(f"{fault}, then {then}", fault.kind, tuple(wish.renewed(n).run for n in range(1, 6)))
        self.trials.append(trial)
        line.relay.breaks(fault)
        with self.machine(line, broken=True) as client, self.machine(line, broken=False) as other:
            run_trial(trial, wish, client, other, then=then)
        line.relay.drop()

    def run(self, faults: list[Fault], *, at_once: int = 6) -> Figures:
        """All of them, and what came of it."""
        with ThreadPoolExecutor(at_once) as pool:
            for job in [pool.submit(self.one, number, fault) for number, fault in enumerate(faults)]:
                job.result()
        return self.figures()

    def figures(self) -> Figures:
        """What came of all, when every job has ended and is in the accounts."""
        there = self.laptop.there
        until(lambda: not there("squeue", "--me", "--noheader").strip(), "all jobs to end", 180)
        columns = ["sacct", "-nPX", "-S", "now-3hours", f"--format={JOB_COLUMNS}"]
        until(
            lambda: not any(job.state in {"RUNNING", "PENDING"} for job in parse_jobs(there(*columns))), "accounts", 60
        )
        trained = there("sh", "-c", 'cat "$1" 2>/dev/null; true', "sh", self.trained)
        return judge(self.trials, parse_jobs(there(*columns)), parse_trainings(trained), self.fence)

    def fence(self, run: str) -> str:
        """The word in a run's fence."""
        look = 'readlink "$1"/line-*/runs/"$2"/owner.1; true'
        return self.laptop.there("sh", "-c", look, "sh", self.laptop.root, run).strip()

    def close(self) -> None:
        """Leave the ways."""
        for line in self._lines:
            line.relay.__exit__(None, None, None)

    def _wish(self, number: int) -> Plan:
        return keyed(self.plan, f"{self.laptop.root} {number}")
