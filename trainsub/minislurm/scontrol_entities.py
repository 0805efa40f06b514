"""``scontrol show``: finds what the words name, and prints it."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from trainsub.minislurm import hostlists, nodes, scontrol_cluster, scontrol_show, selection
from trainsub.minislurm.conf import load
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.scontrol_call import ELSEWHERE, INVALID, Call, meant, shown_jobs
from trainsub.minislurm.selection import JobName, SelectionError
from trainsub.minislurm.values import Job
from trainsub.minislurm.view import View, view
from trainsub.slurm.hostlist import expand

_ELSEWHERE = """
aliases assoc_mgr bbstat burstbuffer daemons dwstat federation frontend licenses reservation slurmd topology
"""


def show(call: Call) -> int:
    """Print what the words name.

    Returns:
        The exit code.
    """
    entity, equals, value = call.words[0].partition("=")
    values = (value, *call.words[1:]) if equals else call.words[1:]
    if len(values) > 1:
        return call.fail("too many arguments for keyword:show")
    word = entity.lower()
    if word in _ELSEWHERE.split():
        return call.fail(ELSEWHERE.format(word))
    fitting = [
        shown for name, (shortest, shown) in _ENTITIES.items() if name.startswith(word) and len(word) >= shortest
    ]
    if not fitting:
        return call.fail(f"invalid entity:{entity} for keyword:show ")
    return fitting[0](call, values[0] if values else None)


def _show_job(call: Call, value: str | None) -> int:
    conf, now = load(call.home), int(time.time())
    with Queue(call.home) as queue:
        jobs = shown_jobs(queue, conf)
        name = None
        if value is not None:
            try:
                name = selection.job_name(value)
            except SelectionError:
                return call.fail(f"scontrol_print_job error: {INVALID}")
            if not any(name.job_id in {job.job_id, job.array_job_id} for job in jobs):
                return call.fail(f"slurm_load_jobs error: {INVALID}")
            jobs = meant(jobs, name)
        views = [view(job, conf, now, _dependency(queue, job, now)) for job in jobs]
    if not views:
        sys.stdout.write("No jobs in the system\n" if value is None else f"Job {value} not found\n")
        return int(value is not None)
    for one in views:
        lines = scontrol_show.job(_only(one, name), details=call.details)
        sys.stdout.write(scontrol_show.text(lines, one_line=call.one_line))
    return 0


def _only(one: View, name: JobName | None) -> View:
    """Return the view of the one task that is asked for."""
    return one if name is None or name.task is None or not one.tasks else replace(one, tasks=(name.task,), throttle=0)


def _dependency(queue: Queue, job: Job, now: int) -> str:
    if not job.request.dependency or job.shares:
        return ""
    from trainsub.minislurm.dependency import show  # noqa: PLC0415 - few jobs have one

    return show(job, queue.array_jobs, queue.open_jobs(), now)


def _show_step(call: Call, value: str | None) -> int:
    conf = load(call.home)
    with Queue(call.home) as queue:
        jobs = [job for job in queue.open_jobs() if job.running]
        name = None
        if value is not None:
            try:
                name = selection.job_name(value)
            except SelectionError:
                return call.fail(f"scontrol: error: {INVALID}")
            jobs = meant(jobs, name)
        steps = [(job, one) for job in jobs for one in queue.steps(job.job_id) if one.restarts == job.restarts]
    steps = [(job, one) for job, one in steps if one.end is None and (name is None or name.step in {"", one.name})]
    if not steps and name is not None:
        return call.fail(f"scontrol: error: scontrol_print_step: slurm_get_job_steps({value}) failed: {INVALID}")
    if not steps:
        sys.stdout.write("No job steps in the system\n")
    for job, one in steps:
        sys.stdout.write(scontrol_show.text(scontrol_show.step(job, one, conf), one_line=call.one_line, last=""))
    return 0


def _show_node(call: Call, value: str | None) -> int:
    conf = load(call.home)
    with Queue(call.home) as queue:
        found = nodes.look(conf, queue.open_jobs())
    names = [one.node.name for one in found]
    if value is not None:
        try:
            names = expand(value)
        except ValueError:
            return call.fail(f"Invalid hostlist: {value}")
    code = 0
    for name in names:
        one = next((one for one in found if one.node.name == name), None)
        if one is None:
            sys.stdout.write(f"Node {name} not found\n")
            code = 1
            continue
        lines = scontrol_cluster.node(one, conf, load=os.getloadavg()[0])
        sys.stdout.write(scontrol_show.text(lines, one_line=call.one_line))
    return code


def _show_partition(call: Call, value: str | None) -> int:
    conf = load(call.home)
    found = [one for one in conf.partitions if value in {None, one.name}]
    for one in found:
        lines = scontrol_cluster.partition(one, conf)
        sys.stdout.write(scontrol_show.text(lines, one_line=call.one_line, last=""))
    if not found:
        sys.stdout.write(f"Partition {value} not found\n")
    return int(not found)


def _show_config(call: Call, _: str | None) -> int:
    sys.stdout.write(scontrol_cluster.config(load(call.home), call.home, int(time.time())))
    return 0


def _show_hosts(fold: str) -> Callable[[Call, str | None], int]:
    def run(call: Call, value: str | None) -> int:
        given = os.environ.get("SLURM_NODELIST") if value is None and not fold else value
        if given is None:
            call.fail("invalid encode argument" if fold else "scontrol: error: host list is empty")
            return int(bool(fold))
        try:
            text = Path(given).read_text(encoding="utf-8") if fold and given.startswith("/") else given
            names = expand(",".join(text.replace(",", " ").split())) if fold and given.startswith("/") else expand(text)
        except (OSError, ValueError):
            call.fail(f"Invalid hostlist: {given}")
            return 0
        if fold:
            sys.stdout.write(hostlists.fold(hostlists.sort(names) if fold == "sorted" else names) + "\n")
        else:
            sys.stdout.writelines(f"{name}\n" for name in names)
        return 0

    return run


_ENTITIES: Mapping[str, tuple[int, Callable[[Call, str | None], int]]] = {
    "config": (2, _show_config),
    "jobs": (1, _show_job),
    "jobid": (4, _show_job),
    "nodes": (1, _show_node),
    "partitions": (1, _show_partition),
    "steps": (2, _show_step),
    "hostlist": (5, _show_hosts("as given")),
    "hostlistsorted": (9, _show_hosts("sorted")),
    "hostnames": (5, _show_hosts("")),
}
"""What may be shown, and how far its name may be cut short."""
