import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.errors import OutputError
from trainsub.slurm import scancel, scontrol, sinfo

US = "\x1f"

CONFIG = """\
Configuration data as of 2026-11-22T16:42:40
AccountingStorageExternalHost = (null)
AccountingStorageTRES   = cpu,mem,energy,node,billing,fs/disk,vmem,pages,gres/gpu,gres/gpu:h100
AccountingStorageType   = accounting_storage/slurmdbd
MinJobAge               = 300 sec
SLURM_VERSION           = 24.11.5
SchedulerParameters     = batch_sched_delay=0,sched_interval=2
SlurmctldHost[0]        = controller

Cgroup Support Configuration:
PMIxDebug               = 0
AccountingStorageType   = not this one

Slurmctld(primary) at controller is UP
"""

# Recorded on 24.11.5, and a partition of two kinds of nodes.
PARTITIONS = (
    "gpu^gpu*^up^7-00:00:00^1:00:00^0/2/0/2^gpu:h100:8^\n"
    "gpu^gpu*^up^7-00:00:00^1:00:00^1/0/1/2^gpu:a100:4(S:0-1,3),gpu:b:2,nic:1^\n"
    "debug^debug^up^10:00^5:00^0/2/0/2^(null)^\n"
    "closed^closed^drain^infinite^n/a^2/0/0/2^gpu^\n"
).replace("^", US)


def test_scancel_never_goes_without_an_id() -> None:
    """Without one it would cancel everything."""
    with pytest.raises(ValueError, match="job id"):
        scancel.argv([], name="run-1")


def test_scancel_argv() -> None:
    """A name guards against reused ids; a signal goes to the whole script."""
    assert scancel.argv([5, 6]) == ["scancel", "5", "6"]
    assert scancel.argv([5], name="r", slurm_bin="/s") == ["/s/scancel", "--name=r", "5"]
    assert scancel.argv([5], signal="USR1") == ["scancel", "--full", "--signal=USR1", "5"]


@pytest.mark.parametrize(
    ("stderr", "ended"),
    [
        ("scancel: error: Kill job error on job id 22: Invalid job id specified\n", True),
        ("scancel: error: Kill job error on job id 22: Job/step already completing or completed\n", True),
        ("scancel: error: Kill job error on job id 22: Access/permission denied\n", False),
        ("scancel: error: Invalid job id abc\n", False),
        ("", False),
    ],
)
def test_scancel_complaints(stderr: str, ended: bool) -> None:  # noqa: FBT001
    """What has ended cannot be cancelled, and that is no failure."""
    assert scancel.says_ended(stderr) is ended


def test_config() -> None:
    """The cluster's own settings come before those of plugins."""
    config = scontrol.parse_config(CONFIG)
    assert config["MinJobAge"] == "300 sec"
    assert config["AccountingStorageExternalHost"] == ""
    assert config["SchedulerParameters"] == "batch_sched_delay=0,sched_interval=2"
    assert config["SlurmctldHost[0]"] == "controller"
    assert scontrol.version(config["SLURM_VERSION"]) == (24, 11, 5)
    assert scontrol.tracks_gpus(config)
    assert scontrol.has_accounting(config)


def test_a_cluster_without_accounting() -> None:
    """Old releases say none, new ones say nothing."""
    assert not scontrol.has_accounting({"AccountingStorageType": "accounting_storage/none"})
    assert not scontrol.has_accounting({"AccountingStorageType": ""})
    assert not scontrol.tracks_gpus({"AccountingStorageTRES": "cpu,mem,gres/gpumem"})


def test_no_config() -> None:
    """An error message is no configuration."""
    with pytest.raises(OutputError, match="show config"):
        scontrol.parse_config("slurm_load_ctl_conf error: Unable to contact slurm controller")


def test_ping() -> None:
    """Each controller with its role."""
    text = "Slurmctld(primary) at c1 is DOWN\nSlurmctld(backup1) at c2 is UP\n"
    assert scontrol.parse_ping(text) == [
        scontrol.Controller(role="primary", host="c1", up=False),
        scontrol.Controller(role="backup1", host="c2", up=True),
    ]
    with pytest.raises(OutputError, match="no controller"):
        scontrol.parse_ping("hello\n")


@pytest.mark.parametrize(("text", "parts"), [("slurm-wlm 22.05.8", (22, 5, 8)), ("slurm 25.11-pre1", (25, 11, 0))])
def test_version(text: str, parts: tuple[int, int, int]) -> None:
    """As scontrol and as --version print it."""
    assert scontrol.version(text) == parts


def test_no_version() -> None:
    """Nothing is guessed."""
    with pytest.raises(OutputError, match="version"):
        scontrol.version("slurm unknown")


def test_scontrol_argv() -> None:
    """Two questions."""
    assert scontrol.ping_argv(slurm_bin="/s") == ["/s/scontrol", "ping"]
    assert scontrol.config_argv() == ["scontrol", "show", "config"]


def test_partitions() -> None:
    """Rows of one partition are added up."""
    gpu, debug, closed = sinfo.parse(PARTITIONS)
    assert gpu == sinfo.Partition(
        name="gpu",
        default=True,
        up=True,
        time_limit=604800,
        default_time=3600,
        nodes=4,
        idle=2,
        down=1,
        gres=("gpu:h100:8", "gpu:a100:4(S:0-1,3),gpu:b:2,nic:1"),
        gpus_per_node=8,
    )
    assert (debug.gpus_per_node, debug.gres, debug.time_limit, debug.default_time) == (0, (), 600, 300)
    assert (closed.up, closed.time_limit, closed.default_time, closed.gpus_per_node) == (False, None, None, 1)


@pytest.mark.parametrize(
    "row", ["a^a^up^1:00^n/a^x^gpu^", "^a^up^1:00^n/a^0/1/0/1^gpu^", "a^a^up^soon^n/a^0/1/0/1^gpu^"]
)
def test_a_wrong_partition_is_refused(row: str) -> None:
    """Nothing is guessed from columns that do not fit."""
    with pytest.raises(OutputError):
        sinfo.parse(row.replace("^", US) + "\n")


def test_sinfo_argv() -> None:
    """One query for all partitions."""
    argv = sinfo.argv(slurm_bin="/s")
    assert argv[:2] == ["/s/sinfo", "--noheader"]
    assert f"NodeAIOT:{US}" in argv[2]


@given(st.text() | st.text(alphabet=US + "\nagpu*/0:1-(),"))
def test_any_text_is_a_value_or_an_output_error(text: str) -> None:
    """Nothing else escapes."""
    scancel.says_ended(text)
    for parse in (scontrol.parse_config, scontrol.parse_ping, scontrol.version, sinfo.parse):
        with contextlib.suppress(OutputError):
            parse(text)


@given(st.text(alphabet="agpu*/0:1-(),S"), st.text(alphabet="gpu:1(),nic"))
def test_any_gres_is_a_value_or_an_output_error(limit: str, gres: str) -> None:
    """Sites name their devices as they like."""
    with contextlib.suppress(OutputError):
        sinfo.parse(US.join(["a", "a", "up", limit or "1:00", "n/a", "0/1/0/1", gres, "\n"]))
