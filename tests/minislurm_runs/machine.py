"""One machine with trainsub on it and no cluster but its own: the command line as people call it, on minislurm."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from cluster.laptop import Said, finish, until

__all__ = ["EXAMPLE", "Machine", "Said", "finish", "torch_venv", "until"]

EXAMPLE = Path(__file__).parents[2] / "examples" / "ddp"
GPU_HOUR = "3600.00"
"""The price: one GPU-second costs 1.00, so that a bill can be read."""


class Machine:
    """A user's machine: an empty home, and a price for minislurm's GPUs.

    Args:
        home: An empty folder.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.state = home / "state"
        home.mkdir(parents=True)
        price = f'[clusters.minislurm.price]\ncurrency = "EUR"\ngpu_hour = "{GPU_HOUR}"\n'
        (home / "config.toml").write_text(price)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of commands; nothing of the machine that runs the tests but PATH."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "TRAINSUB_CONFIG": str(self.home / "config.toml"),
            "TRAINSUB_STATE_DIR": str(self.state),
            "TRAINSUB_CACHE_DIR": str(self.home / "cache"),
        }

    def start(self, *words: str | Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start ``trainsub WORDS``."""
        return subprocess.Popen(
            [sys.executable, "-m", "trainsub", *map(str, words)],
            cwd=self.home,
            env={**self.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str | Path, env: Mapping[str, str] | None = None, timeout: float = 120) -> Said:
        """Run ``trainsub WORDS`` to its end."""
        return finish(self.start(*words, env=env), timeout)

    def submit(self, *words: str | Path) -> dict[str, Any]:
        """Submit, and return the run's document."""
        return self.run("submit", *words, "--json").ok().run

    def status(self, run: str) -> dict[str, Any]:
        """The run's document as asked now."""
        return self.run("status", run, "--json").ok().run

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
