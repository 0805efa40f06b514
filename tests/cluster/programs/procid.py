"""A program of the public kind: started by srun, it takes its rank from Slurm itself and from nobody else."""

import os

from ddp import train
from torch import distributed as dist

rank = int(os.environ["SLURM_PROCID"])
dist.init_process_group("gloo", rank=rank, world_size=int(os.environ["SLURM_NTASKS"]))
train(rank)
