"""Tables and texts for people, documents for machines."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from trainsub.cli import words
from trainsub.cli.table import Table
from trainsub.errors import TrainsubError, UnknownClusterError

if TYPE_CHECKING:
    from trainsub.cli.state import State
    from trainsub.client import Client
    from trainsub.documents import models
    from trainsub.tracker.values import Run

LATE_RECORDS = (2, 4, 8)
"""Seconds to wait for Slurm's records of a job that has just ended: 22.05 writes the first ones some seconds late."""
STYLES = {
    "finished": "",
    "running": "green",
    "pending": "yellow",
    "refused": "red",
    "unsettled": "magenta",
    "unknown": "magenta",
}


def load() -> None:
    """Load what tables need, so that they are printed at once later."""
    import trainsub.documents.build  # noqa: F401


def runs(
    state: "State",
    known: Iterable["Run"],
    histories: "Mapping[str, Sequence[models.EventDocument]] | None" = None,
) -> None:
    """Runs, one a line.

    Args:
        state: The invocation.
        known: The runs.
        histories: What happened to them, for machines.
    """
    from trainsub.documents.build import phase, runs_document

    listed = list(known)
    if state.json:
        state.dump(runs_document(listed, histories or {}))
        return
    if not listed:
        state.tell("no runs are known on this machine; `trainsub submit SPEC` makes one")
        return
    table = Table("RUN", "CLUSTER", "JOB", "STATE", "NODES", "GPUS", "ELAPSED", spare=("GPUS", "NODES"))
    for one in listed:
        job = one.jobs[-1] if one.jobs else None
        seen = phase(one)
        table.add(
            one.run,
            one.cluster,
            str(job.job_id) if job else "-",
            state_words(one),
            words.or_dash(job.nodes if job else None),
            words.or_dash(job.gpus if job else None),
            words.elapsed(job),
            style=STYLES[seen] if seen != "finished" or (job and job.state == "COMPLETED") else "red",
            styled=3,
        )
    state.print_table(table)


def state_words(one: "Run") -> str:
    """The state with its source and age: ``RUNNING (squeue, 12 s ago)``."""
    from trainsub.documents.build import phase
    from trainsub.tracker.values import VOID

    seen = phase(one)
    job = one.jobs[-1] if one.jobs else None
    if one.outcome == VOID:
        return "given up: nothing was accepted"
    if job is None or seen in {"unsettled", "refused"}:
        return seen
    if job.state is None or job.observed_at is None:
        return "submitted, not seen yet" if seen != "unknown" else "unknown: Slurm does not show it"
    age = (datetime.now(UTC) - job.observed_at).total_seconds()
    word = job.state
    if job.reason and job.reason not in {"None", word} and seen in {"pending", "running"}:
        word += f" {job.reason}"
    lost = ", not seen since" if seen == "unknown" else ""
    return f"{word} ({job.source}, {words.age(age)} ago{lost})"


def ceiling(state: "State", plan: "models.PlanDocument") -> None:
    """The most that a plan can cost, as talk: stdout holds the script."""
    nodes, gpus = words.count(plan.nodes, "node"), words.count(plan.gpus, "GPU")
    tasks = f", for each of {plan.tasks} tasks" if plan.tasks > 1 else ""
    for part in plan.parts if len(plan.parts) > 1 else ():
        after = ", when the run before has ended" if part.waits else ""
        state.tell(f"run {part.run} would have {part.tasks} of {plan.tasks} tasks{after}")
    asks = f"run {plan.run} would ask" if len(plan.parts) == 1 else "they would ask"
    state.tell(f"{asks} {plan.cluster} for {nodes} with {gpus} in all{tasks}")
    if plan.time_limit is None:
        state.tell("ceiling: none, since there is no time limit")
        return
    if plan.ceiling_gpu_seconds is None:
        state.tell(f"ceiling: not known: the job takes whole nodes, and how many GPUs they have is {_unsaid(plan)}")
        return
    cost = f", {plan.ceiling.amount} {plan.ceiling.currency}" if plan.ceiling else ", no price configured"
    state.tell(f"ceiling: {words.hours(plan.ceiling_gpu_seconds)} GPU-hours{cost}")


def _unsaid(plan: "models.PlanDocument") -> str:
    """What the number of a node's GPUs is, where a plan lacks it, and the key that would tell."""
    from trainsub.config import EMBEDDED
    from trainsub.spec.problems import dotted

    if plan.cluster == EMBEDDED:  # which takes no such key
        return "not known"
    return f"not configured ({dotted(('clusters', plan.cluster, 'gpus_per_node'))})"


def usage(state: "State", document: "models.UsageDocument") -> None:
    """GPU-seconds, GPU-hours and cost, a line a run, and the total."""
    if state.json:
        state.dump(document)
        return
    if not document.runs:
        state.tell("no runs")
        return
    table = Table("RUN", "CLUSTER", "STATE", "GPU-SECONDS", "GPU-HOURS", "COST", "")
    for one in document.runs:
        used = (words.or_dash(one.gpu_seconds), words.hours(one.gpu_seconds))
        table.add(one.run, one.cluster, one.state or "-", *used, words.money(one.cost), words.marks(one))
    total = document.total
    costs = " + ".join(words.money(cost) for cost in total.cost) or "-"
    if not total.complete and total.cost:
        costs += " (without the runs that have no cost)"
    used = (words.or_dash(total.gpu_seconds), words.hours(total.gpu_seconds))
    table.add("total", "", "", *used, costs, words.marks(total))
    state.print_table(table)


def cost_of(state: "State", client: "Client", run: str) -> None:
    """One line on what a run cost, as talk."""
    report = client.usage([run])
    for pause in LATE_RECORDS:
        if report.document.runs[0].gpu_seconds is not None or report.unasked:
            break
        time.sleep(pause)
        report = client.usage([run])
    document = report.document.runs[0]
    if document.gpu_seconds is None:
        why = "".join(f" ({error.message})" for error in report.unasked.values())
        state.tell(f"what it used is not known yet{why}; `trainsub usage {run}` tells it later")
        return
    price = f", {words.money(document.cost)}" if document.cost else ", no price configured"
    marks = ", ".join([f"{document.gpu_seconds} GPU-seconds", *filter(None, [words.marks(document)])])
    state.tell(f"used {words.hours(document.gpu_seconds)} GPU-hours{price} ({marks})")


def clusters(state: "State", document: "models.ClustersDocument") -> None:
    """The configured clusters."""
    if state.json:
        state.dump(document)
        return
    table = Table("NAME", "TRANSPORT", "HOST", "REMOTE ROOT", "")
    for one in document.clusters:
        root = words.home_path(one.remote_root) if one.transport == "local" else one.remote_root
        table.add(one.name, one.transport, one.host or "-", root, "default" if one.default else "")
    state.print_table(table)


def findings(state: "State", document: "models.CheckDocument") -> None:
    """What was checked."""
    if state.json:
        state.dump(document)
        return
    table = Table("", "WHAT", "FOUND", "REMEDY")
    for one in document.findings:
        style = {"ok": "green", "warning": "yellow", "error": "red"}[one.level]
        table.add(one.level, one.field, one.message, one.remedy or "", style=style)
    state.print_table(table)


def login(state: "State", document: "models.LoginDocument") -> None:
    """What became of a login."""
    if state.json:
        state.dump(document)
        return
    if not document.kept:
        typer.echo(f"{document.where}: the login works; it is not kept, each command logs in by itself")
        return
    idle = document.idle_seconds
    stays = "stays for a while" if idle is None else f"stays until no command has used it for {words.duration(idle)}"
    typer.echo(f"{'logged' if document.new else 'already logged'} in to {document.where}; the connection {stays}")


def config(state: "State", document: "models.ConfigDocument", *, origin: bool) -> None:
    """The configuration in force."""
    if state.json:
        state.dump(document)
        return
    for key, value in document.values.items():
        from_where = f"  # {document.origin.get(key, 'default')}" if origin else ""
        typer.echo(f"{key} = {words.toml(value)}{from_where}")


def sandbox(state: "State", document: "models.SandboxDocument") -> None:
    """Whether the sandbox runs, and how to get in."""
    if state.json:
        state.dump(document)
        return
    if not document.up:
        typer.echo("the sandbox does not run; `trainsub sandbox up` starts it")
        return
    typer.echo(f"Slurm {document.slurm}, {document.nodes} nodes, cluster name: sandbox")
    typer.echo(f"ssh -F {document.ssh_config} trainsub-sandbox")


def end_unasked(unasked: Mapping[str, TrainsubError], *, named: bool) -> None:
    """End with the exit code of the first cluster that should have been asked and could not be.

    Runs on a cluster that is not configured any more are old news, unless they were asked for by name.
    """
    for error in unasked.values():
        if named or not isinstance(error, UnknownClusterError):
            raise typer.Exit(error.exit_code)
