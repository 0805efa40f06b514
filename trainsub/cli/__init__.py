"""The command line: it parses, calls one method of Client, and prints. typer's and rich's one door.

Heavy imports happen inside the functions that need them, so that ``trainsub --help`` is quick.
"""

import gc
import sys

__all__ = ["main"]

COLLECT_AFTER = 100_000
"""Objects after which Python looks for garbage: with its own 700, ten thousand runs are looked through all the time."""


def main() -> None:
    """Entry point of the ``trainsub`` command."""
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    try:
        from trainsub.cli.app import run
    except KeyboardInterrupt:  # in the blink before anything has begun
        sys.exit(130)
    run()
