"""``cluster check`` says what is wrong with a cluster before a job does."""

from typing import Any

from cluster.laptop import CLUSTER, Laptop, Said


def findings(said: Said) -> dict[str, dict[str, Any]]:
    """What was found, by field."""
    return {found["field"]: found for found in said.document["findings"]}


def test_a_fit_cluster_is_ok(laptop: Laptop) -> None:
    """Nothing is found, and nothing is left but an empty root."""
    said = laptop.run("cluster", "check", CLUSTER, "--json")
    assert said.code == 0, said
    found = findings(said)
    assert {one["level"] for one in found.values()} == {"ok"}
    assert found["slurm"]["message"].startswith(f"Slurm {laptop.cluster.version}")
    assert "debug" in found["partition"]["message"]
    assert laptop.there("ls", "-A", laptop.root) == ""
    assert laptop.run("cluster", "check").out.splitlines()[0].split() == ["WHAT", "FOUND", "REMEDY"]


def test_slurm_is_not_where_it_is_said_to_be(laptop: Laptop) -> None:
    """A login node whose PATH has no Slurm: what is missing and which key helps."""
    laptop.there("mkdir", "-p", f"{laptop.root}/empty")
    laptop.cluster.check(["sh", "-c", "mkdir -p /usr/slurm-away && mv /usr/bin/squeue /usr/slurm-away/"])
    try:
        laptop.configure(f'slurm_bin = "{laptop.root}/empty"')
        said = laptop.run("cluster", "check", "--json")
        assert said.code == 3
        found = findings(said)
        assert found["slurm_bin"]["level"] == found["programs"]["level"] == "error"
        assert "squeue" in found["programs"]["message"]
        assert "slurm_bin" in found["slurm_bin"]["remedy"]

        laptop.configure('slurm_bin = "/usr/slurm-away"')
        assert laptop.run("cluster", "check").code == 0
    finally:
        laptop.cluster.check(["mv", "/usr/slurm-away/squeue", "/usr/bin/"])


def test_a_partition_and_a_root_that_will_not_do(laptop: Laptop) -> None:
    """Both are found at once, with what to do."""
    laptop.root = "/usr/share/nobody-may"
    laptop.configure(f'[clusters.{CLUSTER}.defaults]\npartition = "gpuu"\n')
    said = laptop.run("cluster", "check", "--json")
    assert said.code == 3
    found = findings(said)
    assert found["defaults.partition"]["level"] == "error"
    assert "gpu" in found["defaults.partition"]["remedy"]
    assert found["remote_root"]["level"] == "error"
    assert "Permission denied" in found["remote_root"]["message"]
    assert {one["level"] for one in found.values()} == {"ok", "error"}


def test_a_cluster_that_cannot_be_reached_is_an_error(laptop: Laptop) -> None:
    """Not a finding: exit code 4."""
    laptop.configure("port = 9\nconnect_timeout = 3")
    said = laptop.run("cluster", "check", "--json")
    assert (said.code, said.document["error"]["kind"]) == (4, "unreachable")
