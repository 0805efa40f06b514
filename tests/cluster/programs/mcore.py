"""A program of the public kind: Megatron Core's groups, and layers that the ranks of a node have in parts."""

import os

import torch
from fit import fit, leave, tell
from megatron.core import ModelParallelConfig, parallel_state
from megatron.core.tensor_parallel import ColumnParallelLinear, RowParallelLinear
from torch import distributed as dist
from torch import nn

dist.init_process_group("gloo")
parts = int(os.environ["LOCAL_WORLD_SIZE"])
parallel_state.initialize_model_parallel(tensor_model_parallel_size=parts)
replicas = parallel_state.get_data_parallel_group()
torch.manual_seed(0)
options = {
    "config": ModelParallelConfig(tensor_model_parallel_size=parts, use_cpu_initialization=True),
    "init_method": nn.init.xavier_normal_,
}
up = ColumnParallelLinear(4, 8, gather_output=False, **options)
down = RowParallelLinear(8, 1, bias=True, input_is_parallel=True, skip_bias_add=False, **options)
weights = [*up.parameters(), *down.parameters()]
optimizer = torch.optim.SGD(weights, lr=0.05)


def update(loss: torch.Tensor) -> None:
    """One step, with the mean of the replicas."""
    optimizer.zero_grad()
    loss.backward()
    for weight in weights:
        dist.all_reduce(weight.grad, group=replicas)
        weight.grad /= dist.get_world_size(replicas)
    optimizer.step()


learned = fit(lambda x: down(up(x)[0])[0], update, seed=parallel_state.get_data_parallel_rank())
whole = torch.cat([weight.detach().flatten() for weight in up.parameters()]).sum()
dist.all_reduce(whole)  # each rank of a node has another part, and all parts together are the same everywhere
tell(f"{learned}, connections {os.environ['CUDA_DEVICE_MAX_CONNECTIONS']}", whole)
leave()
