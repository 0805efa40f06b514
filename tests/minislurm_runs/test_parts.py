"""Sweeps that one job array cannot hold, from the spec to the end."""

import itertools
from collections import Counter
from typing import Any

from minislurm_runs.machine import Machine

SHOW = 'echo "$@"; case $* in *=[36]) [ -e "$HOME/mended" ] ;; esac'


def configure(machine: Machine, size: int) -> None:
    """Let an array have so many tasks at most."""
    file = machine.home / "config.toml"
    file.write_text(file.read_text().replace("poll_seconds", f"max_array_size = {size}\npoll_seconds", 1))


def sweep(machine: Machine, points: int, more: str = "") -> str:
    """The path of a spec with so many points, each of which says its words."""
    values = list(range(points))
    spec = f"""name = "sweep"
command = ["sh", "-c", '''{SHOW}''', "train"]
code = false
[launch]
kind = "srun"
[slurm]
nodes = 1
time = "00:05:00"
[sweep]
matrix = {{ a = {values} }}
{more}
"""
    return str(machine.project(spec))


def words(machine: Machine, run: dict[str, Any]) -> list[str]:
    """What the points of a run printed."""
    return [line for line in machine.run("logs", run["run"]).ok().out.splitlines() if line.startswith("--a=")]


def test_each_point_is_trained_once_and_a_part_is_retried_alone(machine: Machine) -> None:
    """Seven points in arrays of three, one at a time over all of them; two fail, and are the only ones to come again."""
    configure(machine, 3)
    done = machine.run("submit", sweep(machine, 7, "max_running = 1"), "--wait", "--json")
    assert (done.code, done.err.count("part ")) == (10, 3)
    runs = done.document["runs"]
    assert [run["state"] for run in runs] == ["COMPLETED", "FAILED", "FAILED"]
    printed = [words(machine, run) for run in runs]
    assert printed == [["--a=0", "--a=1", "--a=2"], ["--a=3", "--a=4", "--a=5"], ["--a=6"]]
    for before, after in itertools.pairwise(runs):
        assert before["end_time"] <= after["start_time"]
    (machine.home / "mended").touch()
    again = machine.run("retry", runs[1]["run"], "--json").ok().run
    assert machine.run("wait", again["run"], "--timeout", "60").code == 0
    assert words(machine, again) == ["--a=3"]


def test_after_an_interruption_the_same_command_goes_on(machine: Machine) -> None:
    """Ctrl-C behind the first part: it is said what is there, and in the end each point was trained once."""
    configure(machine, 1)
    (machine.home / "mended").touch()
    spec = sweep(machine, 8)
    process = machine.start("submit", spec)
    assert process.stderr is not None
    while b"part 1 of 8" not in process.stderr.readline():
        assert process.poll() is None
    stopped = machine.interrupt(process)
    assert (stopped.code, "the same command goes on with the next" in stopped.err) == (130, True)
    # What was on its way may have been given up: such a run has no job, and another one takes its place.
    first = {run["run"] for run in machine.run("status", "--json").ok().document["runs"] if run["job_id"]}
    assert 0 < len(first) < 8
    done = machine.run("submit", spec, "--wait", "--json").ok()
    assert first <= {run["run"] for run in done.document["runs"]}
    every = [run for run in machine.run("status", "--json").ok().document["runs"] if run["job_id"]]
    assert Counter(word for run in every for word in words(machine, run)) == {f"--a={number}": 1 for number in range(8)}


def test_a_dry_run_shows_all_parts(machine: Machine) -> None:
    """And the ceiling of all; the script is that of the first."""
    configure(machine, 3)
    spec = sweep(machine, 7, "max_running = 2")
    shown = machine.run("submit", spec, "--dry-run").ok()
    assert "#SBATCH --array=0-2%2" in shown.out
    assert shown.out == machine.run("render", spec).ok().out
    assert shown.err.count("of 7 tasks, when the run before has ended") == 2
    assert "3 parts, each a run of its own: an array on minislurm has 3 points at most" in shown.err
    told = machine.run("submit", spec, "--dry-run", "--json").ok().document
    assert (told["tasks"], [part["tasks"] for part in told["parts"]]) == (7, [3, 3, 1])
    assert told["script"] == told["parts"][0]["script"] == shown.out


def test_a_log_that_is_followed_is_that_of_all_parts(machine: Machine) -> None:
    """One after another, and the bill is that of each."""
    configure(machine, 2)
    done = machine.run("submit", sweep(machine, 3, "max_running = 1"), "--follow").ok()
    assert [line for line in done.out.splitlines() if line.startswith("--a=")] == ["--a=0", "--a=1", "--a=2"]
    assert done.err.count("GPU-seconds") == 2


def test_what_fits_is_one_run_without_any_word_of_parts(machine: Machine) -> None:
    """As it always was."""
    configure(machine, 3)
    done = machine.run("submit", sweep(machine, 3), "--wait", "--json").ok()
    assert done.run["state"] == "COMPLETED"
    assert "part" not in done.err
