"""Hold, release and requeue, and what status says of them, on minislurm."""

from minislurm_runs.machine import Machine, until


def test_a_run_is_held_released_and_requeued(machine: Machine) -> None:
    """Each order is told, is in the history, and Slurm shows its effect; the page says why it waits."""
    spec = machine.job("sleep 60", more="hold = true\n")
    run = machine.submit(spec)["run"]
    page = machine.run("status", run).ok().out
    assert "why            it is held" in page
    assert f"what to do     `trainsub release {run}` lets it go." in page
    assert "may start      not before it is released" in page

    assert "is released" in machine.run("release", run).ok().err
    machine.phase(run, "running")
    assert "runs on, and is billed" in machine.run("hold", run).ok().err
    said = machine.run("requeue", run).ok()
    assert "what it held until now is billed" in said.err
    assert f"`trainsub release {run}` lets it go" in said.err
    refused = machine.run("requeue", run)
    assert (refused.code, "Job is pending execution" in refused.err) == (5, True)
    document = machine.status(run)
    assert (document["state"], document["reason"]) == ("PENDING", "JobHeldUser")
    assert document["explanation"].startswith("it is held")
    orders = [event["what"] for event in document["events"] if event["source"] == "trainsub"]
    assert orders == ["release ordered", "hold ordered", "requeue ordered"]

    machine.run("cancel", run).ok()
    until(lambda: machine.status(run)["phase"] == "finished", "the end", 30)
    gone = machine.run("hold", run)
    assert (gone.code, "there is nothing to hold" in gone.err) == (5, True)


def test_status_says_why_runs_wait(machine: Machine) -> None:
    """Under the table, and only there: no line ends in blanks."""
    run = machine.submit(machine.job("true", more="hold = true\n"))["run"]
    machine.status(run)
    said = machine.run("status").ok().out
    assert f"\n{run}: it is held: you, or the spec, ordered so. `trainsub release {run}` lets it go.\n" in said
    assert all(line == line.rstrip() for line in said.splitlines())


def test_a_refusal_names_what_was_asked_too_much(machine: Machine) -> None:
    """The key of the spec, in the words of minislurm, which are Slurm's."""
    spec = machine.job("true")
    for sets, field in (
        ("slurm.gpus_per_node=99", "slurm.gpus_per_node"),
        ("slurm.partition=nowhere", "slurm.partition"),
        ("slurm.cpus_per_task=9999", "slurm.cpus_per_task"),
        ("launch.nproc_per_node=9999", "launch.nproc_per_node"),
        ("slurm.mem=99999G", "slurm.mem"),
        ("slurm.constraint=nope", "slurm.constraint"),
        ("slurm.nodelist=nope", "slurm.nodelist"),
        ("slurm.nodes=99", "slurm.nodes"),
    ):
        said = machine.run("submit", spec, "--set", sets)
        assert said.code == 5, said
        assert f"({field}" in said.err, said.err
        assert "hint: " in said.err
