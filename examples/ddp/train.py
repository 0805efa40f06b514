"""A small but real DDP training: a two-layer network learns a fixed function of random points.

It runs under torchrun and under srun alike, on GPUs (nccl) or CPUs (gloo), and goes on from its newest checkpoint.
Checkpoints lie in ``checkpoints/`` below the working directory; SIGTERM and SIGUSR1 make it save at the next step and
end.
"""

import argparse
import os
import re
import signal
import sys
import time
from pathlib import Path
from types import FrameType

stop_asked = False


def ask_to_stop(number: int, _frame: FrameType | None) -> None:
    """Remember that the job is to end; the training loop looks at it between two steps."""
    global stop_asked  # noqa: PLW0603  # a signal handler has no other place
    stop_asked = True
    os.write(2, f"rank {os.environ['RANK']}: got {signal.Signals(number).name}, saving at the next step\n".encode())


# Before PyTorch is loaded, which takes a while on a busy file system: until then a signal would end this process.
signal.signal(signal.SIGTERM, ask_to_stop)
signal.signal(signal.SIGUSR1, ask_to_stop)

import torch  # noqa: E402  # after the signals
from torch import distributed as dist  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.parallel import DistributedDataParallel  # noqa: E402

BATCH = 64


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train a small network on synthetic data with DDP.")
    parser.add_argument("--steps", type=int, default=100, help="train up to this step")
    parser.add_argument("--log-every", type=int, default=1, metavar="STEPS", help="say the loss this often")
    parser.add_argument("--checkpoint-every", type=int, default=20, metavar="STEPS", help="save this often")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), metavar="DIRECTORY")
    parser.add_argument("--keep", type=int, default=3, help="keep this many checkpoints")
    parser.add_argument("--sleep", type=float, default=0.0, metavar="SECONDS", help="rest after each step")
    parser.add_argument("--fail-at-step", type=int, metavar="STEP", help="for trying failures: exit with code 1 there")
    parser.add_argument("--fail-rank", type=int, default=0, metavar="RANK", help="the rank that fails")
    return parser.parse_args()


def batch(step: int, rank: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return this rank's points of a step; they depend on step and rank only, so a resumed run sees the same ones."""
    source = torch.Generator().manual_seed(step * 100_003 + rank)
    points = torch.rand(BATCH, 8, generator=source) * 2 - 1
    values = torch.sin(points[:, :1] * 3) + points[:, 1:2] * points[:, 2:3]
    return points.to(device), values.to(device)


class Checkpoints:
    """The newest few states of the training, each in one file that is either whole or not there."""

    def __init__(self, directory: Path, keep: int) -> None:
        self.directory = directory
        self.keep = keep

    def all(self) -> list[Path]:
        """Return the checkpoints, the newest last."""
        return sorted(self.directory.glob("step-*.pt"), key=self.step_of)

    @staticmethod
    def step_of(path: Path) -> int:
        """Return the step of a checkpoint."""
        return int(re.sub(r"\D", "", path.stem))

    def save(self, state: dict[str, object], step: int) -> None:
        """Write beside the final name, then rename: a job that is killed meanwhile leaves the former one."""
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"step-{step:08d}.pt"
        temporary = path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        for old in self.all()[: -self.keep]:
            old.unlink()


def train(options: argparse.Namespace, rank: int, device: torch.device) -> None:
    """Train from the newest checkpoint, or from the beginning."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 1)).to(device)
    model = DistributedDataParallel(network)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    checkpoints = Checkpoints(options.checkpoints, options.keep)

    first, loss = 0, float("nan")
    newest = checkpoints.all()[-1:]
    if newest:
        state = torch.load(newest[0], map_location="cpu", weights_only=True)
        network.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"])
        first, loss = state["step"], state["loss"]
        if rank == 0:
            print(f"resumed from {newest[0].name}: step {first} loss {loss:.6f}", flush=True)
    dist.barrier()  # nobody removes a checkpoint that somebody still reads

    for step in range(first + 1, options.steps + 1):
        if step == options.fail_at_step and rank == options.fail_rank:
            sys.exit(f"rank {rank} fails at step {step}, as it was told")
        points, values = batch(step, rank, device)
        error = nn.functional.mse_loss(model(points), values)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        # One small collective a step: the mean loss, and whether any rank was asked to stop, so that all stop together.
        shared = torch.tensor([error.item(), float(stop_asked)], device=device)
        dist.all_reduce(shared)
        loss, stopping = shared[0].item() / dist.get_world_size(), shared[1].item() > 0
        if rank == 0:
            if stopping or step % options.log_every == 0 or step in {first + 1, options.steps}:
                print(f"step {step} loss {loss:.6f}", flush=True)
            if stopping or step % options.checkpoint_every == 0 or step == options.steps:
                states = {"model": network.state_dict(), "optimizer": optimizer.state_dict()}
                checkpoints.save({"step": step, "loss": loss, **states, "rng": torch.get_rng_state()}, step)
                print(f"saved step {step}", flush=True)
        if stopping:
            dist.barrier()  # the others wait for the save, because the first to end may end all
            return
        time.sleep(options.sleep)
    dist.barrier()
    if rank == 0:
        print(f"finished at step {max(first, options.steps)} loss {loss:.6f}", flush=True)


def main() -> None:
    """Join the other ranks, and train."""
    options = arguments()
    rank, local_rank = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
    if torch.cuda.is_available():
        device = torch.device("cuda", local_rank % torch.cuda.device_count())
        torch.cuda.set_device(device)
    else:
        device = torch.device("cpu")
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    if rank == 0:
        print(f"{dist.get_world_size()} ranks, {dist.get_backend()}, PyTorch {torch.__version__}", flush=True)
    try:
        train(options, rank, device)
    finally:
        dist.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # gloo's threads now and then abort a process that Python takes down in order (seen with PyTorch 2.13)


if __name__ == "__main__":
    main()
