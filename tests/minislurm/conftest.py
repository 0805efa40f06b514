import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from minislurm.filled import NOON, Cluster

from trainsub.minislurm import setup


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cluster]:
    """A cluster without a keeper, whose queue a test fills; it is noon, and stays so."""
    monkeypatch.setenv("TZ", "UTC0")
    monkeypatch.delenv("SLURM_TIME_FORMAT", raising=False)
    monkeypatch.setattr(time, "time", lambda: float(NOON))
    time.tzset()
    home = tmp_path / "minislurm"
    size = ["--nodes", "4", "--cpus-per-node", "16", "--gpus-per-node", "8"]
    assert setup.main(home, [*size, "--set", "gpu_type=h100"]) == 0
    yield Cluster(home, capsys)
    monkeypatch.undo()
    time.tzset()
