"""sbatch: takes a job into the queue, whole or not at all."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from trainsub.minislurm import admission, arrays, conf, dependency, export, folder, options, schedule, script
from trainsub.minislurm.errors import BAD_OPTION, RefusedError, failed
from trainsub.minislurm.given import Given, gather
from trainsub.minislurm.named_nodes import named_nodes
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.request import Surroundings, build
from trainsub.minislurm.sbatch_options import TABLE
from trainsub.minislurm.sources import find_script, script_options, variables
from trainsub.minislurm.values import Array, Job, Request
from trainsub.minislurm.version import VERSION

NAME = "sbatch"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def main(home: Path, words: Sequence[str]) -> int:
    """Submit a job.

    Returns:
        The exit code.
    """
    try:
        parsed = options.parse(words, TABLE, stop_at_operand=True)
        if parsed.has("version"):
            sys.stdout.write(VERSION + "\n")
            return 0
        if parsed.has("help") or parsed.has("usage"):
            sys.stdout.write(_usage() + "\n")
            return 0
        return _submit(home, parsed, words)
    except options.OptionError as error:
        sys.stderr.write(f'{NAME}: {error}\nTry "{NAME} --help" for more information\n')
        return BAD_OPTION
    except RefusedError as error:
        sys.stderr.write(error.text(NAME))
        return error.code


def _submit(home: Path, parsed: options.Parsed, words: Sequence[str]) -> int:
    cluster = conf.load(home)
    now = int(time.time())
    # Options of the command line are looked at first, and once more when the others are known.
    gather(((parsed.given, False),), now)
    given_script = find_script(parsed)
    script.check(given_script.body)
    given = gather(
        (
            (script_options(given_script, ignore_pbs=parsed.has("ignore-pbs")), False),
            (variables(os.environ), True),
            (parsed.given, False),
        ),
        now,
    )
    given |= named_nodes(given)
    around = Surroundings(
        now=now,
        cwd=_working_directory(),
        umask=_umask(),
        name=given_script.name,
        command=given_script.path,
        arguments=given_script.arguments,
        submit_line=" ".join([NAME, *words]),
    )
    request, warnings = build(given, cluster, around)
    for warning in warnings:
        sys.stderr.write(f"{NAME}: warning: {warning}\n")
    environment = export.environment(os.environb, given, request, around.cwd, cluster.def_mem_per_cpu)
    with _as_rehearsal(given):
        admission.check_begin(given)
        limit = admission.limited(request, given, cluster, now)
        # All nodes are in all partitions, so the first of several will do.
        request = replace(request, time_limit=limit, partition=request.partition.split(",")[0])
        admission.check(request, given, cluster)
        job = _job(request, given, cluster, now)
        if "test-only" in given:
            return _rehearse(home, cluster, job)
        job = _enqueue(home, cluster, job, given_script.body, environment)
    if "quiet" not in given:
        sys.stdout.write(f"{job.job_id}\n" if "parsable" in given else f"Submitted batch job {job.job_id}\n")
        sys.stdout.flush()
    return _wait(home, job.job_id) if "wait" in given else 0


# -- the job -----------------------------------------------------------------------------------------------------------


def _working_directory() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - a Path of its own is of no use here
    except OSError as error:
        raise RefusedError(f"error: getcwd failed: {error.strerror}") from None


def _umask() -> int:
    """Return the umask, which is the job's; what sbatch itself makes is for its user only."""
    return os.umask(0o077)


def _job(request: Request, given: Given, cluster: conf.Conf, now: int) -> Job:
    """Return the job, its id still to be given."""
    try:
        dependency.parse(request.dependency)
    except dependency.DependencyError:
        raise failed("Job dependency problem") from None
    array = None
    if given.get("array"):
        try:
            indices, limit = arrays.parse(given["array"], cluster.max_array_size)
        except arrays.ArrayError:
            raise failed("Invalid job array specification") from None
        array = Array(
            0,
            pending=indices,
            limit=limit,
            count=len(indices),
            least=indices[0],
            most=indices[-1],
            step=arrays.step(indices),
        )
    held = "user" if "hold" in given or given.get("priority") == "0" else ""
    return Job(
        job_id=0,
        uid=os.getuid(),
        request=request,
        submit=now,
        eligible=request.begin or (None if held or request.dependency else now),
        reason="JobHeldUser" if held else "BeginTime" if request.begin else "None",
        held=held,
        not_before=request.begin,
        array=array,
    )


def _enqueue(home: Path, cluster: conf.Conf, job: Job, body: bytes, environment: Mapping[bytes, bytes]) -> Job:
    jobs = home / "jobs"
    try:
        with folder.prepared(jobs, body, environment) as path, Queue(home) as queue, queue.change():
            known = queue.shown_jobs(job.submit - cluster.min_job_age)
            folder.put_aside(jobs, {one.array_job_id for one in known})
            job = _numbered(job, queue.new_id(cluster.first_job_id), known)
            folder.settle(path, job.job_id)
            queue.put(job)
    except OSError as error:
        raise failed(
            "I/O error writing script/environment to file", f"{error.filename or jobs}: {error.strerror or error}"
        ) from error
    with suppress(OSError):  # the job is in the queue, whatever comes of the rest
        folder.remove_abandoned(jobs)
    return job


def _numbered(job: Job, job_id: int, known: Sequence[Job]) -> Job:
    """Return the job with its id, and with what it waits for."""
    array = None if job.array is None else replace(job.array, job_id=job_id)

    def find(other: int) -> list[Job]:
        return [one for one in known if other in {one.job_id, one.array_job_id}]

    try:
        waits_for = dependency.check(dependency.parse(job.request.dependency), find)
    except dependency.DependencyError:
        raise failed("Job dependency problem") from None
    request = replace(job.request, dependency=dependency.text(waits_for))
    job = replace(job, job_id=job_id, array=array, request=request)
    if job.held or job.not_before:
        return job
    reason = dependency.waits(job, find, [one for one in known if not one.ended], job.submit)
    return replace(job, reason=reason or job.reason, eligible=None if reason else job.submit)


# -- --test-only and --wait --------------------------------------------------------------------------------------------


@contextmanager
def _as_rehearsal(given: Given) -> "Iterator[None]":
    """Say what is refused as --test-only does."""
    try:
        yield
    except RefusedError as error:
        if "test-only" not in given:
            raise
        *before, last = error.lines
        sys.stderr.write("".join(f"{NAME}: {line}\n" for line in before))
        raise RefusedError(bare=last.replace("error: Batch job submission failed", "allocation failure")) from None


def _rehearse(home: Path, cluster: conf.Conf, job: Job) -> int:
    from trainsub.slurm import hostlist  # noqa: PLC0415 - an ordinary submission does not need it

    request = job.request
    with Queue(home) as queue, queue.change():
        known = queue.shown_jobs(job.submit - cluster.min_job_age)
        job = _numbered(job, queue.new_id(cluster.first_job_id), known)
    found = schedule.estimate(request, [one for one in known if not one.ended], cluster, job.submit)
    if found is None:
        raise failed("Requested node configuration is not available")
    start, shares = found
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(start))
    cpus = sum(share.cpus for share in shares)
    nodes = hostlist.compress(share.node for share in shares)
    sys.stderr.write(
        f"{NAME}: Job {job.job_id} to start at {moment} using {cpus} processors on nodes {nodes} "
        f"in partition {request.partition}\n"
    )
    return 0


def _wait(home: Path, job_id: int) -> int:
    """Return the highest exit code of a job, once it has ended."""
    from trainsub.minislurm import keeper  # noqa: PLC0415 - an ordinary submission leaves that to the door

    while True:
        keeper.ensure(home)
        with Queue(home) as queue:
            rows: list[Any] = queue.array_jobs(job_id)
        if all(row.ended for row in rows):
            return max((1 if row.exit_signal else row.exit_code for row in rows), default=1)
        time.sleep(0.5)


def _usage() -> str:
    shown = " ".join(f"--{option.name}" for option in sorted(TABLE, key=lambda one: one.name))
    return f"Usage: sbatch [OPTIONS...] script [args...]\n\nOptions, as in Slurm 24.11: {shown}"
