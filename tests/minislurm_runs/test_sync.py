"""A store that is lost, a second machine, a pipeline without a home: the cluster knows, and `sync` finds it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from minislurm_runs.machine import Machine, finish, until
from minislurm_runs.neighbours import CLUSTER, Neighbour, nowhere


@pytest.fixture
def laptop(machine: Machine, tmp_path: Path) -> Neighbour:
    """The machine that submits."""
    return Neighbour(tmp_path / "laptop", machine)


@pytest.fixture
def other(laptop: Neighbour, tmp_path: Path) -> Neighbour:
    """Another machine of the same account."""
    return Neighbour(tmp_path / "other", laptop.owner)


def synced(machine: Neighbour) -> Any:
    """What ``sync`` tells."""
    return machine.run("sync", CLUSTER, "--json").ok().document


def tree(root: Path) -> list[tuple[str, int]]:
    """Everything below, and when it was changed."""
    return sorted((str(path), path.lstat().st_mtime_ns) for path in root.rglob("*"))


def test_a_lost_store_is_rebuilt(laptop: Neighbour) -> None:
    """Runs that ended in every way, that run and that wait: the documents are what they were, the bill too."""
    code = laptop.project(
        'name = "code"\ncommand = ["sh", "-c", "test -s big; sleep 1"]\n[launch]\nkind = "srun"\n'
        "[slurm]\nnodes = 1\ntime = 5\ngpus_per_node = 2\n"
    )
    (code.parent / "big").write_text("x" * 1000)
    ended = [
        laptop.submit(code, "--key", "night's \n $(work) é")["run"],
        laptop.submit(laptop.job("exit 3", gpus=1))["run"],
        laptop.submit(laptop.job("echo $SLURM_ARRAY_TASK_ID; sleep 1", gpus=1, more='array = "0-2%1"\n'))["run"],
    ]
    going_on = laptop.submit(laptop.job("sleep 600", gpus=1))["run"]
    waiting = laptop.submit(laptop.job("true", more="hold = true\n"))["run"]
    cancelled = laptop.submit(laptop.job("sleep 600"))["run"]
    laptop.run("wait", *ended, timeout=120)
    laptop.phase(going_on, "running")
    laptop.phase(cancelled, "running")
    laptop.run("cancel", cancelled).ok()
    laptop.run("wait", cancelled)
    laptop.documents()  # usage asks the accounts, and what they say of a job that waits is in the second one's status
    before = laptop.documents()
    files = tree(laptop.root)

    laptop.lose_everything()
    said = laptop.run("sync", CLUSTER).ok()
    assert "6 runs on cluster hpc" in said.err
    assert "6 restored" in said.err
    status, usage = laptop.documents()
    assert {run["run"]: run["phase"] for run in status["runs"]} == {
        **dict.fromkeys([*ended, cancelled], "finished"),
        going_on: "running",
        waiting: "pending",
    }
    for now, then in zip(ended_in(status, going_on), ended_in(before[0], going_on), strict=True):
        assert {key: (now[key], then[key]) for key in now if now[key] != then[key]} == {}
    assert ended_in(usage, going_on) == ended_in(before[1], going_on)
    assert tree(laptop.root) == files

    again = synced(laptop)
    assert (again["restored"], again["updated"], sorted(again["known"])) == (
        [],
        [],
        sorted(run["run"] for run in status["runs"]),
    )
    assert laptop.run("submit", code, "--key", "night's \n $(work) é", "--json").ok().run["run"] == ended[0]


def ended_in(document: Any, run: str) -> list[Any]:
    """The runs of a document, but for one that still runs."""
    return [one for one in document["runs"] if one["run"] != run]


def test_a_second_machine_learns_what_the_first_one_did(laptop: Neighbour, other: Neighbour) -> None:
    """A run that it does not know is told with the way to find it; then it can follow, bill and cancel it."""
    run = laptop.submit(laptop.job("echo begins; sleep 600", gpus=1))["run"]
    for verb in ("status", "wait", "logs", "cancel", "usage"):
        said = other.run(verb, run)
        assert (said.code, f"no run '{run}' is known" in said.err, "trainsub sync CLUSTER" in said.err) == (
            6,
            True,
            True,
        )
    assert synced(other)["restored"] == [run]
    laptop.phase(run, "running")
    until(lambda: "begins" in other.run("logs", run).ok().out, "the log")
    other.run("cancel", run).ok()
    assert other.run("wait", run).code == 11
    assert laptop.run("wait", run).code == 11
    assert laptop.documents() == other.documents()


def test_runs_of_earlier_versions_are_restored_without_what_they_did_not_say(laptop: Neighbour) -> None:
    """Their directories have no run.json: nothing is made up, and the same key finds them all the same."""
    spec = laptop.job("sleep 1", gpus=1)
    run = laptop.submit(spec, "--key", "old")["run"]
    laptop.run("wait", run).ok()
    before = laptop.documents()
    (laptop.run_dir(run) / "run.json").unlink()
    laptop.lose_everything()
    assert synced(laptop)["restored"] == [run]
    assert laptop.documents() == before  # a run without code
    said = laptop.run("submit", spec, "--key", "old", "--json").ok()
    assert said.run["run"] == run
    assert "that run stands" in said.err
    assert "another spec" not in said.err


def test_what_is_no_run_is_left_alone_and_told(laptop: Neighbour) -> None:
    """Foreign files, directories that say what cannot be, and such as are just being made."""
    run = laptop.submit(laptop.job("true"))["run"]
    laptop.run("wait", run)
    runs = laptop.root / "runs"
    (runs / "notes\n$(touch pwned).txt").write_text("mine")
    (runs / "-rf").mkdir()
    (runs / "odd-00000001").mkdir()
    (runs / "odd-00000001" / "owner.1").symlink_to("somebody")
    (runs / "file-00000002").write_text("no directory")
    (runs / "young-00000003").mkdir()
    (laptop.root / ".new.x" / "sent-00000004").mkdir(parents=True)
    (runs / "blob-00000005").mkdir()
    (runs / "blob-00000005" / "owner.1").symlink_to("77")
    (runs / "blob-00000005" / "run.json").write_bytes(b"\xff\x00[")
    laptop.lose_everything()
    files = tree(laptop.root)
    found = synced(laptop)
    assert sorted(found["restored"]) == ["blob-00000005", run]
    assert sorted(found["coming"]) == ["sent-00000004", "young-00000003"]
    assert {one["run"] for one in found["unreadable"]} == {"odd-00000001", "file-00000002"}
    assert sorted(found["foreign"]) == ["-rf", "notes\n$(touch pwned).txt"]
    assert tree(laptop.root) == files
    words = laptop.run("sync", CLUSTER).ok().err
    assert "run odd-00000001 was left as it is: the fence of the run holds 'somebody'" in words
    assert "being submitted just now, and left alone: " in words


def test_a_submission_without_an_outcome_is_settled_by_the_usual_rules(laptop: Neighbour) -> None:
    """The machine that submitted died in the middle, long ago: there is no job, and there will be none."""
    laptop.submit(laptop.job("true"))
    folder = laptop.root / "runs" / "lost-0000000a"
    folder.mkdir()
    (folder / "submit.1").write_text(f"{int(time.time()) - 4000} 60\n")
    assert synced(laptop)["restored"] == ["lost-0000000a"]
    assert laptop.status("lost-0000000a")["phase"] == "refused"
    assert (folder / "owner.1").readlink() == Path("void")
    laptop.lose_everything()
    synced(laptop)
    assert laptop.status("lost-0000000a")["phase"] == "refused"


def test_jobs_whose_directories_are_gone_are_still_billed(laptop: Neighbour) -> None:
    """Somebody cleaned the file system: Slurm's records are what is left. Jobs of another root are not ours."""
    run = laptop.submit(laptop.job("sleep 1", gpus=2))["run"]
    laptop.run("wait", run).ok()
    (_, before) = laptop.documents()
    shutil.rmtree(laptop.run_dir(run))
    laptop.lose_everything()
    found = synced(laptop)
    assert (found["restored"], found["gone"]) == ([run], [run])
    (_, after) = laptop.documents()
    assert after["total"] == before["total"]
    assert laptop.status(run)["state"] == "COMPLETED"
    file = laptop.home / "config.toml"
    file.write_text(file.read_text().replace("remote root", "another root"))
    laptop.lose_everything()
    assert synced(laptop)["restored"] == []


def test_what_is_known_is_never_replaced_by_less(laptop: Neighbour) -> None:
    """Slurm has forgotten a job, and what was learned of it stays."""
    run = laptop.submit(laptop.job("exit 4", gpus=1))["run"]
    laptop.run("wait", run)
    before = laptop.documents()
    (laptop.run_dir(run) / "run.json").unlink()
    (laptop.run_dir(run) / "spec.toml").unlink()
    (laptop.bin / "sacct").unlink()
    (laptop.bin / "squeue").write_text("#!/bin/sh\n")
    assert synced(laptop)["known"] == [run]
    assert laptop.documents() == before


def test_a_silent_slurm_is_told_and_the_runs_are_there(laptop: Neighbour) -> None:
    """Exit code 4; the next command asks again."""
    run = laptop.submit(laptop.job("true"))["run"]
    laptop.run("wait", run)
    laptop.lose_everything()
    real = (laptop.bin / "squeue").read_text()
    (laptop.bin / "squeue").write_text("#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact' >&2; exit 1\n")
    said = laptop.run("sync", CLUSTER, "--json")
    assert (said.code, said.document["restored"], said.document["asked"]) == (4, [run], False)
    (laptop.bin / "squeue").write_text(real)
    assert laptop.status(run)["state"] == "COMPLETED"


def test_a_damaged_store_is_told_with_the_way_out(laptop: Neighbour) -> None:
    """Moved away, and read again from the cluster."""
    run = laptop.submit(laptop.job("true"))["run"]
    store = laptop.state / "store.sqlite"
    store.write_bytes(b"not a database, " * 1000)
    said = laptop.run("status")
    assert (said.code, "Move it away; then `trainsub sync CLUSTER`" in said.err) == (8, True)
    store.rename(store.with_suffix(".damaged"))
    assert synced(laptop)["restored"] == [run]


def test_the_same_key_with_another_spec_is_known_as_what_it_is(laptop: Neighbour, other: Neighbour) -> None:
    """The second machine does not take its own plan for the run's."""
    first = laptop.submit(laptop.job("sleep 1", nodes=2), "--key", "nightly")
    said = other.run("submit", other.job("sleep 2"), "--key", "nightly", "--json").ok()
    assert (said.run["run"], said.run["job_id"]) == (first["run"], first["job_id"])
    assert "with another spec or other code; that run stands" in said.err
    again = other.run("submit", other.job("sleep 1", nodes=2), "--key", "nightly", "--json").ok()
    assert "another spec" not in again.err
    assert len(laptop.jobs("job-")) == 1


@pytest.mark.parametrize("home", [{}, {"HOME": "/dev/null/none"}, {"HOME": "relative"}])
def test_two_pipelines_without_a_home_share_one_run(laptop: Neighbour, tmp_path: Path, home: dict[str, str]) -> None:
    """The claim is on the cluster: a key is all that they have in common."""
    spec = laptop.job("sleep 1")
    runs = []
    for number in (1, 2):
        runner = tmp_path / f"runner{number}"
        runner.mkdir()
        environ = nowhere(runner, TRAINSUB_CONFIG=str(laptop.home / "config.toml"), **home)
        words = [sys.executable, "-c", _NOBODY, "submit", str(spec), "--key", "k", "--wait", "--json"]
        said = finish(subprocess.Popen(words, env=environ, cwd=tmp_path, stdout=-1, stderr=-1))
        runs.append(said.ok().run)
        assert "may not last. TRAINSUB_STATE_DIR names another folder" in said.err
        assert [path.name for path in runner.iterdir()] == [f"trainsub-{os.getuid()}"]
    assert (runs[0]["run"], runs[0]["job_id"]) == (runs[1]["run"], runs[1]["job_id"])
    assert len(laptop.jobs("job-")) == 1
    assert not (tmp_path / "relative").exists()


_NOBODY = """
import pwd

def unknown(uid):
    raise KeyError(uid)

pwd.getpwuid = unknown
from trainsub.cli import main
main()
"""
"""trainsub, for a user of whom the system knows nothing but a number."""


@pytest.mark.parametrize("rounds", [pytest.param(1), pytest.param(6, marks=pytest.mark.slow)])
def test_at_most_one_run_of_a_key_is_accepted(laptop: Neighbour, tmp_path: Path, rounds: int) -> None:
    """Machines race, and are killed at any moment; some are refused first: in the end one job has that key."""
    machines = [laptop, *(Neighbour(tmp_path / f"m{number}", laptop.owner) for number in range(3))]
    specs = {machine.home: machine.job("true") for machine in machines}
    for number in range(rounds):
        key = f"key {number}"
        running = []
        for place, machine in enumerate(machines):
            sets = ("--set", "slurm.partition=nosuch") if place == 1 else ()
            running.append(machine.start("submit", specs[machine.home], "--key", key, *sets))
        for place, process in enumerate(running[2:]):
            time.sleep(0.15 + 0.17 * ((number * 7 + place * 3) % 5))
            process.send_signal(signal.SIGKILL)
        said = [finish(process) for process in running]
        assert said[0].code in {0, 7}, said[0]
        assert said[1].code in {0, 5, 7}, said[1]
        finally_there = {
            one.run("submit", specs[one.home], "--key", key, "--json").ok().run["job_id"] for one in machines
        }
        assert len(finally_there) == 1, finally_there
    assert len(laptop.jobs("job-")) == rounds
    fences = [path.readlink().name for path in laptop.root.rglob("owner.*")]
    assert sorted(fence for fence in fences if fence != "void") == sorted(laptop.jobs("job-"))
    document = json.dumps(synced(laptop))
    assert 'unreadable": []' in document
