"""Jobs' folders: the script and the environment, whole and on the disk before the queue knows the job.

A folder is made under a name of its own, locked by its maker, and renamed to the job's id while the queue is held. So a
maker that was killed leaves a folder that nobody locks, or one whose id no job has: both are removed by the next one.
"""

import fcntl
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from trainsub.minislurm.files import sync_folder, write_file

SCRIPT = "script"
ENVIRONMENT = "environment"
_NEW = ".new."


def read_environment(path: Path) -> dict[bytes, bytes]:
    """Return the variables of a job as sbatch wrote them; bytes, because nothing says that they are text."""
    entries = path.read_bytes().split(b"\0")
    return dict(entry.split(b"=", 1) for entry in entries if b"=" in entry)


@contextmanager
def prepared(jobs: Path, script: bytes, environment: Mapping[bytes, bytes]) -> Iterator[Path]:
    """Make a folder with a job's files, gone at the end unless it was renamed.

    Args:
        jobs: Where the folders of all jobs lie.
        script: As it was given.
        environment: The job's variables.

    Raises:
        OSError: It cannot be written.
    """
    remove_abandoned(jobs)
    path, lock = _locked_folder(jobs)
    try:
        write_file(path / SCRIPT, script, 0o700)
        write_file(path / ENVIRONMENT, b"".join(b"%b=%b\0" % pair for pair in environment.items()), 0o600)
        sync_folder(path)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def settle(path: Path, job_id: int) -> None:
    """Give a prepared folder the job's id. While the queue is held, before it knows the job.

    Raises:
        OSError: It cannot be renamed.
    """
    place = path.with_name(str(job_id))
    if place.exists():
        # The queue knows no such job: its sbatch was killed before the queue had it.
        _put_aside(place)
    path.rename(place)
    sync_folder(place.parent)


def put_aside(jobs: Path, keep: Collection[int]) -> None:
    """Take the names from the folders of jobs that are over for good. While the queue is held."""
    for path in tuple(jobs.iterdir()):
        if path.name.isdecimal() and int(path.name) not in keep:
            _put_aside(path)


def _put_aside(place: Path) -> None:
    place.rename(place.with_name(_NEW + os.urandom(8).hex()))


def _locked_folder(jobs: Path) -> tuple[Path, int]:
    while True:
        path = jobs / (_NEW + os.urandom(8).hex())
        path.mkdir(mode=0o700)
        lock = _lock(path)
        # Somebody may have taken it for an abandoned one before it was locked.
        if lock is not None and path.exists():
            return path, lock
        if lock is not None:
            os.close(lock)


def _lock(path: Path) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def remove_abandoned(jobs: Path) -> None:
    """Remove what was put aside, and what makers that were killed have left."""
    for path in jobs.glob(_NEW + "*"):
        lock = _lock(path)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
