"""`make demo`, stopped by who sees it train."""

import os
import signal
import subprocess


def stopped_in_the_middle(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """Send a signal to the whole group at the first step, as a terminal does; what was printed after that."""
    assert process.stdout is not None
    said = ""
    while "step 1 loss" not in said:
        piece = process.stdout.readline()
        assert piece, said
        said += piece
    os.killpg(process.pid, number)
    rest, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "Stopped: cancelling ddp-" in rest, rest
    return rest
