"""Each kind of launch runs an unmodified program of its kind: the real launcher, real PyTorch, two nodes of two ranks."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cluster.laptop import Laptop
from clusters import PYTHON

PROGRAMS = Path(__file__).parent / "programs"
_SAID = re.compile(r"rank (\d+) of 4, local (\d) on n(\d): sum 10, (learns.*), weights (-?[\d.]+), arguments (\[.*\])")


@dataclass(frozen=True)
class Kind:
    """A kind of launch, and what it is to start.

    Attributes:
        launch: The table.
        words: The command.
        slurm: More of the table of Slurm's options.
        arguments: What the program finds as its own arguments.
        how: What it says of its learning.
    """

    launch: str
    words: tuple[str, ...]
    slurm: str = ""
    arguments: tuple[str, ...] = ("--name", "a b", "$HOME")
    how: str = "learns"


_HOSTILE = ("--name", "a b", "$HOME")
KINDS = {
    "torchrun": Kind('kind = "torchrun"', (PYTHON, "ddp.py", *_HOSTILE)),
    "torchrun-static": Kind('kind = "torchrun"\nrendezvous = "static"', (PYTHON, "ddp.py", *_HOSTILE)),
    "torchrun-module": Kind('kind = "torchrun"', (PYTHON, "-m", "package", *_HOSTILE)),
    "srun": Kind('kind = "srun"', (PYTHON, "procid.py", *_HOSTILE)),
    "accelerate": Kind(
        'kind = "accelerate"',
        (PYTHON, "hf.py", "--cpu", *_HOSTILE),
        arguments=("--cpu", *_HOSTILE),
        how="learns, DistributedType.MULTI_CPU",
    ),
    "accelerate-deepspeed": Kind(
        'kind = "accelerate"',
        ("accelerate", "launch", "--config_file", "zero.yaml", "zero.py", *_HOSTILE),
    ),
    "deepspeed": Kind('kind = "deepspeed"', (PYTHON, "zero.py", *_HOSTILE)),
    "megatron": Kind('kind = "megatron"', (PYTHON, "mcore.py", *_HOSTILE), how="learns, connections 1"),
    "megatron-srun": Kind(
        'kind = "megatron"', (PYTHON, "mcore.py", *_HOSTILE), slurm="ntasks_per_node = 2\n", how="learns, connections 1"
    ),
    "command": Kind('kind = "command"', (PYTHON, "meeting.py", *_HOSTILE), slurm="ntasks_per_node = 2\n"),
}


def project(laptop: Laptop, kind: Kind) -> Path:
    """The programs, and a spec of two nodes with two GPUs each."""
    spec = laptop.project(
        f'name = "kind"\ncommand = {json.dumps(kind.words)}\n'
        f'[slurm]\nnodes = 2\ngpus_per_node = 2\ntime = "00:10:00"\n{kind.slurm}'
        f'[launch]\n{kind.launch}\n[env]\nPATH = "{PYTHON.rpartition("/")[0]}:/usr/bin:/bin"\n'
    )
    shutil.copytree(PROGRAMS, spec.parent, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return spec


def ranks(log: str, kind: Kind) -> dict[int, tuple[int, str]]:
    """Each rank's place on its node, and its node; all have learnt the same, and have their arguments."""
    found = [_SAID.fullmatch(line) for line in log.splitlines() if line.startswith("rank ")]
    assert all(found), log
    assert len(found) == 4, log
    said: list[Any] = [one.groups() for one in found if one]
    assert {(how, weights) for *_, how, weights, _ in said} == {(kind.how, said[0][4])}, log
    assert {arguments for *_, arguments in said} == {str(list(kind.arguments))}
    return {int(rank): (int(local), f"n{node}") for rank, local, node, *_ in said}


@pytest.mark.parametrize("cluster", ["24.11"], indirect=True)  # the script is the same; what differs is tried below
@pytest.mark.parametrize("name", KINDS)
def test_a_program_of_each_kind_trains(laptop: Laptop, name: str) -> None:
    """Four ranks find each other, sum over all, and each stands where its launcher puts it."""
    kind = KINDS[name]
    said = laptop.run("submit", project(laptop, kind), "--follow", timeout=300)
    assert said.code == 0, said
    found = ranks(said.out, kind)
    first, second = found[0][1], found[2][1]
    assert first < second, said.out
    assert found == {0: (0, first), 1: (1, first), 2: (0, second), 3: (1, second)}, said.out


SHOWN = (
    'echo "rank $SLURM_PROCID: $SLURM_CPUS_PER_TASK CPUs, $OMP_NUM_THREADS threads, GPUs ${CUDA_VISIBLE_DEVICES-none}"'
)


@pytest.mark.parametrize("gpus", [2, 0])
def test_srun_takes_what_the_script_counts(laptop: Laptop, gpus: int) -> None:
    """Each task has its share of a whole node's 128 CPUs, and sees all GPUs that the job has there and no other."""
    wanted = f"gpus_per_node = {gpus}\n" if gpus else "ntasks_per_node = 2\n"
    spec = laptop.project(
        f'name = "share"\ncommand = {json.dumps(["sh", "-c", SHOWN])}\ncode = false\n'
        f'[slurm]\nnodes = 2\nexclusive = true\ntime = "00:05:00"\n{wanted}[launch]\nkind = "srun"\n'
    )
    run = laptop.submit(spec)["run"]
    waited = laptop.run("wait", run, "--timeout", "120")
    log = laptop.run("logs", run).ok().out
    assert waited.code == 0, log
    visible = "0,1" if gpus else "none"
    assert {line for line in log.splitlines() if line.startswith("rank ")} == {
        f"rank {rank}: 64 CPUs, 64 threads, GPUs {visible}" for rank in range(4)
    }, log
