"""``trainsub submit``."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainsub.cli import progress
from trainsub.cli.arguments import Json, Sets, Spec
from trainsub.errors import UsageError

if TYPE_CHECKING:
    from trainsub.cli.state import State
    from trainsub.client import Client
    from trainsub.plan import Plan


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
        plan = client.plan(job_spec, cluster=state.cluster, key=key, base=Path(spec).absolute().parent)
        _say_what_travels(state, plan)
        if dry_run:
            _show_plan(state, plan)
            return
        state.interrupted_hint = f"the outcome is not known; `trainsub status {plan.run}` settles it"
        threading.Thread(target=_load_tables, name="trainsub-load", daemon=True).start()  # the network is slower
        with progress.upload(plan.snapshot.size if plan.snapshot else 0) as sent:
            run = client.submit(plan, progress=sent)
        state.interrupted_hint = None
        job = run.jobs[-1]
        accepted = f"run {run.run} is job {job.job_id} on {run.cluster}"
        if not (wait or follow):
            try:
                _show(state, client, run.run)
            except OSError:  # stdout cannot be written, and the job must not be lost sight of
                state.tell(accepted)
                raise
            return
        state.tell(accepted)
        state.interrupted_hint = f"job {job.job_id} goes on; `trainsub cancel {run.run}` stops it"
        _to_the_end(state, client, run.run, follow=follow)


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


def _show_plan(state: "State", plan: "Plan") -> None:
    from trainsub.cli import show
    from trainsub.cli.describe import plan_document

    document = plan_document(plan)
    if state.json:
        state.dump(document)
        return
    typer.echo(plan.script, nl=False)
    show.ceiling(state, document)


def _load_tables() -> None:
    """Load what shows the result."""
    from trainsub.cli import show

    show.load()


def _show(state: "State", client: "Client", run: str) -> None:
    """The run as the store has it."""
    from trainsub.cli import show

    show.runs(state, client.status([run], cached=True).runs)


def _to_the_end(state: "State", client: "Client", run: str, *, follow: bool) -> None:
    """Stay until the run has ended, and end as it did."""
    from trainsub.cli import show
    from trainsub.cli.logs import pour
    from trainsub.tracker.outcome import exit_code

    if follow:
        pour(client.logs(run, follow=True))
    ended = client.wait([run])
    show.runs(state, ended)
    if not state.json:
        show.cost_of(state, client, run)
    raise typer.Exit(exit_code(ended))
