"""The command line: it parses, calls one method of Client, and prints. typer's and rich's one door.

Heavy imports happen inside the functions that need them, so that ``trainsub --help`` is quick.
"""

import sys

__all__ = ["main"]


def main() -> None:
    """Entry point of the ``trainsub`` command."""
    try:
        from trainsub.cli.app import run
    except KeyboardInterrupt:  # in the blink before anything has begun
        sys.exit(130)
    run()
