"""A job array from the spec to the bill, and what others do to its tasks meanwhile."""

from typing import Any

from minislurm_runs.machine import Machine, until

ARRAY = 'array = "0-3%2"\n'


def tasks(run: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The entries of the tasks, by index."""
    return {job["array_task"]: job for job in run["jobs"] if job["array_task"] is not None}


def begun(machine: Machine, run: str, wanted: set[int]) -> dict[int, dict[str, Any]]:
    """Wait until just these tasks run."""

    def there() -> dict[int, dict[str, Any]] | None:
        machine.run("wait", run, "--timeout", "0.1")
        known = tasks(machine.status(run))
        return known if {index for index, task in known.items() if task["state"] == "RUNNING"} == wanted else None

    found: dict[int, dict[str, Any]] = until(there, f"tasks {wanted} to run")
    return found


def test_an_array_is_one_run(machine: Machine) -> None:
    """Four tasks, two at a time: one bill, four logs in order, and an exit code only after the last of them."""
    said = machine.run("submit", machine.job("echo task $SLURM_ARRAY_TASK_ID; sleep 2", gpus=1, more=ARRAY), "--json")
    run = said.ok().run["run"]
    first = begun(machine, run, {0, 1})
    assert [first[index]["phase"] for index in (2, 3)] == ["pending", "pending"]
    known = machine.status(run)
    assert (known["phase"], known["state"], known["gpus"], known["exit_code"]) == ("running", "RUNNING", 2, None)
    followed = machine.run("logs", run, "-f").ok()
    assert sorted(line for line in followed.out.splitlines() if line.startswith("task")) == [
        f"task {i}" for i in range(4)
    ]
    assert machine.run("wait", run).code == 0
    printed = machine.run("logs", run).ok()
    assert [line for line in printed.out.splitlines() if line.startswith("task")] == [f"task {i}" for i in range(4)]
    (used,) = machine.run("usage", run, "--json").ok().document["runs"]
    done = tasks(machine.status(run))
    assert len({task["job_id"] for task in done.values()}) == 4
    held = [one["elapsed"] * one["gpus"] for task in done.values() for one in task["allocations"]]
    assert (used["gpu_seconds"], used["provisional"]) == (sum(held), False)
    assert sum(held) >= 8
    for task in done.values():
        assert machine.run("status", f"minislurm:{task['job_id']}", "--json").ok().run["run"] == run


def test_what_others_do_to_tasks_is_told(machine: Machine) -> None:
    """One is cancelled by hand, which leaves no trace, one is requeued: each is told, and each period is billed."""
    said = machine.run("submit", machine.job("sleep 3", gpus=1, more=ARRAY), "--json")
    run, array = said.ok().run["run"], said.run["job_id"]
    begun(machine, run, {0, 1})
    machine.slurm("scancel", f"{array}_2")
    machine.slurm("scontrol", "requeue", f"{array}_1")
    wanted = {0: "finished", 1: "finished", 2: "unknown", 3: "finished"}

    def over() -> bool:
        machine.run("wait", run, "--timeout", "30")
        known = tasks(machine.status(run))
        return {index: task["phase"] for index, task in known.items()} == wanted

    until(over, "the others to end", seconds=240)
    # What became of the third is told after a quarter of an hour only: Slurm's accounts may be late.
    assert machine.status(run)["phase"] == "unknown"
    machine.run("usage", run).ok()
    done = tasks(machine.status(run))
    assert [one["state"] for one in done[1]["allocations"] if one["start_time"]] == ["REQUEUED", "COMPLETED"]
    assert (done[2]["start_time"], done[2]["allocations"]) == (None, [])
    (used,) = machine.run("usage", run, "--json").ok().document["runs"]
    held = [one["elapsed"] * one["gpus"] for task in done.values() for one in task["allocations"] if one["gpus"]]
    assert used["gpu_seconds"] == sum(held)


def test_cancel_stops_every_task(machine: Machine) -> None:
    """Those that run and those that wait."""
    run = machine.run("submit", machine.job("sleep 300", more=ARRAY), "--json").ok().run["run"]
    begun(machine, run, {0, 1})
    machine.run("cancel", run).ok()
    waited = machine.run("wait", run, "--json")
    assert (waited.code, {task["state"] for task in tasks(waited.run).values()}) == (11, {"CANCELLED"}), waited
