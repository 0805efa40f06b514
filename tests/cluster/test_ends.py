"""Cancel, wait and status, on jobs that wait, run and have ended."""

from cluster.laptop import Laptop, until


def test_cancel_stops_a_pending_and_a_running_job(laptop: Laptop) -> None:
    """Both orders end with 0, waiting for them with 11, and cancelling again is 0 with a note."""
    specs = [laptop.shell_job("true", more="hold = true\n", name="held"), laptop.shell_job("sleep 300", name="runs")]
    held, runs = (said.ok().run for said in laptop.run_all(*(("submit", spec, "--json") for spec in specs)))
    assert held["phase"] == runs["phase"] == "pending"
    until(lambda: laptop.there("squeue", "-h", "-o", "%T", "-n", runs["run"]).strip() == "RUNNING", "the job to run")

    shown = laptop.run("status", "--json").ok().document["runs"]
    seen = {run["name"]: (run["phase"], run["state"], run["source"]) for run in shown}
    assert seen == {"held": ("pending", "PENDING", "squeue"), "runs": ("running", "RUNNING", "squeue")}
    assert "RUNNING (squeue, " in laptop.run("status", "--cached").ok().out

    for run in (held, runs):
        done = laptop.run("cancel", run["run"])
        assert done.code == 0
        assert f"run {run['run']}: job {run['job_id']} was told to stop" in done.err
    waited = laptop.run("wait", held["run"], runs["run"], "--json")
    assert waited.code == 11, waited
    assert {run["state"] for run in waited.document["runs"]} == {"CANCELLED"}
    assert laptop.there("squeue", "-h", "-u", "alice", "-n", f"{held['run']},{runs['run']}") == ""

    again = laptop.run("cancel", held["run"], runs["run"])
    assert again.code == 0
    assert again.err.count("has ended already; nothing to cancel") == 2
    mixed = laptop.run("wait", held["run"])
    assert mixed.code == 11


def test_a_deadline_of_wait_leaves_the_job_alone(laptop: Laptop) -> None:
    """Exit code 124, and the message says so."""
    held = laptop.submit(laptop.shell_job("true", more="hold = true\n"))["run"]
    deadline = laptop.run("wait", held, "--timeout", "0.5")
    assert deadline.code == 124
    assert "it goes on" in deadline.err
    assert laptop.status(held)["phase"] == "pending"
    laptop.run("cancel", held).ok()


def test_a_job_is_found_by_whatever_a_person_types(laptop: Laptop) -> None:
    """Run id, prefix, job id, cluster:job_id; what is unknown or ambiguous is exit code 6."""
    specs = [laptop.shell_job("true", name=name) for name in ("one-a", "one-b")]
    first, _ = (said.ok().run for said in laptop.run_all(*(("submit", spec, "--json") for spec in specs)))
    for text in (first["run"], "one-a", str(first["job_id"]), f"hpc:{first['job_id']}"):
        assert laptop.run("status", text, "--cached", "--json").ok().run["run"] == first["run"]
    ambiguous = laptop.run("status", "one-", "--cached")
    assert ambiguous.code == 6
    assert "one-a-" in ambiguous.err
    assert "one-b-" in ambiguous.err
    unknown = laptop.run("cancel", "nobody", "--json")
    assert (unknown.code, unknown.document["error"]["kind"]) == (6, "unknown_run")
    assert laptop.run("wait", "one-a", "one-b").code == 0


def test_the_library_does_what_the_commands_do(laptop: Laptop) -> None:
    """Plan, submit, wait, logs, usage and history, in one process and over one connection."""
    with laptop.client() as client:
        plan = client.plan(laptop.shell_job("echo hello from $SLURMD_NODENAME", nodes=2, gpus=4))
        assert plan.ceiling_gpu_seconds == 2 * 4 * 600
        run = client.submit(plan)
        (ended,) = client.wait([run.run])
        assert ended.jobs[-1].state == "COMPLETED"
        log = b"".join(client.logs(run.run)).decode()
        assert log.count("hello from n") == 2
        report = client.usage([run.run])
        assert [one.run for one in report.runs] == [run.run]
        assert client.status([run.run], cached=True).runs == report.runs
        told = [event.what for event in client.history(run.run)]
    assert len(told) == len(set(told)) > 1
