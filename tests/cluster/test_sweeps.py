"""A sweep of 500 points on a real Slurm, and the few that failed once more."""

import json
from collections import Counter
from itertools import pairwise

import pytest
from cluster.laptop import Laptop
from cluster.test_arrays import tasks

POINTS = 500
FAILING = {17, 250, 499}
TRAINING = f"""
    case $1 in {"|".join(f"--seed={seed}" for seed in sorted(FAILING))})
        [ -e "$0" ] || exit 1 ;;
    esac
    echo "$SLURM_ARRAY_TASK_ID: $1"
"""


@pytest.mark.parametrize("cluster", ["26.05"], indirect=True)  # minutes of starting jobs, and the same on each
def test_a_sweep_of_500_points_and_its_retry(laptop: Laptop) -> None:
    """Each point is trained once, never more than so many at a time; of the retry, only those that failed."""
    mended = f"{laptop.root}-mended"
    spec = laptop.project(
        f'name = "sweep"\ncommand = {json.dumps(["sh", "-c", TRAINING, mended])}\ncode = false\n'
        '[launch]\nkind = "command"\n[slurm]\nnodes = 1\ntime = "00:05:00"\ncpus_per_task = 1\n'
        f"[sweep]\nmatrix = {{ seed = {list(range(POINTS))} }}\nmax_running = 8\n"
    )
    run = laptop.submit(spec)
    waited = laptop.run("wait", run["run"], "--timeout", "900", "--json", timeout=960)
    assert (waited.code, waited.run["state"]) == (10, "FAILED"), waited.err
    ended = tasks(laptop.status(run["run"]))
    assert Counter(task["state"] for task in ended.values()) == {"COMPLETED": POINTS - len(FAILING), "FAILED": 3}
    assert {index for index, task in ended.items() if task["state"] == "FAILED"} == FAILING
    log = laptop.run("logs", run["run"], timeout=300).ok().out
    said = [line for line in log.splitlines() if "--seed" in line and "trainsub" not in line]
    assert said == [f"{index}: --seed={index}" for index in range(POINTS) if index not in FAILING]
    assert most_at_once(laptop, run["job_id"]) <= 8

    laptop.there("touch", mended)
    again = laptop.run("retry", run["run"], "--json").ok().run
    assert set(tasks(again)) == FAILING
    assert laptop.run("wait", again["run"], "--timeout", "120").code == 0
    log = laptop.run("logs", again["run"]).ok().out
    assert [line for line in log.splitlines() if "--seed" in line and "trainsub" not in line] == [
        f"{index}: --seed={index}" for index in sorted(FAILING)
    ]
    nothing = laptop.run("retry", again["run"])
    assert (nothing.code, "nothing was submitted" in nothing.err) == (0, True)


def began_and_ended(laptop: Laptop, array: int) -> list[str]:
    """When the tasks of an array held nodes, as the accounts say, in their order."""
    fields = ("-o", "Start,End")
    return sorted(laptop.there("sacct", "-nPX", "-S", "now-1days", "-j", str(array), *fields).splitlines())


def most_at_once(laptop: Laptop, array: int) -> int:
    """How many tasks held nodes at the same time; who starts in the second of an end comes after."""
    spans = [line.split("|") for line in began_and_ended(laptop, array)]
    running = most = 0
    for _, step in sorted((time, step) for span in spans for time, step in zip(span, (1, -1), strict=True)):
        running += step
        most = max(most, running)
    return most


def test_a_sweep_in_parts_that_wait_for_each_other(laptop: Laptop) -> None:
    """Five points, two to an array, one at a time over all of them: on each version the parts run after one another."""
    laptop.configure("max_array_size = 2")
    spec = laptop.project(
        'name = "parts"\ncommand = ["sh", "-c", "echo $1; sleep 1", "train"]\ncode = false\n'
        '[launch]\nkind = "command"\n[slurm]\nnodes = 1\ntime = "00:05:00"\ncpus_per_task = 1\n'
        "[sweep]\nmatrix = { seed = [0, 1, 2, 3, 4] }\nmax_running = 1\n"
    )
    submitted = laptop.run("submit", spec, "--json").ok().document["runs"]
    names = [run["run"] for run in submitted]
    waited = laptop.run("wait", *names, "--timeout", "120", "--json").ok()
    assert [run["state"] for run in waited.document["runs"]] == ["COMPLETED"] * 3
    printed = [laptop.run("logs", name).ok().out.splitlines() for name in names]
    assert [[line for line in lines if line.startswith("--seed")] for lines in printed] == [
        ["--seed=0", "--seed=1"],
        ["--seed=2", "--seed=3"],
        ["--seed=4"],
    ]
    times = [line.split("|") for run in submitted for line in began_and_ended(laptop, run["job_id"])]
    assert all(before[1] <= after[0] for before, after in pairwise(times)), times
