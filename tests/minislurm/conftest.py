import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from minislurm.filled import Cluster

from trainsub.minislurm import setup


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cluster]:
    """A cluster without a keeper, whose queue a test fills; the clock shows UTC."""
    monkeypatch.setenv("TZ", "UTC0")
    monkeypatch.delenv("SLURM_TIME_FORMAT", raising=False)
    time.tzset()
    home = tmp_path / "minislurm"
    size = ["--nodes", "4", "--cpus-per-node", "16", "--gpus-per-node", "8"]
    assert setup.main(home, [*size, "--set", "gpu_type=h100"]) == 0
    yield Cluster(home, capsys)
    monkeypatch.undo()
    time.tzset()
