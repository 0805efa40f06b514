"""Starts a job's batch script: its copy, its files, its environment and what its log says if that fails."""

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from trainsub.minislurm import environment, folder, patterns, processes, spawning, users
from trainsub.minislurm.conf import Conf
from trainsub.minislurm.values import Job

RUN = "run"
SCRIPT = "slurm_script"
NO_FILES = (0, 53)
"""Code and signal with which Slurm tells that the job's files could not be opened."""
ELSEWHERE = "/tmp"  # noqa: S108 - as Slurm does
_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Script:
    """A batch script, started or failed.

    Attributes:
        pid: Its process; 0 if there is none.
        failure: Code and signal that are told if there is none.
        error: Its standard error, still open; -1 if there is none.
        folder: What is its own while it runs.
    """

    pid: int
    failure: tuple[int, int]
    error: int
    folder: Path

    def say(self, line: str) -> None:
        """Write a line into its log, if there is room."""
        say(self.error, line)

    def clean(self) -> None:
        """Remove what only was there for its run."""
        shutil.rmtree(self.folder, ignore_errors=True)


def start(home: Path, job: Job, conf: Conf) -> Script:
    """Start the batch script of a job."""
    place = home / RUN / f"job{job.job_id:05}"
    os.umask(job.request.umask)
    try:
        files = _open_files(job)
    except OSError as error:
        complain = f"slurmstepd-{_node(job)}: error: Could not open {error.filename}: {error.strerror}"
        os.write(2, f"job {job.job_id}: {complain}\n".encode())
        return Script(0, NO_FILES, -1, place)
    cwd, _ = work_folder(job.request.chdir, _node(job), files[2])
    try:
        path = _copy(home, job, place)
        program = spawning.Program(
            path=str(path),
            arguments=(str(path), *job.request.arguments),
            environment=_environment(home, job, conf),
            folder=cwd,
            umask=job.request.umask,
            files=files,
        )
        return Script(spawning.spawn(program), (0, 0), files[2], place)
    except OSError as error:
        number = error.errno or 1
        say(files[2], f"slurmstepd-{_node(job)}: error: execve(): {_why(place / SCRIPT, error)}")
        return Script(0, (number, 0), files[2], place)
    finally:
        os.close(files[0])
        os.close(files[1])


def say(descriptor: int, line: str) -> None:
    """Write a line into a log, if there is one and room in it."""
    try:
        if descriptor >= 0:
            os.write(descriptor, f"{line}\n".encode(errors="surrogateescape"))
    except OSError:
        return


def work_folder(wanted: str, node: str, error: int) -> tuple[str, bool]:
    """Return where a program starts, and whether that is where it should; else its log says so, as with Slurm twice."""
    try:
        os.chdir(wanted)
    except OSError as why:
        line = f"slurmstepd-{node}: error: couldn't chdir to `{wanted}': {why.strerror}: going to {ELSEWHERE} instead"
        say(error, line)
        say(error, line)
        return ELSEWHERE, False
    os.chdir("/")
    return wanted, True


def open_output(path: str, mode: str) -> int:
    """Open a file for output: ``a`` goes on at its end, ``t`` begins anew. Missing folders are made, as by 24.11."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (0 if mode == "a" else os.O_TRUNC)
    return open_at_once(path, flags)


def open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for the other end of a named pipe: nobody could cancel who waits there."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    os.set_blocking(descriptor, True)
    return descriptor


def _open_files(job: Job) -> tuple[int, int, int]:
    request = job.request
    node = _node(job)
    values = {
        **patterns.of_job(job, users.name(os.getuid())),
        **patterns.of_task(job.job_id, "batch", node, 0, 0),
    }

    def path(pattern: str) -> str:
        return os.path.join(request.chdir, patterns.expand(pattern, values))  # noqa: PTH118 - as it is written

    # After a requeue the log goes on where it was told to, and is written anew else.
    names = [
        path(request.output or patterns.default(job)),
        path(request.error or request.output or patterns.default(job)),
    ]
    opened = [open_at_once(path(request.input or os.devnull), os.O_RDONLY)]
    try:
        opened.append(open_output(names[0], request.open_mode))
        opened.append(os.dup(opened[1]) if names[0] == names[1] else open_output(names[1], request.open_mode))
    except OSError:
        for descriptor in opened:
            os.close(descriptor)
        raise
    return opened[0], opened[1], opened[2]


def _copy(home: Path, job: Job, place: Path) -> Path:
    """Make the copy that is run: what the user does to the file meanwhile is of no effect."""
    umask = os.umask(0o077)
    try:
        place.mkdir(parents=True, exist_ok=True)
        path = place / SCRIPT
        path.unlink(missing_ok=True)
        path.write_bytes((home / "jobs" / str(job.array_job_id) / folder.SCRIPT).read_bytes())
        path.chmod(0o700)
    finally:
        os.umask(umask)
    return path


def _environment(home: Path, job: Job, conf: Conf) -> dict[str, str]:
    uid = os.getuid()
    stored = folder.read_environment(home / "jobs" / str(job.array_job_id) / folder.ENVIRONMENT)
    given = {os.fsdecode(name): os.fsdecode(value) for name, value in stored.items()}
    for name in environment.NOT_INHERITED:
        given.pop(name, None)
    found = {**given, **environment.batch(job, conf, environment.Who(users.name(uid), uid, users.group(uid)))}
    found.setdefault("TMPDIR", ELSEWHERE)
    found["PATH"] = f"{home / 'bin'}:{given.get('PATH') or _PATH}"
    found["PWD"] = job.request.chdir
    found[processes.MARK] = job.mark
    found.pop(processes.STEP_MARK, None)
    return found


def _why(script: Path, error: OSError) -> str:
    if error.errno == errno.ENOENT and script.exists():
        interpreter = script.read_bytes().split(b"\n", 1)[0][2:].split()[:1]
        return f"bad interpreter({os.fsdecode(b''.join(interpreter))}): {error.strerror}"
    return f"{script}: {error.strerror}"


def _node(job: Job) -> str:
    return job.shares[0].node
