"""The command line: it parses, calls one method of Client, and prints. typer's and rich's one door.

Heavy imports happen inside the functions that need them, so that ``trainsub --help`` is quick.
"""

import gc
import os
import signal

__all__ = ["main"]

COLLECT_AFTER = 100_000
"""Objects after which Python looks for garbage: with its own 700, ten thousand runs are looked through all the time."""
INTERRUPTED = 130


def main() -> None:
    """Entry point of the ``trainsub`` command."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else the caller wants it ignored
        signal.signal(signal.SIGINT, end_quietly)
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    from trainsub.cli.app import run

    run()


def end_quietly(_number: int, _frame: object) -> None:
    """End at once, at a Ctrl-C before anything has begun: raised inside an import, it would come out as any error."""
    os._exit(INTERRUPTED)
