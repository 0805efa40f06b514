"""The scheduler room's contract, on what each version of Slurm really prints."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cluster.laptop import CLUSTER, Laptop, until
from clusters import SlurmCluster

from trainsub.remote import Ask
from trainsub.scheduler import SlurmCli
from trainsub.scheduler.base import Before
from trainsub.slurm import sacct, scancel, scontrol, sinfo, squeue, tres
from trainsub.slurm.values import ExitCode
from trainsub.tracker.values import Job
from trainsub.transport import open_transport

SOON = timedelta(minutes=5)


@pytest.fixture
def ask(laptop: Laptop) -> Iterator[Ask]:
    """A conversation with the login node."""
    transport = open_transport(CLUSTER, laptop.settings().config.clusters[CLUSTER])
    with Ask(transport) as conversation:
        yield conversation
    transport.close()


def said(ask: Ask, argv: list[str]) -> str:
    """What a command printed."""
    done = ask.run(argv)
    assert done.rc == 0, done
    return done.out.decode()


def as_job(document: dict[str, object]) -> Job:
    """A run's document as the job that the scheduler is asked about."""
    run, job_id = document["run"], document["job_id"]
    assert isinstance(run, str)
    assert isinstance(job_id, int)
    return Job(run=run, link=1, job_id=job_id, submitted=datetime.now(UTC))


class Jobs:
    """A job that waits, one that runs and one that failed."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        said = laptop.run_all(
            ("submit", laptop.shell_job("true", gpus=1, more="hold = true\n", name="held"), "--json"),
            ("submit", laptop.shell_job("sleep 300", nodes=2, gpus=3, name="runs"), "--json"),
            ("submit", laptop.shell_job("exit 7", name="failed"), "--json"),
        )
        self.held, self.runs, self.failed = (as_job(one.ok().run) for one in said)
        until(lambda: self.slurm_says(self.runs, "JobState=RUNNING"), "a job to run")
        until(lambda: self.slurm_says(self.failed, "JobState=FAILED"), "a job to fail")
        # On 22.05 the record of a quick job is called "allocation" for some seconds.
        accounts = ("sacct", "-nPX", "-j", str(self.failed.job_id), "-o", "State,ExitCode,JobName")
        until(lambda: laptop.there(*accounts).strip() == f"FAILED|7:0|{self.failed.run}", "the accounts")

    def slurm_says(self, job: Job, text: str) -> bool:
        """Whether the controller's long form of a job has a text."""
        return text in self.laptop.there("scontrol", "show", "job", str(job.job_id))


@pytest.fixture
def jobs(laptop: Laptop) -> Iterator[Jobs]:
    """The three, ended at last."""
    made = Jobs(laptop)
    yield made
    laptop.there("scancel", str(made.held.job_id), str(made.runs.job_id))


def check_queue(ask: Ask, jobs: Jobs) -> squeue.QueueRow:
    """Look at squeue's rows, field by field; that of the running job."""
    rows = {row.job_id: row for row in squeue.parse(said(ask, squeue.argv()))}
    waits = rows[jobs.held.job_id]
    assert (waits.state, waits.reason, waits.name) == ("PENDING", "JobHeldUser", jobs.held.run)
    assert (waits.comment, waits.restarts, waits.nodes) == (f"trainsub:{jobs.held.run}:1", 0, 1)
    assert (waits.nodelist, waits.start_time) == ("", None)
    assert waits.submit_time is not None
    assert abs(waits.submit_time - datetime.now(UTC)) < SOON

    works = rows[jobs.runs.job_id]
    assert (works.state, works.reason, works.partition, works.nodes) == ("RUNNING", "", "gpu", 2)
    assert (works.array_job_id, works.array_task) == (None, None)
    assert tres.gpus(works.tres) == 6
    assert works.start_time is not None
    assert works.end_time is not None
    assert works.end_time - works.start_time == timedelta(minutes=10)
    assert jobs.slurm_says(jobs.runs, f" NodeList={works.nodelist}\n")
    assert rows[jobs.failed.job_id].state == "FAILED"

    assert [row.job_id for row in squeue.parse(said(ask, squeue.by_name_argv(jobs.runs.run)))] == [works.job_id]
    assert squeue.parse(said(ask, squeue.by_name_argv("nobody"))) == []
    return works


def check_accounts(ask: Ask, jobs: Jobs, works: squeue.QueueRow) -> None:
    """Look at sacct's rows beside squeue's."""
    since = datetime.now(UTC) - SOON
    records = sacct.parse(said(ask, sacct.argv([jobs.runs.job_id, jobs.failed.job_id], since)))
    lasts, ended = sorted(records, key=lambda row: row.name != jobs.runs.run)
    assert (ended.job_id, ended.name, ended.account) == (jobs.failed.job_id, jobs.failed.run, "research")
    assert (ended.state, ended.exit_code) == ("FAILED", ExitCode(7, 0))
    assert ended.start is not None
    assert ended.end is not None
    assert ended.elapsed == (ended.end - ended.start).total_seconds()
    assert (lasts.job_id, lasts.state, lasts.end, lasts.suspended) == (works.job_id, "RUNNING", None, 0)
    assert (lasts.nodes, lasts.nodelist) == (2, works.nodelist)
    assert (lasts.start, lasts.submit) == (works.start_time, works.submit_time)
    assert tres.gpus(lasts.alloc_tres) == 6
    assert sacct.parse(said(ask, sacct.by_name_argv(jobs.failed.run, since))) == [ended]


def test_the_queue_and_the_accounts_tell_the_same(ask: Ask, jobs: Jobs) -> None:
    """Field by field, beside Slurm's own long forms; then orders, and a poll that sees their effect."""
    works = check_queue(ask, jobs)
    check_accounts(ask, jobs, works)
    for job in (jobs.held, jobs.runs):
        said(ask, scancel.argv([job.job_id], name=job.run))
        until(lambda job=job: jobs.slurm_says(job, "JobState=CANCELLED"), "a job to end")  # type: ignore[misc]
    gone = ask.run(scancel.argv([jobs.failed.job_id], name=jobs.failed.run))
    assert gone.rc == 0 or scancel.says_ended(gone.err.decode()), gone
    asked = [jobs.held, jobs.runs, jobs.failed]
    poll = SlurmCli(ask).poll(asked, Before(datetime.now(UTC)), root=jobs.laptop.root, everything=True).poll
    assert poll.queue is not None
    assert [poll.queue[job.job_id].state for job in asked] == ["CANCELLED", "CANCELLED", "FAILED"]
    assert poll.accounting is True


def test_scancel_does_not_hit_a_job_of_another_name(laptop: Laptop, ask: Ask) -> None:
    """Slurm reuses ids; the order can name the run too."""
    run = laptop.submit(laptop.shell_job("true", more="hold = true\n"))
    ask.run(scancel.argv([run["job_id"]], name="other-00000000"))
    assert "JobState=PENDING" in laptop.there("scontrol", "show", "job", str(run["job_id"]))
    said(ask, scancel.argv([run["job_id"]], name=run["run"]))
    assert "JobState=CANCELLED" in laptop.there("scontrol", "show", "job", str(run["job_id"]))


def test_the_cluster_is_described(cluster: SlurmCluster, ask: Ask) -> None:
    """Version, controller, partitions, GPUs: sinfo and scontrol."""
    settings = scontrol.parse_config(said(ask, scontrol.config_argv()))
    major, minor, _ = scontrol.version(settings["SLURM_VERSION"])
    assert f"{major}.{minor:02d}" == cluster.version
    assert scontrol.tracks_gpus(settings)
    assert scontrol.has_accounting(settings)
    (controller,) = scontrol.parse_ping(said(ask, scontrol.ping_argv()))
    assert (controller.role, controller.up) == ("primary", True)

    partitions = {one.name: one for one in sinfo.parse(said(ask, sinfo.argv()))}
    assert {"gpu", "debug", "preemptible"} <= set(partitions)
    gpu, debug = partitions["gpu"], partitions["debug"]
    assert (gpu.default, gpu.up, gpu.nodes, gpu.gpus_per_node) == (True, True, 4, 8)
    assert (gpu.time_limit, gpu.default_time) == (7 * 86400, 3600)
    assert (debug.default, debug.time_limit, debug.default_time) == (False, 600, 300)
    assert gpu.gres == ("gpu:h100:8",)


def test_what_the_user_configured_for_slurms_commands_changes_nothing(laptop: Laptop) -> None:
    """Variables that alter sbatch, squeue and sacct are set in the account's login shell."""
    hostile = {
        "SQUEUE_FORMAT": "%i",
        "SQUEUE_STATES": "R",
        "SQUEUE_PARTITION": "debug",
        "SACCT_FORMAT": "JobID",
        "SLURM_TIME_FORMAT": "relative",
        "SBATCH_PARTITION": "debug",
        "SBATCH_TIMELIMIT": "1",
        "SBATCH_REQUEUE": "1",
        "SCANCEL_INTERACTIVE": "true",
        "SLURM_JOB_ID": "1",
    }
    lines = "\n".join(f"export {name}={json.dumps(value)}" for name, value in hostile.items())
    laptop.there("sh", "-c", 'printf "%s\\n" "$1" >~/.bashrc', "sh", lines)
    try:
        assert "SBATCH_PARTITION=debug" in laptop.cluster.ssh("env").stdout
        said = laptop.run("submit", laptop.shell_job("sleep 1", nodes=3, name="hostile"), "--wait", "--json")
        assert (said.code, said.run["state"], said.run["nodes"]) == (0, "COMPLETED", 3)
        held = laptop.submit(laptop.shell_job("true", more="hold = true\n"))
        assert laptop.run("cancel", held["run"]).code == 0
        assert laptop.run("wait", held["run"]).code == 11
    finally:
        laptop.there("rm", "/home/alice/.bashrc")
