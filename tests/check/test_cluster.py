"""Facts to findings."""

from dataclasses import replace
from decimal import Decimal

import pytest

from trainsub.check.cluster import Finding, examine
from trainsub.check.facts import ClusterFacts
from trainsub.config import Cluster, Price
from trainsub.slurm.sinfo import Partition

GPU = Partition(
    "gpu",
    default=True,
    up=True,
    time_limit=None,
    default_time=None,
    nodes=4,
    idle=4,
    down=0,
    gres=("gpu:8",),
    gpus_per_node=8,
)
GOOD = ClusterFacts("24.11.5", None, {"AccountingStorageTRES": "cpu,gres/gpu"}, (GPU,), None, "/r", None, 1 << 40, ())
PRICED = Cluster(host="hpc", price=Price(currency="EUR", gpu_hour="2.50"))
BARE = Cluster(host="hpc")


def levels(findings: list[Finding]) -> dict[str, str]:
    """Level by field."""
    return {finding.field: finding.level for finding in findings}


def test_a_good_cluster() -> None:
    """Nothing to complain of, and what is there is told."""
    findings = examine(PRICED, GOOD)
    assert {finding.level for finding in findings} == {"ok"}
    assert all(finding.remedy is None for finding in findings)
    assert Decimal("2.50") == PRICED.price.gpu_hour if PRICED.price else False


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ("1001", []),
        ("100001", []),
        ("1000", ["Set it to 1000, and they become several runs."]),
        ("0", ["Sweep elsewhere."]),
    ],
)
def test_arrays_that_the_cluster_would_refuse(there: str, found: list[str]) -> None:
    """A cluster that takes smaller arrays than configured; one that takes larger ones is as good."""
    findings = examine(PRICED, replace(GOOD, settings={**GOOD.settings, "MaxArraySize": there}))
    assert [one.remedy for one in findings if one.field == "max_array_size" and one.level == "warning"] == found
    assert {one.field for one in findings if one.level != "ok"} == ({"max_array_size"} if found else set())


def test_no_slurm() -> None:
    """Without Slurm's commands nothing else about Slurm is asked."""
    found = levels(examine(BARE, replace(GOOD, version=None, missing=("sbatch",))))
    assert found["slurm_bin"] == "error"
    assert found["programs"] == "error"
    assert "slurmctld" not in found
    assert found["price"] == "warning"


def test_an_old_slurm() -> None:
    """Older than what is tested is a warning."""
    assert levels(examine(BARE, replace(GOOD, version="21.08.8")))["slurm"] == "warning"


def test_controller_and_accounts_down() -> None:
    """A stopped controller is an error, missing accounts a warning."""
    found = levels(examine(BARE, replace(GOOD, controller="DOWN", accounting="refused")))
    assert (found["slurmctld"], found["accounting"]) == ("error", "warning")
    assert not {"partition", "defaults.partition", "gres/gpu", "gpus_per_node"} & set(found)  # nobody could tell


def test_a_partition_that_is_not_there() -> None:
    """The default partition must be one that the user sees."""
    wrong = BARE.model_copy(update={"defaults": {"partition": "gpu,h100"}})
    findings = examine(wrong, GOOD)
    assert levels(findings)["defaults.partition"] == "error"
    right = BARE.model_copy(update={"defaults": {"partition": "gpu"}})
    assert levels(examine(right, replace(GOOD, partitions=(GPU,))))["partition"] == "ok"


def test_gpus_that_slurm_does_not_record() -> None:
    """Then gpus_per_node is needed for an estimate."""
    facts = replace(GOOD, settings={})
    assert levels(examine(BARE, facts))["gpus_per_node"] == "warning"
    assert levels(examine(BARE.model_copy(update={"gpus_per_node": 8}), facts))["gpus_per_node"] == "ok"


def test_remote_root() -> None:
    """It must be writable, and have room."""
    assert levels(examine(BARE, replace(GOOD, root_error="Permission denied")))["remote_root"] == "error"
    assert levels(examine(BARE, replace(GOOD, free_bytes=1)))["remote_root"] == "warning"
    assert levels(examine(BARE, replace(GOOD, free_bytes=None)))["remote_root"] == "ok"
