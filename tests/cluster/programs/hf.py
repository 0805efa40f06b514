"""A program of the public kind: Hugging Face Accelerate finds the ranks, and cuts the data for them."""

import sys

import torch
from accelerate import Accelerator
from fit import fit, leave, tell
from torch import nn

accelerator = Accelerator(cpu="--cpu" in sys.argv)
torch.manual_seed(0)
network = nn.Linear(4, 1)
model, optimizer = accelerator.prepare(network, torch.optim.SGD(network.parameters(), lr=0.1))


def update(loss: torch.Tensor) -> None:
    """One step."""
    optimizer.zero_grad()
    accelerator.backward(loss)
    optimizer.step()


learned = fit(model, update, seed=accelerator.process_index)
tell(
    f"{learned}, {accelerator.distributed_type}",
    torch.cat([weight.detach().flatten() for weight in model.parameters()]),
)
leave()
