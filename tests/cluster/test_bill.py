"""The bill, beside the accounting database's own tables: equal to the GPU-second."""

import re
from typing import Any

import pytest
from cluster import billing
from cluster.laptop import Laptop, until
from clusters import SlurmCluster

RESIZED = """
    if [ "$SLURM_PROCID" = 1 ]; then exit 0; fi
    sleep 4
    scontrol update JobId="$SLURM_JOB_ID" NodeList="$SLURMD_NODENAME" >&2
    date "+resized at %s" >&2
    rm -f slurm_job_*_resize.*
    sleep 4
"""
REQUEUED = 'echo "start $SLURM_RESTART_COUNT"; [ "${SLURM_RESTART_COUNT:-0}" = 1 ] || sleep 300; sleep 2'


class Bills:
    """Jobs that ended in every way, run at the same time, and what trainsub says of them."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        specs = {
            "completed": laptop.shell_job("sleep 3", nodes=2, gpus=2),
            "failed": laptop.shell_job("sleep 2; exit 3", nodes=1, gpus=3),
            "cancelled": laptop.shell_job("sleep 300", nodes=1, gpus=1),
            "pending": laptop.shell_job("true", nodes=2, gpus=8, more="hold = true\n"),
            "requeued": laptop.shell_job(REQUEUED, nodes=1, gpus=2),
            "resized": laptop.shell_job(RESIZED, nodes=2, gpus=1),
            "limited": laptop.shell_job("sleep 600", gpus=1),
            "no-gpus": laptop.shell_job("sleep 1"),
        }
        submitted = laptop.run_all(*(("submit", spec, "--json") for spec in specs.values()))
        self.runs = {name: said.ok().run["run"] for name, said in zip(specs, submitted, strict=True)}
        self.jobs = {name: said.run["job_id"] for name, said in zip(specs, submitted, strict=True)}
        for name in ("cancelled", "requeued", "limited"):
            until(lambda name=name: self.running(name), f"{name} to run")  # type: ignore[misc]
        self.while_running = until(self.figure_of_a_running_job, "the accounts to know the running job")
        # Slurm looks at time limits twice a minute.
        laptop.cluster.check(["scontrol", "update", f"JobId={self.jobs['limited']}", "EndTime=now"])
        laptop.there("scontrol", "requeue", str(self.jobs["requeued"]))
        laptop.run("cancel", self.runs["cancelled"], self.runs["pending"]).ok()
        self.ended = laptop.run("wait", *self.runs.values(), "--json")
        # The database hears of an end a moment after the queue shows it.
        until(lambda: all(self.closed(name) for name in self.jobs), "the database")
        self.told = laptop.run("usage", *self.runs.values(), "--json").ok().document

    def running(self, name: str) -> bool:
        """Whether a job runs, and its command does: an srun after the job's end time is refused, and the job FAILED."""
        steps = self.laptop.there("squeue", "-h", "--steps", "-o", "%i", "-j", str(self.jobs[name]))
        return f"{self.jobs[name]}.0" in steps.split()

    def figure_of_a_running_job(self) -> dict[str, Any] | None:
        """What usage says; on 22.05 a job's first records come some seconds late, and until then it is unknown."""
        (figure,) = self.laptop.run("usage", self.runs["cancelled"], "--json").ok().document["runs"]
        return dict(figure) if figure["gpu_seconds"] else None

    def closed(self, name: str) -> bool:
        """Whether the tables have the end of a job."""
        held = billing.rows(self.laptop.cluster, self.jobs[name])
        return bool(held) and all(row.end for row in held)

    def evidence(self) -> str:
        """What Slurm itself says, for messages."""
        ids = ",".join(map(str, self.jobs.values()))
        accounts = ("sacct", "-nPDX", "-j", ids, "-o", "JobID,JobName,State,Submit,Start,End,AllocTRES")
        return self.laptop.there(*accounts) + self.laptop.there("squeue", "--states=all", "-j", ids)

    def figure(self, name: str) -> dict[str, Any]:
        """What ``usage --json`` says of one."""
        return next(dict(run) for run in self.told["runs"] if run["run"] == self.runs[name])


@pytest.fixture(scope="module")
def bills(cluster: SlurmCluster, tmp_path_factory: pytest.TempPathFactory) -> Bills:
    """All the jobs, once for each version."""
    return Bills(Laptop(tmp_path_factory.mktemp("bill") / "home", cluster))


@pytest.mark.parametrize(
    "name", ["completed", "failed", "cancelled", "pending", "requeued", "resized", "limited", "no-gpus"]
)
def test_usage_is_what_the_database_says(bills: Bills, name: str) -> None:
    """GPU-seconds agree to the second and the cost to the cent, however the job ended."""
    held = billing.rows(bills.laptop.cluster, bills.jobs[name])
    figure = bills.figure(name)
    expected = billing.gpu_seconds(held)
    assert figure["gpu_seconds"] == expected, (figure, held)
    assert figure["cost"] == {"amount": f"{expected}.00", "currency": "EUR"}
    assert (figure["provisional"], figure["estimated"]) == (False, False)
    assert (expected == 0) == (name in {"pending", "no-gpus"}), held


def test_the_total_is_the_sum(bills: Bills) -> None:
    """So is its cost."""
    expected = sum(billing.gpu_seconds(billing.rows(bills.laptop.cluster, job)) for job in bills.jobs.values())
    total = bills.told["total"]
    assert total["gpu_seconds"] == expected, (bills.told, bills.evidence())
    assert total["cost"] == [{"amount": f"{expected}.00", "currency": "EUR"}]
    assert total["complete"]
    assert not total["provisional"]


def test_a_requeued_job_has_two_records_and_both_are_billed(bills: Bills) -> None:
    """The job went on after its requeue, in the same log."""
    run = bills.laptop.status(bills.runs["requeued"])
    (job,) = run["jobs"]
    assert run["state"] == "COMPLETED"
    assert len(job["allocations"]) == len(billing.rows(bills.laptop.cluster, bills.jobs["requeued"])) == 2
    log = bills.laptop.run("logs", bills.runs["requeued"]).ok().out
    assert "start \n" in log.replace("start 0", "start ")
    assert "start 1\n" in log


def test_a_resized_job_pays_for_each_second_what_it_held(bills: Bills) -> None:
    """The clock of the job itself says when it gave a node back: two GPUs before, one after."""
    log = bills.laptop.run("logs", bills.runs["resized"]).ok().out
    found = re.search(r"resized at (\d+)", log)
    assert found, log
    held = billing.rows(bills.laptop.cluster, bills.jobs["resized"])
    begin, end = min(row.start for row in held), max(row.end for row in held)
    by_the_clock = 2 * (int(found[1]) - begin) + (end - int(found[1]))
    assert abs(bills.figure("resized")["gpu_seconds"] - by_the_clock) <= 2, (held, log)


def test_a_running_job_says_provisional(bills: Bills) -> None:
    """Its figure is what it has used so far."""
    (held,) = billing.rows(bills.laptop.cluster, bills.jobs["cancelled"])
    assert bills.while_running["provisional"]
    assert 0 < bills.while_running["gpu_seconds"] <= billing.gpu_seconds([held])


def test_waiting_tells_how_they_ended(bills: Bills) -> None:
    """Of several runs the worst counts, and each has its own word."""
    assert bills.ended.code == 10
    codes = {name: bills.laptop.run("wait", bills.runs[name]).code for name in ("completed", "cancelled", "limited")}
    assert codes == {"completed": 0, "cancelled": 11, "limited": 12}, (bills.ended, bills.evidence())
    states = {run["run"]: run["state"] for run in bills.ended.document["runs"]}
    words = {name: states[run] for name, run in bills.runs.items()}
    assert words == {
        "completed": "COMPLETED",
        "failed": "FAILED",
        "cancelled": "CANCELLED",
        "pending": "CANCELLED",
        "requeued": "COMPLETED",
        "resized": "COMPLETED",
        "limited": "TIMEOUT",
        "no-gpus": "COMPLETED",
    }
