"""A job array on a real Slurm: its tasks, what others do to them, and the bill."""

from typing import Any

from cluster.laptop import Laptop, until

ARRAY = 'array = "0-3%2"\n'


def tasks(run: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The entries of the tasks, by index."""
    return {job["array_task"]: job for job in run["jobs"] if job["array_task"] is not None}


def begun(laptop: Laptop, job_id: int, count: int) -> None:
    """Wait until so many tasks run."""
    until(
        lambda: len(laptop.there("squeue", "-h", "-j", str(job_id), "-t", "RUNNING", "-o", "%i").split()) == count,
        f"{count} tasks of {job_id} to run",
    )


def booked(laptop: Laptop, job_id: int) -> dict[str, list[str]]:
    """What the database has: the words of each task's records that held nodes."""
    command = ("sacct", "-nPXD", "-S", "now-1days", "-j", str(job_id), "-o", "JobID,State,Start,End,ElapsedRaw")
    found: dict[str, list[str]] = {}
    for line in laptop.there(*command).splitlines():
        shown, state, start, end, elapsed = line.split("|")
        if start not in {"Unknown", "None"} and (start != end or elapsed != "0"):
            found.setdefault(shown, []).append(f"{state.split()[0]} {elapsed}")
    return found


def test_an_array_from_the_spec_to_the_bill(laptop: Laptop) -> None:
    """Four tasks, two at a time: states task by task, the logs in order, and GPU-seconds as in the database."""
    spec = laptop.shell_job("echo task $SLURM_ARRAY_TASK_ID; sleep 6", gpus=2, more=ARRAY)
    run = laptop.submit(spec)
    begun(laptop, run["job_id"], 2)
    shown = laptop.run("status", run["run"], "--json").ok().run
    assert (shown["phase"], shown["gpus"], shown["exit_code"]) == ("running", 4, None), shown
    assert sorted(str(task["state"]) for task in tasks(shown).values()) == ["PENDING", "PENDING", "RUNNING", "RUNNING"]
    waited = laptop.run("wait", run["run"], "--json")
    assert (waited.code, waited.run["state"]) == (0, "COMPLETED"), waited
    printed = laptop.run("logs", run["run"]).ok().out
    assert [line for line in printed.splitlines() if line.startswith("task")] == [f"task {index}" for index in range(4)]

    def complete() -> dict[str, Any] | None:
        (used,) = laptop.run("usage", run["run"], "--json").ok().document["runs"]
        billed: dict[str, Any] | None = used if used["gpu_seconds"] and not used["provisional"] else None
        return billed

    used = until(complete, "the accounts")
    records = [record for ones in booked(laptop, run["job_id"]).values() for record in ones]
    assert len(records) == 4
    assert used["gpu_seconds"] == sum(int(record.split()[1]) * 2 for record in records)
    done = tasks(laptop.status(run["run"]))
    assert len({task["job_id"] for task in done.values()}) == 4
    for task in done.values():
        assert laptop.run("status", f"hpc:{task['job_id']}", "--cached", "--json").ok().run["run"] == run["run"]
    assert len(laptop.there("ls", f"{laptop.run_dir(run['run'])}/exit").split()) == 4


def test_tasks_that_others_cancel_and_requeue(laptop: Laptop) -> None:
    """One that waits is cancelled without a trace, one that runs is requeued: no end is guessed, and all is billed."""
    run = laptop.submit(laptop.shell_job("sleep 8", gpus=2, more=ARRAY))
    array = run["job_id"]
    begun(laptop, array, 2)
    laptop.run("status", run["run"]).ok()
    laptop.there("scancel", f"{array}_2")
    laptop.there("scontrol", "requeue", f"{array}_1")
    wanted = {0: "finished", 1: "finished", 2: "unknown", 3: "finished"}

    def over() -> bool:
        laptop.run("wait", run["run"], "--timeout", "30")
        return {index: task["phase"] for index, task in tasks(laptop.status(run["run"])).items()} == wanted

    until(over, "the others to end", 300)
    # What became of the third is told after a quarter of an hour only: Slurm's accounts may be late.
    assert laptop.status(run["run"])["phase"] == "unknown"
    laptop.run("usage", run["run"]).ok()
    done = tasks(laptop.status(run["run"]))
    held = [one for one in done[1]["allocations"] if one["start_time"]]
    assert [one["state"] for one in held][-1] == "COMPLETED"
    assert len(held) == 2
    (used,) = laptop.run("usage", run["run"], "--json").ok().document["runs"]
    records = [record for ones in booked(laptop, array).values() for record in ones]
    assert used["gpu_seconds"] == sum(int(record.split()[1]) * 2 for record in records), laptop.status(run["run"])


def test_cancel_ends_all_tasks(laptop: Laptop) -> None:
    """Those that run, and those that wait in the array's own row."""
    run = laptop.submit(laptop.shell_job("sleep 300", more=ARRAY))
    begun(laptop, run["job_id"], 2)
    laptop.run("cancel", run["run"]).ok()
    waited = laptop.run("wait", run["run"], "--json")
    assert waited.code == 11, waited
    assert {task["state"] for task in tasks(waited.run).values()} == {"CANCELLED"}
