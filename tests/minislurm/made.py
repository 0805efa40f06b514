"""A home of minislurm in a folder of the test's own, and its commands."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from trainsub.minislurm.queue import Queue

MAIN = Path(__file__).parents[2] / "trainsub" / "minislurm" / "__main__.py"


@dataclass(frozen=True)
class Said:
    """What a command did."""

    code: int
    out: str
    err: str


def call(*words: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None, stdin: bytes = b"") -> Said:
    """Run a program."""
    done = subprocess.run(
        [str(word) for word in words],
        input=stdin,
        env=None if env is None else {"PATH": os.environ["PATH"], **env},
        cwd=cwd,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="replace"))


def own(home: Path, *words: str) -> Said:
    """Run minislurm's own program."""
    return call(sys.executable, "-I", MAIN, home, *words)


def make(home: Path, *options: str) -> Path:
    """Make a home; its jobs end soon after TERM."""
    said = own(home, "setup", "--set", "kill_wait=0.5", *options)
    assert said == Said(0, "", "")
    return home


def end_all(folder: Path) -> None:
    """Cancel what was left in all homes below a folder, so that no keeper stays."""
    for path in folder.rglob("queue.sqlite"):
        with Queue(path.parent) as queue:
            left = sorted({str(job.array_job_id) for job in queue.open_jobs()})
        if left:
            own(path.parent, "scancel", *left)
