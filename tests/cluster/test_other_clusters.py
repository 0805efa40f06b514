"""Clusters that are unlike the usual one: sixty-four nodes, no accounting, and a site that rewrites comments."""

from collections.abc import Iterator
from pathlib import Path

import clusters
import pytest
from cluster import billing
from cluster.laptop import Laptop, until
from clusters import SlurmCluster

VERSION = "24.11"


@pytest.fixture(scope="module")
def large() -> Iterator[SlurmCluster]:
    """512 GPUs."""
    clusters.ensure([VERSION])
    with SlurmCluster(VERSION, nodes=64) as started:
        yield started


@pytest.fixture(scope="module")
def unaccounted() -> Iterator[SlurmCluster]:
    """A cluster without slurmdbd, whose job_submit plugin puts its own words into every comment."""
    clusters.ensure([VERSION])
    with SlurmCluster(VERSION, nodes=2, accounting=False, lua=True) as started:
        yield started


@pytest.mark.slow
def test_sixty_four_nodes_with_eight_gpus_each(large: SlurmCluster, tmp_path: Path) -> None:
    """512 ranks are rendered, submitted, tracked, followed and billed."""
    laptop = Laptop(tmp_path / "home", large)
    spec = laptop.project(
        """\
        name = "large"
        command = ["sh", "-c", "echo rank $RANK of $WORLD_SIZE, $LOCAL_RANK of $LOCAL_WORLD_SIZE on node $NODE_RANK; sleep 5"]
        [slurm]
        nodes = 64
        gpus_per_node = 8
        cpus_per_task = 2
        time = "00:10:00"
        [launch]
        kind = "srun"
        """
    )
    script = laptop.run("render", spec).ok().out
    assert "--nodes=64 --ntasks=512 --ntasks-per-node=8" in script
    ended = laptop.run("submit", spec, "--follow", timeout=300)
    assert ended.code == 0, ended
    ranks = {line for line in ended.out.splitlines() if line.startswith("rank ")}
    assert ranks == {f"rank {rank} of 512, {rank % 8} of 8 on node {rank // 8}" for rank in range(512)}

    run = laptop.run("status", "large", "--json").ok().run
    assert (run["state"], run["nodes"]) == ("COMPLETED", 64)
    (held,) = until(lambda: (rows := billing.rows(large, run["job_id"])) and rows[-1].end and rows, "the database")
    assert held.gpus == 512
    used = laptop.run("usage", "large", "--json").ok().document["runs"][0]
    assert used["gpu_seconds"] == billing.gpu_seconds([held]) == 512 * (held.end - held.start) > 512 * 4
    assert (used["provisional"], used["estimated"]) == (False, False)
    assert laptop.run("status", "large", "--json").ok().run["gpus"] == 512


def test_without_accounting_the_run_tells_its_own_end(unaccounted: SlurmCluster, tmp_path: Path) -> None:
    """Long after the queue has forgotten the jobs; usage is unknown, not guessed."""
    laptop = Laptop(tmp_path / "home", unaccounted)
    check = laptop.run("cluster", "check", "--json").ok().document["findings"]
    assert [found["level"] for found in check if found["field"] == "accounting"] == ["warning"]

    well, failed, held = (
        said.ok().run
        for said in laptop.run_all(
            ("submit", laptop.shell_job("sleep 1", gpus=2, name="well"), "--json"),
            ("submit", laptop.shell_job("exit 3", name="failed"), "--json"),
            ("submit", laptop.shell_job("true", more="hold = true\n", name="held"), "--json"),
        )
    )
    # Nobody asks trainsub meanwhile: squeue would tell it the ends as long as it knows them.
    until(lambda: _one(laptop), "both ends")
    # As if MinJobAge had passed: the controller forgets what has ended.
    unaccounted.check(["sed", "-i", "s/^MinJobAge=.*/MinJobAge=2/", "/etc/slurm/slurm.conf"])
    unaccounted.check(["scontrol", "reconfigure"])
    until(lambda: laptop.queued() == [str(held["job_id"])], "the controller to forget", 120)

    ended = laptop.run("wait", well["run"], failed["run"], "--json")
    assert ended.code == 10
    seen = {run["name"]: (run["state"], run["source"], run["exit_code"]) for run in ended.document["runs"]}
    assert seen == {
        "well": ("COMPLETED", "record", {"code": 0, "signal": 0}),
        "failed": ("FAILED", "record", {"code": 3, "signal": 0}),
    }
    assert laptop.status(held["run"])["phase"] == "pending"
    used = laptop.run("usage", "--json").ok().document
    figures = {run["name"]: run["gpu_seconds"] for run in used["runs"]}
    assert figures == {"well": None, "failed": None, "held": 0}
    assert used["total"]["gpu_seconds"] is None
    assert laptop.run("cancel", held["run"]).code == 0


def _one(laptop: Laptop) -> bool:
    """Whether only one job is left that has not ended."""
    return len(laptop.there("squeue", "-h", "-t", "R,PD,CG", "-o", "%A").split()) == 1


def test_a_site_that_rewrites_comments_takes_nothing_from_us(unaccounted: SlurmCluster, tmp_path: Path) -> None:
    """A submission whose answer was lost is still found: by its name."""
    laptop = Laptop(tmp_path / "home", unaccounted)
    spec = laptop.shell_job("true", more="hold = true\n", name="comment")
    first = laptop.submit(spec, "--key", "k")
    assert "Comment=site:" in laptop.there("scontrol", "show", "job", str(first["job_id"]))
    where = laptop.run_dir(first["run"])
    # As if that submit had been cut off an hour ago, right behind sbatch.
    laptop.there(
        "sh", "-c", 'cd "$1" && rm answer.1 owner.1 && echo "$(($(date +%s) - 3600)) 60" >submit.1', "sh", where
    )
    other = Laptop(tmp_path / "other", unaccounted, root=laptop.root)
    found = other.run("submit", spec, "--key", "k").ok()
    assert "finding out what became of run" in found.err
    assert other.run("status", "--json").ok().run["job_id"] == first["job_id"]
    assert other.submit(spec, "--key", "k")["job_id"] == first["job_id"]
    assert laptop.queued() == [str(first["job_id"])]
    laptop.run("cancel", first["run"]).ok()
