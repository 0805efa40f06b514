"""Chains of links on a real Slurm: each link goes on from the checkpoint of the former, and none is left over."""

import json
from pathlib import Path
from typing import Any

import pytest
from cluster.laptop import Laptop, until
from cluster.test_arrays import tasks

TRAINING = """
    step=$(cat checkpoints/step 2>/dev/null || echo 0)
    echo link $TRAINSUB_CHAIN_LINK goes on from step $step
    save() { mkdir -p checkpoints; echo $1 >checkpoints/new; mv checkpoints/new checkpoints/step; }
"""
"""A training that counts its steps."""


def chain(laptop: Laptop, script: str, keys: str, *, time: str = "00:05:00", nodes: int = 1) -> Path:
    """A spec of a chain; nothing travels with it."""
    return laptop.project(
        f'name = "chain"\ncommand = {json.dumps(["sh", "-c", TRAINING + script])}\ncode = false\n'
        f'[launch]\nkind = "srun"\n[slurm]\nnodes = {nodes}\ntime = "{time}"\n[chain]\n{keys}'
    )


def ended(laptop: Laptop, spec: Path, seconds: int = 240) -> dict[str, Any]:
    """Submit a chain and wait for its end; the run's document, with the exit code of ``wait`` and the log."""
    run = laptop.submit(spec)
    waited = laptop.run("wait", run["run"], "--timeout", str(seconds), "--json", timeout=seconds + 60)
    left = laptop.there("squeue", "--noheader", "--jobs", str(run["job_id"]), "--states=PENDING,RUNNING")
    assert left.strip() == "", f"a link is left over: {left}"
    log = laptop.run("logs", run["run"]).ok().out

    def known() -> dict[str, Any] | None:
        found = laptop.status(run["run"])
        return found if all(link["exit_code"] or not link["start_time"] for link in found["jobs"]) else None

    # squeue tells of no exit codes, and the accounts of 22.05 are behind.
    return {**until(known, "the links' exit codes"), "code": waited.code, "log": log}


def codes(run: dict[str, Any]) -> list[int | None]:
    """The exit codes of the links; None for one that never began."""
    return [link["exit_code"]["code"] if link["start_time"] else None for _, link in sorted(tasks(run).items())]


def begun(run: dict[str, Any]) -> list[str]:
    """What the links said when they began."""
    return [line for line in run["log"].splitlines() if line.startswith("link ") and "goes on" in line]


def test_a_chain_of_five_links_trains_to_its_end(laptop: Laptop) -> None:
    """It goes on after what saved, what failed, what ended well too early and what was killed; then nothing is left."""
    script = """
        save $((step + 10))
        case $TRAINSUB_CHAIN_LINK in
            1) exit 85 ;;
            2) exit 1 ;;
            3) exit 0 ;;
            4) kill -KILL $$ ;;
        esac
        : >finished
    """
    run = ended(
        laptop, chain(laptop, script, 'links = 8\nfinished = "finished"\ncheckpoint = "checkpoints"\n', nodes=1)
    )
    assert (run["code"], run["state"]) == (0, "COMPLETED"), run
    assert codes(run) == [85, 1, 85, 1, 0, None, None, None]
    assert begun(run) == [f"link {link} goes on from step {10 * (link - 1)}" for link in range(1, 6)]
    assert "the chain ends here: ./finished is there" in run["log"]
    unused = [link for _, link in sorted(tasks(run).items())][5:]
    assert {link["state"] for link in unused} == {"CANCELLED"}


def test_a_chain_without_progress_stops(laptop: Laptop) -> None:
    """Two links that leave no new checkpoint are enough here; a third one tells of it and trains nothing."""
    script = "[ $TRAINSUB_CHAIN_LINK -gt 1 ] || save 1; exit 1"
    run = ended(laptop, chain(laptop, script, 'links = 8\ncheckpoint = "checkpoints"\nmax_stalled = 2\n'))
    assert (run["code"], run["state"], codes(run)) == (10, "FAILED", [1, 1, 1, 93, None, None, None, None]), run
    assert [line.split()[1] for line in begun(run)] == ["1", "2", "3"]
    assert "the chain ends here: 2 links in a row have made no progress" in run["log"]


@pytest.mark.parametrize("cluster", ["22.05"], indirect=True)  # minutes of waiting, and the same on each
def test_the_time_limit_ends_a_link_and_the_next_one_goes_on(laptop: Laptop) -> None:
    """Slurm tells the ranks with TERM; what they save then is there for the next link."""
    script = """
        trap 'save 7; echo saved at the time limit; exit 85' TERM
        [ $step -eq 7 ] && exit 0
        while :; do sleep 1; done
    """
    run = ended(laptop, chain(laptop, script, "links = 3\n", time="00:01:00"))
    assert (run["code"], run["state"]) == (0, "COMPLETED"), run
    links = [link for _, link in sorted(tasks(run).items())]
    assert [link["state"] for link in links] == ["TIMEOUT", "COMPLETED", "CANCELLED"]
    assert begun(run) == ["link 1 goes on from step 0", "link 2 goes on from step 7"]
