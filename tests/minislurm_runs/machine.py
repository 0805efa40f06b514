"""One machine with trainsub on it and no cluster but its own: the command line as people call it, on minislurm."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cluster.laptop import Said, UserMachine, finish, until

__all__ = ["EXAMPLE", "Machine", "Said", "finish", "torch_venv", "until"]

EXAMPLE = Path(__file__).parents[2] / "examples" / "ddp"
GPU_HOUR = "3600.00"
"""The price: one GPU-second costs 1.00, so that a bill can be read."""


class Machine(UserMachine):
    """A user's machine: an empty home, and a price for minislurm's GPUs.

    Args:
        home: An empty folder.
    """

    timeout = 120.0

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        # Questions cost nothing here, and tests have no time.
        price = f'[clusters.minislurm]\npoll_seconds = 1\n[clusters.minislurm.price]\ncurrency = "EUR"\ngpu_hour = "{GPU_HOUR}"\n'
        (home / "config.toml").write_text(price)

    def phase(self, run: str, phase: str) -> dict[str, Any]:
        """Wait until the run is in a phase."""

        def there() -> dict[str, Any] | None:
            # What is younger than fifteen seconds would not be asked for again.
            said = self.run("wait", run, "--timeout", "0.1", "--json")
            known = self.status(run)
            assert said.code != 1, said
            return known if known["phase"] == phase else None

        found: dict[str, Any] = until(there, f"run {run} to be {phase}")
        return found

    def slurm(self, *command: str) -> str:
        """Run one of minislurm's own commands; what it printed."""
        program = [str(self.state / "minislurm" / "bin" / command[0]), *command[1:]]
        return subprocess.run(program, env=self.environ, capture_output=True, text=True, check=True).stdout

    def job(self, script: str, *, nodes: int = 1, ranks: int = 1, gpus: int = 0, more: str = "") -> Path:
        """Make a spec whose ranks run a script with sh; nothing travels with it."""
        command = json.dumps(["sh", "-c", textwrap.dedent(script).strip()])
        wanted = f"gpus_per_node = {gpus}\n" if gpus else ""
        return self.project(
            f'name = "job"\ncommand = {command}\ncode = false\n[launch]\nkind = "srun"\nnproc_per_node = {ranks}\n'
            f'[slurm]\nnodes = {nodes}\ntime = "00:05:00"\n{wanted}{more}'
        )

    def project(self, spec: str, files: Sequence[Path] = ()) -> Path:
        """Make a folder with a spec and copies of files; the path of the spec."""
        folder = self.home / f"project-{uuid.uuid4().hex[:6]}"
        folder.mkdir()
        for file in files:
            (folder / file.name).write_bytes(file.read_bytes())
        (folder / "job.toml").write_text(textwrap.dedent(spec))
        return folder / "job.toml"

    def interrupt(self, process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGINT) -> Said:
        """Press Ctrl-C, and wait for the end."""
        process.send_signal(number)
        return finish(process)

    def leave(self) -> None:
        """Cancel whatever a test has left, and wait until nothing of it is there."""
        if not (self.state / "minislurm" / "bin" / "scancel").exists():
            return
        self.slurm("scancel", "--user", str(os.getuid()))
        until(lambda: not self.slurm("squeue", "--noheader").strip(), "the queue to be empty", 30)


def torch_venv(folder: Path) -> Path:
    """Make what looks like a virtual environment with PyTorch; the test is skipped where none can be had.

    With ``CI=true`` it is not skipped.
    """
    import clusters  # noqa: PLC0415 -- what it needs is not needed without it

    try:
        libraries = clusters.torch_dir()
    except subprocess.CalledProcessError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"NO PYTORCH can be had here, so no real training was run: {error}")
    programs = folder / "bin"
    programs.mkdir(parents=True)
    (programs / "python3").write_text(f'#!/bin/sh\nPYTHONPATH={libraries} exec {sys.executable} "$@"\n')
    (programs / "python3").chmod(0o755)
    (programs / "activate").write_text(f"PATH={programs}:$PATH\n")
    return folder
