"""What the programs share: something to learn, and a line that says who learnt it."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

import torch
from torch import distributed as dist
from torch import nn


def fit(forward: Callable[[torch.Tensor], torch.Tensor], update: Callable[[torch.Tensor], None], seed: int) -> str:
    """Learn to add four numbers, from other examples on each rank."""
    torch.manual_seed(seed)
    losses = []
    for _ in range(5):
        x = torch.rand(32, 4)
        loss = nn.functional.mse_loss(forward(x), x.sum(1, keepdim=True))
        update(loss)
        losses.append(loss.item())
    return "learns" if losses[-1] < losses[0] else "does not learn"


def tell(how: str, weights: torch.Tensor) -> None:
    """Print who this is, and what all ranks together are."""
    total = torch.tensor([dist.get_rank() + 1.0])
    dist.all_reduce(total)
    local = os.environ.get("LOCAL_RANK", os.environ["SLURM_LOCALID"])
    # One write, because the ranks of an agent share a pipe.
    sys.stdout.write(
        f"rank {dist.get_rank()} of {dist.get_world_size()}, local {local} on {os.environ['SLURMD_NODENAME']}: "
        f"sum {total.item():.0f}, {how}, weights {weights.sum().item():.5f}, arguments {sys.argv[1:]}\n"
    )
    sys.stdout.flush()


def leave() -> NoReturn:
    """End at once: on a busy machine, a thread of gloo's has aborted a rank in the last moments of its interpreter."""
    dist.destroy_process_group()
    os._exit(0)
