"""What stepd does where no job can be started."""

import os
import time
from pathlib import Path

import pytest
from minislurm.made import own

from trainsub.minislurm import batch, lifecycle
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.stepd import Stepd
from trainsub.minislurm.values import Job, Request, Share


def test_a_start_that_always_fails_is_not_tried_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job is queued again and held, as by Slurm after a failed launch; nothing is billed second after second."""

    def fail(*_: object) -> None:
        raise KeyError("something that nobody thought of")

    monkeypatch.setattr(batch, "start", fail)
    home = tmp_path / "home"
    assert own(home, "setup").code == 0
    now = int(time.time())
    with Queue(home) as queue:
        waits = Job(1, os.getuid(), Request("a", "gpu"), submit=now, eligible=now)
        with queue.change():
            queue.put(lifecycle.start(waits, now, (Share("127.0.0.1", 1),), "a mark"))
        job = queue.job(1)
        assert job is not None
        Stepd(queue, job, os.getppid()).run()
        after = queue.job(1)
        assert after is not None
        assert (after.state, after.reason, after.held) == ("PENDING", "launch failed requeued held", "user")
        assert [record.state for record in queue.closed_records()] == ["REQUEUED"]
