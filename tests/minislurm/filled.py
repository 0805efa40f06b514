"""A queue with jobs of each kind, asked without processes of its own."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from minislurm.made import Said

from trainsub.minislurm.conf import Conf, load
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.values import Array, Job, Request, Share

NODES = tuple(f"127.0.0.{number}" for number in range(1, 5))
UID = os.getuid()
NOON = 1795348800
"""2026-11-22 12:00:00 UTC."""

Main = Callable[[Path, Sequence[str]], int]


def share(number: int, cpus: int = 1, gpus: int = 0) -> Share:
    """Return a part of one of the nodes."""
    return Share(NODES[number - 1], cpus, tuple(range(gpus)))


class Cluster:
    """A cluster whose jobs are written straight into the queue.

    Attributes:
        home: Its home.
        now: What the clock shows.
    """

    def __init__(self, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self.now = NOON
        self._capture = capture

    @property
    def conf(self) -> Conf:
        """What the cluster has."""
        return load(self.home)

    def put(self, name: str = "job", *, array: Array | None = None, **values: Any) -> Job:
        """Write a job; what is no attribute of a job is one of its request."""
        own = {key: values.pop(key) for key in tuple(values) if key in Job.__slots__}
        given = {"partition": "gpu", "time_limit": 3600, "chdir": "/work", **values}
        with Queue(self.home) as queue, queue.change():
            number = own.pop("job_id", None) or queue.new_id()
            job = Job(number, UID, Request(name, **given), self.now - 60, array=array)
            if array is not None and not array.job_id:
                job = replace(job, array=replace(array, job_id=number))
            job = replace(job, **own)
            queue.put(job)
        return job

    def running(self, name: str = "runs", *shares: Share, **values: Any) -> Job:
        """Write a job that runs."""
        times = {"start": self.now - 30, "eligible": self.now - 60}
        return self.put(name, **{"state": "RUNNING", "shares": shares or (share(1),), **times, **values})

    def ended(self, name: str = "ended", state: str = "COMPLETED", **values: Any) -> Job:
        """Write a job that has run for twenty seconds."""
        times = {"start": self.now - 30, "end": self.now - 10, "eligible": self.now - 60}
        return self.put(name, **{"state": state, "shares": (share(1),), **times, **values})

    def held(self, name: str = "held", **values: Any) -> Job:
        """Write a job that waits for its release."""
        return self.put(name, **{"held": "user", "reason": "JobHeldUser", **values})

    def job(self, job_id: int) -> Job:
        """Return a job as it is now."""
        with Queue(self.home) as queue:
            found = queue.job(job_id)
        assert found is not None
        return found

    def ask(self, main: Main, *words: str) -> Said:
        """Run a command in this process."""
        self._capture.readouterr()
        code = main(self.home, words)
        said = self._capture.readouterr()
        return Said(code, said.out, said.err)
