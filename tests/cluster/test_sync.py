"""A store that is lost, rebuilt from a real cluster: the runs' directories, squeue and sacct."""

import json
import shutil
from typing import Any

from cluster.laptop import CLUSTER, Laptop

VOLATILE = ("observed_at", "events", "seen_there", "expected_start")
"""What depends on when the cluster was asked."""


def documents(laptop: Laptop) -> list[Any]:
    """What ``usage`` and ``status`` say of all runs; usage asks the accounts of all jobs, as ``sync`` does."""
    texts = [json.dumps(laptop.run(verb, "--json").ok().document) for verb in ("usage", "status")]
    return [
        json.loads(text, object_hook=lambda one: {key: one[key] for key in one if key not in VOLATILE})
        for text in texts
    ]


def test_a_lost_store_is_rebuilt(laptop: Laptop) -> None:
    """Runs that completed, failed, were cancelled, an array, and one that waits: every document is what it was."""
    ended = [
        laptop.submit(laptop.shell_job("sleep 2", gpus=2, nodes=2), "--key", "nightly")["run"],
        laptop.submit(laptop.shell_job("exit 3", gpus=1))["run"],
        laptop.submit(laptop.shell_job("sleep 1", gpus=1, more='array = "0-2%2"\n'))["run"],
    ]
    waiting = laptop.submit(laptop.shell_job("true", more="hold = true\n"))["run"]
    cancelled = laptop.submit(laptop.shell_job("sleep 600", gpus=1))["run"]
    laptop.run("wait", *ended)
    laptop.run("cancel", cancelled).ok()
    laptop.run("wait", cancelled)
    before = documents(laptop)
    shutil.rmtree(laptop.state)

    said = laptop.run("sync", CLUSTER, "--json").ok().document
    assert sorted(said["restored"]) == sorted([*ended, waiting, cancelled])
    assert [said[key] for key in ("gone", "coming", "unreadable", "foreign", "asked")] == [[], [], [], [], True]
    for now, then in zip(documents(laptop), before, strict=True):
        for one, other in zip(now["runs"], then["runs"], strict=True):
            assert {key: (one[key], other[key]) for key in one if one[key] != other[key]} == {}
    assert laptop.audit()[0]["what"] == "sync"
    assert len([line for line in laptop.audit() if line["what"] == "sync"]) == 1

    again = laptop.run("sync", CLUSTER, "--json").ok().document
    assert (again["restored"], again["updated"], len(again["known"])) == ([], [], 5)
    spec = laptop.shell_job("sleep 2", gpus=2, nodes=2)
    assert laptop.submit(spec, "--key", "nightly")["run"] == ended[0]
    laptop.run("cancel", waiting).ok()


def test_a_directory_that_was_removed_leaves_its_bill(laptop: Laptop) -> None:
    """Slurm's accounts keep the command line, with our comment in it; another root's jobs are not this root's."""
    run = laptop.submit(laptop.shell_job("sleep 2", gpus=2))["run"]
    laptop.run("wait", run).ok()
    before = documents(laptop)[0]["total"]
    laptop.there("rm", "-r", laptop.run_dir(run))
    shutil.rmtree(laptop.state)
    said = laptop.run("sync", CLUSTER, "--json").ok().document
    assert (said["restored"], said["gone"]) == ([run], [run])
    assert documents(laptop)[0]["total"] == before
