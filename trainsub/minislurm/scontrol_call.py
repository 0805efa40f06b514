"""What every command of scontrol begins with."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainsub.minislurm import selection
from trainsub.minislurm.conf import Conf
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.selection import JobName
from trainsub.minislurm.values import Job

INVALID = "Invalid job id specified"
ELSEWHERE = "scontrol: error: minislurm does not know {}: it stands in for Slurm on one machine"


class WrongError(Exception):
    """The words cannot be followed; the message is what scontrol prints."""


@dataclass(frozen=True, slots=True)
class Call:
    """A command line.

    Attributes:
        home: The cluster's home.
        words: What follows the command.
        one_line: ``--oneliner``.
        details: ``--details``.
        quiet: ``--quiet``.
    """

    home: Path
    words: tuple[str, ...]
    one_line: bool
    details: bool
    quiet: bool

    def fail(self, text: str) -> int:
        """Print what is wrong, and return the exit code."""
        if not self.quiet:
            sys.stderr.write(f"{text}\n")
        return 1


def shown_jobs(queue: Queue, conf: Conf) -> list[Job]:
    """Return the jobs that Slurm still knows."""
    return queue.shown_jobs(int(time.time()) - conf.min_job_age)


def meant(jobs: Sequence[Job], name: JobName) -> list[Job]:
    """Return the jobs that an id means, that of the row with the id first, and then the newest ones."""
    found = [job for job in jobs if selection.means(job, (name,))]
    return sorted(found, key=lambda job: (job.job_id != name.job_id, -job.job_id))
