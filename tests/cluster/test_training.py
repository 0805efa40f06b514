"""The main job: a real PyTorch DDP training over four nodes, from a laptop over SSH to the bill."""

import re
import shutil
from pathlib import Path

import pytest
from cluster.laptop import Laptop
from clusters import PYTHON

EXAMPLE = Path(__file__).parents[2] / "examples" / "ddp"
RANKS = 8


def project(laptop: Laptop, checkpoints: str, *arguments: str, limit: str = 'time = "00:10:00"') -> Path:
    """Copy the example, and let it run on four nodes with the Python that has torch there."""
    words = [PYTHON, "train.py", "--checkpoint-every", "3", "--checkpoints", checkpoints, *arguments]
    spec = laptop.project(
        f"""\
        name = "ddp"
        command = [{", ".join(f'"{word}"' for word in words)}]
        [slurm]
        nodes = 4
        gpus_per_node = 2
        cpus_per_task = 2
        {limit}
        [env]
        LOGLEVEL = "WARNING"
        """
    )
    shutil.copy(EXAMPLE / "train.py", spec.parent)
    return spec


def losses(log: str) -> dict[int, float]:
    """Loss by step."""
    return {int(step): float(loss) for step, loss in re.findall(r"^step (\d+) loss ([0-9.]+)$", log, re.MULTILINE)}


def test_a_training_ends_well_and_the_next_one_goes_on_from_its_checkpoint(laptop: Laptop) -> None:
    """Eight ranks on four nodes train and save; the next run resumes, and one failing rank ends it with exit code 10."""
    checkpoints = f"{laptop.root}-checkpoints"
    first = laptop.run("submit", project(laptop, checkpoints, "--steps", "6"), "--follow")
    assert first.code == 0, first
    assert f"{RANKS} ranks, gloo, PyTorch" in first.out
    assert list(losses(first.out)) == [1, 2, 3, 4, 5, 6]
    assert "finished at step 6" in first.out
    assert "COMPLETED" in first.out.splitlines()[-1]
    assert re.search(r"used [0-9.]+ GPU-hours, [0-9.]+ EUR", first.err), first.err
    assert laptop.there("ls", checkpoints).split() == ["step-00000003.pt", "step-00000006.pt"]

    arguments = ("--steps", "12", "--fail-at-step", "10", "--fail-rank", "5")
    second = laptop.run("submit", project(laptop, checkpoints, *arguments), "--follow")
    assert second.code == 10, second
    assert "resumed from step-00000006.pt: step 6 loss" in second.out
    assert list(losses(second.out)) == [7, 8, 9]
    assert losses(second.out)[9] < 0.8 * losses(first.out)[1]
    assert "rank 5 fails at step 10, as it was told" in second.out
    assert "FAILED" in second.out.splitlines()[-1]
    assert "step-00000009.pt" in laptop.there("ls", checkpoints).split()


@pytest.mark.parametrize("cluster", ["24.11"], indirect=True)  # minutes of waiting, and the same on each
def test_the_time_limit_stops_a_training_and_the_next_run_goes_on(laptop: Laptop) -> None:
    """The loss goes on where it stopped, and is that of a training that was never stopped."""
    checkpoints = f"{laptop.root}-limited"
    # Slurm looks at the limit now and then, so the signal comes at any time of the minute before it. The limit is three
    # minutes because within the first one a slow machine still loads PyTorch, and what loads dies of the signal.
    limit = 'time = "00:03:00"\n        signal = "B:USR1@60"'
    slowly = ("--steps", "2000", "--sleep", "0.1")
    first = laptop.run("submit", project(laptop, checkpoints, *slowly, limit=limit), "--follow", timeout=300)
    assert first.code == 0, first.out + first.err
    assert {f"rank {rank}: got SIGUSR1, saving at the next step" for rank in range(RANKS)} <= set(
        first.out.splitlines()
    )
    last = max(losses(first.out))
    assert f"saved step {last}\n" in first.out
    assert "finished" not in first.out

    end = ("--steps", str(last + 5))
    second = laptop.run("submit", project(laptop, checkpoints, *end), "--follow")
    assert second.code == 0, second
    assert f"resumed from step-{last:08d}.pt: step {last} loss {losses(first.out)[last]:.6f}" in second.out
    whole = laptop.run("submit", project(laptop, f"{checkpoints}-whole", *end), "--follow")
    assert whole.code == 0, whole
    assert {**losses(first.out), **losses(second.out)} == losses(whole.out)
