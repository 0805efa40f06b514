"""The scheduler room's contract, on what each version of Slurm really prints."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cluster.laptop import CLUSTER, Laptop, until
from clusters import SlurmCluster

from trainsub.remote import Ask
from trainsub.scheduler import SlurmCli
from trainsub.slurm import sacct, scontrol, sinfo, squeue, tres
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


def test_the_queue_and_the_accounts_tell_the_same(laptop: Laptop, ask: Ask) -> None:
    """A job that waits, one that runs and one that failed, field by field, beside Slurm's own long forms."""
    spec = laptop.shell_job("sleep 60", nodes=2, gpus=3, name="runs")
    held, runs, failed = (
        one.ok().run
        for one in laptop.run_all(
            ("submit", laptop.shell_job("true", gpus=1, more="hold = true\n", name="held"), "--json"),
            ("submit", spec, "--json"),
            ("submit", laptop.shell_job("exit 7", name="failed"), "--json"),
        )
    )
    shown = lambda run: laptop.there("scontrol", "show", "job", str(run["job_id"]))  # noqa: E731
    until(lambda: "JobState=RUNNING" in shown(runs) and "JobState=FAILED" in shown(failed), "the jobs")
    now = datetime.now(UTC)
    rows = {row.job_id: row for row in squeue.parse(said(ask, squeue.argv()))}

    waits = rows[held["job_id"]]
    assert (waits.state, waits.reason, waits.name) == ("PENDING", "JobHeldUser", held["run"])
    assert (waits.comment, waits.restarts, waits.nodes, waits.nodelist) == (f"trainsub:{held['run']}:1", 0, 1, "")
    assert waits.start_time is None
    assert waits.submit_time is not None
    assert abs(waits.submit_time - now) < SOON

    works = rows[runs["job_id"]]
    assert (works.state, works.reason, works.partition, works.nodes) == ("RUNNING", "", "gpu", 2)
    assert (works.array_job_id, works.array_task) == (None, None)
    assert tres.gpus(works.tres) == 6
    assert works.start_time is not None
    assert works.end_time is not None
    assert works.end_time - works.start_time == timedelta(minutes=10)
    assert f"NodeList={works.nodelist}" in shown(runs)
    assert rows[failed["job_id"]].state == "FAILED"

    assert [row.job_id for row in squeue.parse(said(ask, squeue.by_name_argv(runs["run"])))] == [runs["job_id"]]
    assert squeue.parse(said(ask, squeue.by_name_argv("nobody"))) == []

    until(
        lambda: "|7:0" in laptop.there("sacct", "-nPX", "-j", str(failed["job_id"]), "-o", "State,ExitCode"), "accounts"
    )
    query = sacct.argv([runs["job_id"], failed["job_id"]], now - SOON)
    records = {row.job_id: row for row in sacct.parse(said(ask, query))}
    assert set(records) == {runs["job_id"], failed["job_id"]}
    ended, lasts = records[failed["job_id"]], records[runs["job_id"]]
    assert (ended.state, ended.exit_code, ended.name, ended.account) == (
        "FAILED",
        ExitCode(7, 0),
        failed["run"],
        "research",
    )
    assert ended.start is not None
    assert ended.end is not None
    assert ended.elapsed == (ended.end - ended.start).total_seconds()
    assert (lasts.end, lasts.nodes, lasts.nodelist, lasts.suspended) == (None, 2, works.nodelist, 0)
    assert tres.gpus(lasts.alloc_tres) == 6
    assert lasts.start == works.start_time
    assert lasts.submit == works.submit_time
    named = sacct.parse(said(ask, sacct.by_name_argv(failed["run"], now - SOON)))
    assert named == [ended]

    scheduler = SlurmCli(ask)
    jobs = [as_job(run) for run in (held, runs, failed)]
    assert [answer.error for answer in scheduler.cancel(jobs)] == [None] * 3
    until(lambda: "JobState=CANCELLED" in shown(runs) and "JobState=CANCELLED" in shown(held), "the ends")
    poll = scheduler.poll(jobs, root=laptop.root, everything=True)
    assert poll.queue is not None
    assert poll.queue[held["job_id"]].state == "CANCELLED"
    assert poll.accounting is True


def test_scancel_does_not_hit_a_job_of_another_name(laptop: Laptop, ask: Ask) -> None:
    """Slurm reuses ids; the order names the run too."""
    run = laptop.submit(laptop.shell_job("true", more="hold = true\n"))
    SlurmCli(ask).cancel([as_job({"run": "other-00000000", "job_id": run["job_id"]})])
    assert "JobState=PENDING" in laptop.there("scontrol", "show", "job", str(run["job_id"]))
    SlurmCli(ask).cancel([as_job(run)])
    assert "JobState=CANCELLED" in laptop.there("scontrol", "show", "job", str(run["job_id"]))


def test_the_cluster_is_described(cluster: SlurmCluster, laptop: Laptop, ask: Ask) -> None:
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
