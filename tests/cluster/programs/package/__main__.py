"""What ``python -m package`` starts."""

import os

from ddp import train
from torch import distributed as dist

from .backend import BACKEND

dist.init_process_group(BACKEND)
train(int(os.environ["RANK"]))
