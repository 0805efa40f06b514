"""The main job: a real PyTorch DDP training over four nodes, from a laptop over SSH to the bill."""

import re
import shutil
from pathlib import Path

from cluster.laptop import Laptop
from clusters import PYTHON

EXAMPLE = Path(__file__).parents[2] / "examples" / "ddp"
RANKS = 8


def project(laptop: Laptop, checkpoints: str, *arguments: str) -> Path:
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
        time = "00:10:00"
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
