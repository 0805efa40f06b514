"""A "training" in plain Python, for clusters without PyTorch: each rank says who it is, then counts a few steps."""

import argparse
import os
import platform
import time


def main() -> None:
    """Say who is here, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--sleep", type=float, default=0.2, metavar="SECONDS", help="how long a step takes")
    options = parser.parse_args()
    rank, world_size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    print(f"rank {rank} of {world_size} (local rank {os.environ['LOCAL_RANK']}) on {platform.node()}", flush=True)
    for step in range(1, options.steps + 1):
        time.sleep(options.sleep)
        if rank == 0:
            print(f"step {step} loss {1 / step:.6f}", flush=True)


if __name__ == "__main__":
    main()
