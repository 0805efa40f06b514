"""Hold, release, requeue, and the words for why a job waits, on what each version of Slurm really does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cluster.laptop import Laptop, until
from clusters import SlurmCluster


@pytest.fixture(autouse=True)
def _impatient(laptop: Laptop) -> None:
    """Ask as often as tests do."""
    laptop.configure("poll_seconds = 1")


def state(laptop: Laptop, job_id: int) -> str:
    """What squeue says of a job, its reason behind its state."""
    return laptop.there("squeue", "--noheader", "--states=all", "--format=%T %r", f"--jobs={job_id}").strip()


def comes(laptop: Laptop, job_id: int, word: str) -> None:
    """Wait until squeue says so."""
    until(lambda: state(laptop, job_id).startswith(word), f"job {job_id} to be {word}")


def test_a_run_is_held_released_and_requeued(laptop: Laptop, cluster: SlurmCluster) -> None:
    """Each order has the effect that is told; an administrator's hold is called one; each start is billed."""
    run = laptop.submit(laptop.shell_job("sleep 120", gpus=2, more="hold = true\n", name="ordered"))
    name, job = run["run"], run["job_id"]
    assert "is released" in laptop.run("release", name).ok().err
    comes(laptop, job, "RUNNING")

    assert "runs on, and is billed" in laptop.run("hold", name).ok().err
    assert state(laptop, job).startswith("RUNNING")
    said = laptop.run("requeue", name).ok()
    assert "what it held until now is billed" in said.err
    comes(laptop, job, "PENDING JobHeldUser")
    again = laptop.run("requeue", name)
    assert (again.code, "Job is pending execution" in again.err) == (5, True)

    cluster.check(["scontrol", "release", str(job)])
    cluster.check(["scontrol", "hold", str(job)])
    denied = laptop.run("release", name)
    assert (denied.code, "only an administrator can release it" in denied.err) == (5, True)
    cluster.check(["scontrol", "release", str(job)])
    comes(laptop, job, "RUNNING")
    laptop.run("cancel", name).ok()
    ended = laptop.run("wait", name, "--json").document["runs"][0]
    assert (ended["state"], len(ended["jobs"][0]["allocations"])) == ("CANCELLED", 2)
    gone = laptop.run("hold", name)
    assert (gone.code, "there is nothing to hold" in gone.err) == (5, True)
    orders = [event["what"] for event in laptop.status(name)["events"] if event["source"] == "trainsub"]
    assert orders == ["release ordered", "hold ordered", "requeue ordered", "cancel ordered"]


def test_a_run_that_has_ended_runs_once_more(laptop: Laptop) -> None:
    """Slurm still knows it: the state goes back, and both periods are in the accounts."""
    run = laptop.submit(
        laptop.shell_job('test -e "$TRAINSUB_RUN_DIR/once" && exit 0; touch "$TRAINSUB_RUN_DIR/once"; exit 7')
    )
    name, job = run["run"], run["job_id"]
    assert laptop.run("wait", name).code == 10
    assert "is to run once more" in laptop.run("requeue", name).ok().err
    comes(laptop, job, "COMPLETED")
    assert laptop.run("wait", name).code == 0
    until(lambda: len(laptop.status(name)["jobs"][0]["allocations"]) == 2, "both allocations")
    assert [one["state"] for one in laptop.status(name)["jobs"][0]["allocations"]][-1] == "COMPLETED"


def test_orders_to_an_array(laptop: Laptop) -> None:
    """The array's id means all its tasks."""
    spec = laptop.shell_job("sleep 100", more='array = "0-3%2"\nhold = true\n', name="many")
    run = laptop.submit(spec)
    name, job = run["run"], run["job_id"]
    assert "is released" in laptop.run("release", name).ok().err
    until(lambda: state(laptop, job).count("RUNNING") == 2, "two tasks to run")
    assert "that run go on" in laptop.run("hold", name).ok().err
    said = laptop.run("requeue", name).ok().err
    assert "in the queue again" in said
    assert "Job is pending execution" in said
    until(lambda: state(laptop, job).count("PENDING") >= 1 and "RUNNING" not in state(laptop, job), "all to wait")
    laptop.run("cancel", name).ok()


@contextmanager
def as_root(cluster: SlurmCluster, *, do: str, undo: str) -> Iterator[None]:
    """An administrator's change, taken back afterwards."""
    cluster.check(["sh", "-c", do])
    try:
        yield
    finally:
        cluster.check(["sh", "-c", undo])


RESERVE = "scontrol create reservation ReservationName=later Users=alice StartTime=now+1hour Duration=60 Nodes=n4"


NOTHING = ("true", "true")
WAITS = {
    "resources": ("", (*NOTHING, "Resources", "the nodes that it needs are busy")),
    "begin": ('begin = "now+1hour"\n', (*NOTHING, "BeginTime", "its begin time has not come")),
    "array": ('array = "0-1%1"\n', (*NOTHING, "JobArrayTaskLimit", "as many tasks of its array run as may")),
    "drained": (
        'nodelist = "n4"\n',
        (
            "scontrol update NodeName=n4 State=DRAIN Reason=test",
            "scontrol update NodeName=n4 State=RESUME",
            "ReqNodeNotAvail",
            "not available",
        ),
    ),
    "down": (
        'partition = "preemptible"\n',
        (
            "scontrol update PartitionName=preemptible State=DOWN",
            "scontrol update PartitionName=preemptible State=UP",
            "PartitionDown",
            "its partition is down",
        ),
    ),
    "reservation": (
        'reservation = "later"\n',
        (RESERVE, "scontrol delete ReservationName=later", "Reservation", "its reservation"),
    ),
    "limit": (
        "",
        (
            "sacctmgr -i modify qos normal set GrpTRES=gres/gpu=4",
            "sacctmgr -i modify qos normal set GrpTRES=gres/gpu=-1",
            "QOSGrpGRES",
            "the running jobs of its QOS would hold more GPUs",
        ),
    ),
}
"""What a spec asks for; what an administrator does and undoes; Slurm's reason; and a part of our words."""


@pytest.mark.parametrize(("more", "case"), WAITS.values(), ids=WAITS)
def test_why_a_job_waits(laptop: Laptop, cluster: SlurmCluster, more: str, case: tuple[str, str, str, str]) -> None:
    """Slurm's reason in words, on the run's page and for machines."""
    change, back, reason, says = case
    runs = []
    with as_root(cluster, do=change, undo=back):
        if reason == "Resources":
            runs.append(laptop.submit(laptop.shell_job("sleep 60", nodes=4, gpus=8, name="first")))
            comes(laptop, runs[0]["job_id"], "RUNNING")
        run = laptop.submit(laptop.shell_job("sleep 30", gpus=8, more=more, name="waits"))
        runs.append(run)
        try:
            until(lambda: reason in state(laptop, run["job_id"]), f"the reason {reason}")
            until(lambda: says in explanations(laptop, run["run"]), f"{reason} in words")
            assert "does not know" not in explanations(laptop, run["run"])
            page = laptop.run("status", run["run"], "--cached").ok().out
            assert "history\n" in page
        finally:
            all_end(laptop, *runs)


def test_why_a_job_waits_for_a_node_that_is_down(laptop: Laptop, cluster: SlurmCluster) -> None:
    """The node is named. One that reports before Slurm looks at the job is up again, only drained: then once more."""
    do = " && ".join(f"scontrol update NodeName=n4 State={word} Reason=test" for word in ("DRAIN", "DOWN"))
    said = []
    for _ in range(8):
        with as_root(cluster, do=do, undo="scontrol update NodeName=n4 State=RESUME"):
            said.append(why_n4_is_not_available(laptop))
        if "these nodes are not available: n4" in said[-1]:
            return
    pytest.fail("\n".join(said))


def why_n4_is_not_available(laptop: Laptop) -> str:
    """What a run that needs this node is told, which is cancelled then."""
    run = laptop.submit(laptop.shell_job("sleep 30", gpus=8, more='nodelist = "n4"\n', name="waits"))
    try:
        said: str = until(
            lambda: words if "not available" in (words := explanations(laptop, run["run"])) else "", "words"
        )
        return said
    finally:
        all_end(laptop, run)


def all_end(laptop: Laptop, *runs: dict[str, Any]) -> None:
    """Cancel them, and wait until Slurm has."""
    laptop.run("cancel", *(one["run"] for one in runs))
    for one in runs:
        comes(laptop, one["job_id"], "CANCELLED")


def explanations(laptop: Laptop, run: str) -> str:
    """All that is said of why a run waits, at the top and for each task, asked anew."""
    shown = laptop.run("status", run, "--json").ok().run
    return "\n".join(one["explanation"] or "" for one in (shown, *shown["jobs"]))
