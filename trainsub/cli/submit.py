"""``trainsub submit``."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainsub.cli import progress
from trainsub.cli.arguments import Json, Sets, Spec
from trainsub.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainsub.cli.state import State
    from trainsub.client import Client
    from trainsub.plan import Plan
    from trainsub.tracker.values import Run


def submit(
    ctx: typer.Context,
    spec: Spec,
    sets: Sets = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="The same key and name are the same run, from wherever they are submitted."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and submit nothing.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end; its exit code says how.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show the log until the end.")] = False,
    json: Json = False,
) -> None:
    """Submit a spec, exactly once."""
    state: State = ctx.obj
    state.json = json
    if follow and json:
        raise UsageError("--follow shows a log and --json a document", hint="Use --wait with --json.")
    with state.client() as client:
        job_spec = client.load_spec(spec, sets=sets or ())
        if not dry_run:
            client.prepare(state.cluster)  # rendering and packing go on meanwhile
        plans = client.plans(job_spec, cluster=state.cluster, key=key, base=Path(spec).absolute().parent)
        _say_what_travels(state, plans[0])
        if dry_run:
            _show_plan(state, plans)
            return
        runs = _submitted(state, client, plans)
        if not (wait or follow):
            try:
                _show(state, client, [run.run for run in runs])
            except OSError:  # stdout cannot be written, and the job must not be lost sight of
                _tell(state, runs)
                raise
            return
        named = " ".join(run.run for run in runs)
        goes_on = f"job {runs[0].jobs[-1].job_id} goes on" if len(runs) == 1 else "the jobs go on"
        state.interrupted_hint = f"{goes_on}; `trainsub cancel {named}` stops {'it' if len(runs) == 1 else 'them'}"
        if len(runs) == 1:  # of several, each was told of at once
            _tell(state, runs)
        _to_the_end(state, client, [run.run for run in runs], follow=follow)


def _submitted(state: "State", client: "Client", plans: "Sequence[Plan]") -> "list[Run]":
    """Submit all plans; after an interruption, what is there and what is not is known."""
    state.interrupted_hint = "the outcome is not known; `trainsub status` settles it"
    threading.Thread(target=_load_tables, name="trainsub-load", daemon=True).start()  # the network is slower
    done: list[Run] = []

    def accepted(run: "Run") -> None:
        done.append(run)
        state.interrupted_hint = _hint(done, len(plans))  # first, for whoever interrupts at the line below
        if len(plans) > 1:
            state.tell(f"part {len(done)} of {len(plans)}: {_accepted(run)}")

    packed = plans[0].snapshot
    with progress.upload(packed.size if packed else 0) as sent:
        return client.submit_all(plans, progress=sent, accepted=accepted)


def _hint(done: "Sequence[Run]", parts: int) -> str:
    """What an interruption leaves behind when so many parts are submitted."""
    if parts == 1:
        return _accepted(done[0])
    are = "is" if len(done) == 1 else "are"
    said = f"of {parts} parts {len(done)} {are} submitted ({', '.join(run.run for run in done)})"
    return said if len(done) == parts else f"{said}; the same command goes on with the next"


def _tell(state: "State", runs: "Sequence[Run]") -> None:
    for run in runs:
        state.tell(_accepted(run))


def _accepted(run: "Run") -> str:
    return f"run {run.run} is job {run.jobs[-1].job_id} on {run.cluster}"


def _say_what_travels(state: "State", plan: "Plan") -> None:
    """One line, so that nobody wonders which code ran."""
    packed = plan.snapshot
    if packed is None:
        return
    commit = f"commit {packed.commit[:12]}" if packed.commit else "no git commit"
    changes = " with uncommitted changes" if packed.dirty else ""
    extra = f" ({len(packed.untracked)} of them untracked)" if packed.untracked else ""
    for note in packed.notes:
        state.tell(f"code: {note}")
    count = "1 file" if packed.files == 1 else f"{packed.files} files"
    state.tell(f"code: {count}{extra}, {commit}{changes}, {_size(packed.size)} packed")


def _size(count: int) -> str:
    if count < 1 << 10:
        return f"{count} bytes"
    return f"{count / 1024:.0f} KiB" if count < 1 << 20 else f"{count / (1 << 20):.1f} MiB"


def _show_plan(state: "State", plans: "Sequence[Plan]") -> None:
    from trainsub.cli import show
    from trainsub.cli.describe import plan_document

    document = plan_document(plans)
    if state.json:
        state.dump(document)
        return
    typer.echo(plans[0].script, nl=False)
    show.ceiling(state, document)


def _load_tables() -> None:
    """Load what shows the result."""
    from trainsub.cli import show

    show.load()


def _show(state: "State", client: "Client", runs: list[str]) -> None:
    """The runs as the store has them."""
    from trainsub.cli import show

    show.runs(state, client.status(runs, cached=True).runs)


def _to_the_end(state: "State", client: "Client", runs: list[str], *, follow: bool) -> None:
    """Stay until the runs have ended, and end as they did; logs are shown one after another."""
    from trainsub.cli import show
    from trainsub.cli.logs import pour
    from trainsub.tracker.outcome import exit_code

    for run in runs if follow else ():
        pour(client.logs(run, follow=True))
    ended = client.wait(runs)
    show.runs(state, ended)
    if not state.json:
        for run in runs:
            show.cost_of(state, client, run)
    raise typer.Exit(exit_code(ended))
