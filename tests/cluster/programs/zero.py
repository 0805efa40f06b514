"""A program of the public kind: DeepSpeed's engine with ZeRO 1."""

import deepspeed
import torch
from fit import fit, leave, tell
from torch import distributed as dist
from torch import nn

CONFIG = {
    "train_micro_batch_size_per_gpu": 32,
    "zero_optimization": {"stage": 1},
    "zero_allow_untested_optimizer": True,
}

# On CPUs it would compile a faster sum within a node, and the nodes here have no compiler.
deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
deepspeed.init_distributed("gloo")
torch.manual_seed(0)
network = nn.Linear(4, 1)
engine, *_ = deepspeed.initialize(model=network, optimizer=torch.optim.SGD(network.parameters(), lr=0.1), config=CONFIG)


def update(loss: torch.Tensor) -> None:
    """One step."""
    engine.backward(loss)
    engine.step()


learned = fit(engine, update, seed=dist.get_rank())
tell(learned, torch.cat([weight.detach().flatten() for weight in network.parameters()]))
leave()
