"""A program that brings its own way to meet, a file, and needs nothing of the launcher but Slurm's own variables."""

import os
from pathlib import Path

from ddp import train
from torch import distributed as dist

rank = int(os.environ["SLURM_PROCID"])
dist.init_process_group(
    "gloo",
    init_method=f"file://{Path('meeting').absolute()}",
    rank=rank,
    world_size=int(os.environ["SLURM_NTASKS"]),
)
train(rank)
