import pytest

from trainsub.config import Cluster, Config, Settings, select_cluster
from trainsub.errors import UnknownClusterError


def settings(*names: str, default: str | None = None, sbatch: str | None = None) -> Settings:
    """Settings with clusters of these names."""
    config = Config(default_cluster=default, clusters={name: Cluster(host=name) for name in names})
    return Settings(config, {"default_cluster": "user (/c.toml)"}, sbatch)


@pytest.mark.parametrize(
    ("names", "default", "wanted", "found"),
    [
        (["a", "b"], "a", "b", "b"),
        (["a", "b"], "b", None, "b"),
        (["a"], None, None, "a"),
        (["a"], None, "a", "a"),
        (["a", "sandbox"], None, None, "a"),
        (["sandbox"], None, None, "sandbox"),
        (["minislurm"], None, None, "minislurm"),
        (["minislurm", "a"], None, None, "a"),
        (["minislurm", "a"], None, "minislurm", "minislurm"),
        (["minislurm", "sandbox"], None, None, "sandbox"),
        (["minislurm", "sandbox", "a"], None, None, "a"),
        (["minislurm", "a", "b"], "minislurm", None, "minislurm"),
    ],
)
def test_which_cluster_is_meant(names: list[str], default: str | None, wanted: str | None, found: str) -> None:
    """The one that is named, else the default, else the only one."""
    name, cluster = select_cluster(settings(*names, default=default), wanted)
    assert (name, cluster.host) == (found, found)


@pytest.mark.parametrize(
    ("names", "default", "wanted", "message"),
    [
        ([], None, None, "no cluster is configured"),
        (["b", "a"], None, None, "which cluster? There are: a, b"),
        (["b", "minislurm", "a"], None, None, "which cluster? There are: a, b, minislurm"),
        (["hpc", "b"], None, "hcp", "there is no cluster hcp; did you mean hpc?"),
        (["hpc", "b"], None, "zzz", "there is no cluster zzz"),
        (["hpc"], "far", None, "there is no cluster far, the default_cluster of user (/c.toml)"),
    ],
)
def test_it_is_not_clear(names: list[str], default: str | None, wanted: str | None, message: str) -> None:
    """The candidates are named, and what to do."""
    with pytest.raises(UnknownClusterError) as caught:
        select_cluster(settings(*names, default=default), wanted)
    assert caught.value.message == message
    assert caught.value.hint


def test_no_training_starts_on_a_login_node_by_default() -> None:
    """Where there is a real Slurm, the embedded cluster has to be named; and what is configured is not touched."""
    with pytest.raises(UnknownClusterError) as caught:
        select_cluster(settings("minislurm", sbatch="/usr/bin/sbatch"), None)
    assert caught.value.message == "no cluster is configured, and this machine has a Slurm of its own (/usr/bin/sbatch)"
    assert 'transport = "local"' in str(caught.value.hint)
    for name in ("minislurm", None):
        default = None if name else "minislurm"
        found = select_cluster(settings("minislurm", default=default, sbatch="/usr/bin/sbatch"), name)
        assert found[0] == "minislurm"
    assert select_cluster(settings("minislurm", "a", sbatch="/usr/bin/sbatch"), None)[0] == "a"
    assert select_cluster(settings("minislurm", "sandbox", sbatch="/usr/bin/sbatch"), None)[0] == "sandbox"
