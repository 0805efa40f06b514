"""One real Slurm cluster for each version, shared by all tests; see tests/clusters.py."""

from collections.abc import Iterator
from pathlib import Path

import clusters
import pytest
from cluster.laptop import Laptop
from clusters import SlurmCluster

VERSIONS = ("22.05", "24.11", "26.05")
REQUEUE_WAIT = {"CRED_EXPIRE": "8"}
"""Seconds that a requeued job waits, less one; Slurm's default is 120."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here; with ``--dist loadgroup`` each version is one worker's."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            version = getattr(item, "callspec", None) and item.callspec.params.get("cluster")  # type: ignore[attr-defined]
            item.add_marker(pytest.mark.xdist_group(version or item.path.stem))


@pytest.fixture(scope="session", params=VERSIONS)
def cluster(request: pytest.FixtureRequest) -> Iterator[SlurmCluster]:
    """A cluster of four nodes with eight GPUs each, and torch."""
    clusters.ensure([request.param])
    with SlurmCluster(request.param, mounts=clusters.python_mounts(), env=REQUEUE_WAIT) as started:
        yield started


@pytest.fixture
def laptop(cluster: SlurmCluster, tmp_path: Path) -> Laptop:
    """Alice's machine."""
    return Laptop(tmp_path / "home", cluster)
