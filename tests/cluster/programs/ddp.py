"""A program of the public kind: DDP, everything from the environment that a launcher sets (env://)."""

import os

import torch
from fit import fit, leave, tell
from torch import distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel


def train(rank: int) -> None:
    """Train, once the ranks have found each other."""
    torch.manual_seed(0)
    model = DistributedDataParallel(nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def update(loss: torch.Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    how = fit(model, update, seed=rank)
    tell(how, torch.cat([weight.detach().flatten() for weight in model.parameters()]))
    leave()


if __name__ == "__main__":
    dist.init_process_group("gloo")
    train(int(os.environ["RANK"]))
