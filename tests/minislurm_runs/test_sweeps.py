"""A sweep, and a chain of links, from the spec to the end."""

import json
from typing import Any

from minislurm_runs.machine import Machine
from minislurm_runs.test_arrays import tasks

SHOW = r'printf "%s\n" "words: $*" "SEED: $SEED"; cat "$TRAINSUB_POINT"'


def own_words(said: str) -> list[str]:
    """What the training itself printed."""
    return [line for line in said.splitlines() if not line.startswith("trainsub: ")]


def test_each_point_reaches_its_own_task(machine: Machine) -> None:
    """As arguments, as a variable and as a file; no shell sees what is in them."""
    command = json.dumps(["sh", "-c", SHOW, "train"])
    spec = machine.project(
        f'name = "sweep"\ncommand = {command}\ncode = false\n[launch]\nkind = "srun"\n[slurm]\nnodes = 1\ntime = "00:05:00"\n'
        """[sweep]\nmatrix = { lr = [1e-5, "$(touch x) `id` '*'"], SEED = [1, 2] }\nenv = ["SEED"]\nmax_running = 3\n"""
    )
    run = machine.run("submit", spec, "--wait", "--json").ok().run
    ended = tasks(machine.status(run["run"]))
    assert {index: task["state"] for index, task in ended.items()} == dict.fromkeys(range(4), "COMPLETED")
    printed = own_words(machine.run("logs", run["run"]).ok().out)
    wild = "$(touch x) `id` '*'"
    points = [{"lr": lr, "SEED": seed} for lr in (1e-5, wild) for seed in (1, 2)]
    assert printed == [
        line
        for point in points
        for line in (
            f"words: --lr={'1e-05' if point['lr'] == 1e-5 else wild}",
            f"SEED: {point['SEED']}",
            json.dumps(point),
        )
    ]


def chain(machine: Machine, script: str, more: str) -> dict[str, Any]:
    """Submit a chain of five links and wait for its end; the run."""
    said = machine.run("submit", machine.job(script, more=f"[chain]\nlinks = 5\n{more}"), "--json").ok()
    waited = machine.run("wait", said.run["run"], "--json", "--timeout", "100")
    assert machine.slurm("squeue", "--noheader").strip() == "", "a link is left over"
    return {**machine.status(said.run["run"]), "code": waited.code}


def codes(run: dict[str, Any]) -> list[int | None]:
    """The exit codes of the links; None for one that never began."""
    return [task["exit_code"]["code"] if task["start_time"] else None for _, task in sorted(tasks(run).items())]


COUNT = """
    number=$(($(cat number 2>/dev/null) + 1))
    echo $number >number
    echo link $TRAINSUB_CHAIN_LINK goes on from $((number - 1))
"""


def test_a_chain_goes_on_until_it_has_finished(machine: Machine) -> None:
    """Each link finds what the former one left; none is left over."""
    run = chain(machine, COUNT + "[ $number -lt 3 ] || exit 0; exit 85", "")
    assert (run["code"], run["state"], codes(run)) == (0, "COMPLETED", [85, 85, 0, None, None])
    assert own_words(machine.run("logs", run["run"]).ok().out) == [f"link {n} goes on from {n - 1}" for n in (1, 2, 3)]


def test_a_file_says_that_the_training_is_finished(machine: Machine) -> None:
    """Then exit code 0 alone does not."""
    run = chain(machine, COUNT + "[ $number -lt 3 ] || : >done; exit 0", 'finished = "done"\n')
    assert (run["code"], run["state"], codes(run)) == (0, "COMPLETED", [85, 85, 0, None, None])


def test_a_chain_without_progress_stops(machine: Machine) -> None:
    """Two links that leave no new checkpoint are enough here; failures between which there is one are not counted."""
    script = COUNT + "[ $number -gt 2 ] || { mkdir -p saved; echo $number >saved/last; }; exit 1"
    run = chain(machine, script, 'checkpoint = "saved"\nmax_stalled = 2\n')
    assert (run["code"], run["state"], codes(run)) == (10, "FAILED", [1, 1, 1, 1, 93])
    assert "the chain ends here: 2 links in a row have made no progress" in machine.run("logs", run["run"]).ok().out


def test_what_no_further_link_would_better_stops_a_chain(machine: Machine) -> None:
    """A wrong argument is wrong in each link."""
    run = chain(machine, "exit 2", "")
    assert (run["code"], run["state"], codes(run)) == (10, "FAILED", [2, None, None, None, None])


def test_a_chain_whose_links_are_used_up(machine: Machine) -> None:
    """It has saved and would go on: that is no fault of the training."""
    run = chain(machine, "exit 85", "")
    assert (run["code"], run["state"], codes(run)) == (12, "FAILED", [85] * 5)


def test_a_chain_that_is_cancelled(machine: Machine) -> None:
    """Its links that wait are cancelled with it."""
    said = machine.run("submit", machine.job("sleep 300", more="[chain]\nlinks = 3\n"), "--json").ok()
    run = said.run["run"]
    machine.phase(run, "running")
    machine.run("cancel", run).ok()
    assert machine.run("wait", run, "--timeout", "60").code == 11
    assert machine.status(run)["state"] == "CANCELLED"


def test_only_what_failed_is_retried(machine: Machine) -> None:
    """With the code and the indices of the first run; asked twice, it is one run; where nothing fails any more, none."""
    spec = machine.project(
        'name = "sweep"\ncommand = ["sh", "train.sh"]\n[launch]\nkind = "srun"\n[slurm]\nnodes = 1\ntime = "00:05:00"\n'
        "[sweep]\npoints = [{ a = 0 }, { a = 1 }, { a = 2 }, { a = 3 }]\n"
    )
    (spec.parent / "train.sh").write_text('echo "$1"; case $1 in --a=[13]) [ -e "$HOME/mended" ] || exit 1 ;; esac\n')
    first = machine.run("submit", spec, "--wait", "--json")
    assert (first.code, first.run["state"]) == (10, "FAILED")
    (spec.parent / "train.sh").write_text("exit 3\n")  # the code that failed is what is retried
    (machine.home / "mended").touch()
    again = machine.run("retry", first.run["run"], "--json").ok()
    assert set(tasks(again.run)) == {1, 3}
    twice = machine.run("retry", first.run["run"], "--json").ok()
    assert twice.run["job_id"] == again.run["job_id"]
    assert machine.run("wait", again.run["run"], "--timeout", "60").code == 0
    assert own_words(machine.run("logs", again.run["run"]).ok().out) == ["--a=1", "--a=3"]
    nothing = machine.run("retry", again.run["run"])
    assert (nothing.code, "nothing was submitted" in nothing.err) == (0, True)


def test_what_cannot_be_retried(machine: Machine) -> None:
    """It says why, and what to do."""
    plain = machine.run("submit", machine.job("exit 1"), "--wait", "--json").run["run"]
    said = machine.run("retry", plain)
    assert (said.code, "has no tasks that could be retried alone" in said.err) == (2, True)
    waits = machine.run("submit", machine.job("sleep 300", more='array = "0-1"\n'), "--json").ok().run["run"]
    said = machine.run("retry", waits)
    assert (said.code, "are still on their way" in said.err) == (2, True)
