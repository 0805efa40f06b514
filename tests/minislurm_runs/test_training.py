"""A real PyTorch training on minislurm: stopped by its time limit, and continued from its checkpoint."""

import re
from pathlib import Path

import pytest
from minislurm_runs.machine import EXAMPLE, Machine, torch_venv

pytestmark = pytest.mark.xdist_group("agents")
"""Not beside others that start torchrun here: several trainings at once are slow."""


def project(machine: Machine, venv: Path, checkpoints: str, *arguments: str) -> Path:
    """The example, on two nodes of two ranks."""
    words = ["python3", "train.py", "--checkpoints", str(machine.home / checkpoints), *arguments]
    return machine.project(spec(venv, words), [EXAMPLE / "train.py"])


def spec(venv: Path, words: list[str]) -> str:
    """Two nodes of two ranks, under torchrun."""
    return f"""\
        name = "ddp"
        command = [{", ".join(f'"{word}"' for word in words)}]
        [slurm]
        nodes = 2
        gpus_per_node = 2
        cpus_per_task = 2
        time = "00:01:00"
        signal = "B:USR1@20"
        [setup]
        venv = "{venv}"
        [env]
        LOGLEVEL = "WARNING"
        """


def losses(log: str) -> dict[int, str]:
    """Loss by step."""
    return {int(step): loss for step, loss in re.findall(r"^step (\d+) loss ([0-9.]+)$", log, re.MULTILINE)}


@pytest.mark.slow
def test_the_time_limit_stops_it_and_the_next_run_goes_on(machine: Machine, tmp_path: Path) -> None:
    """The loss goes on where it stopped, and is that of a training that was never stopped."""
    venv = torch_venv(tmp_path / "venv")
    first = machine.run("submit", project(machine, venv, "c", "--steps", "600", "--sleep", "0.2"), "--follow")
    assert first.code == 0, first
    assert "4 ranks, gloo, PyTorch" in first.out
    assert {f"rank {rank}: got SIGUSR1, saving at the next step" for rank in range(4)} <= set(first.out.splitlines())
    last = max(losses(first.out))
    assert f"saved step {last}\n" in first.out
    assert 20 < last < 600
    assert "finished" not in first.out

    end = str(last + 10)
    second = machine.run("submit", project(machine, venv, "c", "--steps", end), "--follow")
    assert second.code == 0, second
    assert f"resumed from step-{last:08d}.pt: step {last} loss {losses(first.out)[last]}" in second.out
    assert list(losses(second.out)) == list(range(last + 1, last + 11))

    whole = machine.run("submit", project(machine, venv, "other", "--steps", end), "--follow")
    assert whole.code == 0, whole
    through = losses(whole.out)
    assert {**losses(first.out), **losses(second.out)} == through
    assert float(through[last + 10]) < 0.8 * float(through[1])


SAVING = """\
import os
import pathlib
import sys
import time

if os.environ["LOCAL_RANK"] == "0":
    sys.exit(int(sys.argv[1]))
time.sleep(4)
pathlib.Path(sys.argv[2], os.environ["RANK"]).touch()
sys.exit(85)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("code", "saved"), [(85, ["1", "3"]), (7, [])])
def test_who_has_saved_ends_nobody_who_still_saves(
    machine: Machine, tmp_path: Path, code: int, saved: list[str]
) -> None:
    """Torchrun ends the other ranks of a node at any code but 0; here not at 85, but at a failure."""
    folder = tmp_path / "saved"
    folder.mkdir()
    (tmp_path / "train.py").write_text(SAVING)
    words = ["python3", "train.py", str(code), str(folder)]
    job = machine.project(spec(torch_venv(tmp_path / "venv"), words), [tmp_path / "train.py"])
    ended = machine.run("submit", job, "--wait", "--json")
    told = ended.out + ended.err + machine.run("logs", ended.run["run"]).out
    assert (ended.run["state"], ended.run["exit_code"]) == ("FAILED", {"code": code, "signal": 0}), told
    assert sorted(path.name for path in folder.iterdir()) == saved
