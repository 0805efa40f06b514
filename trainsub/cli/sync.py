"""``trainsub sync``."""

from typing import TYPE_CHECKING, Annotated

import typer

from trainsub.cli.arguments import Json
from trainsub.cli.cluster import complete

if TYPE_CHECKING:
    from trainsub.cli.state import State
    from trainsub.verbs.sync import Synced

SHOWN = 10
"""How many names a line lists."""


def sync(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[CLUSTER]", help="A configured cluster; else the default one.", autocompletion=complete
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Find the runs that lie on a cluster, wherever they were submitted, and record them here."""
    from trainsub.cli import progress, show
    from trainsub.cli.describe import sync_document

    state: State = ctx.obj
    state.json = json
    with state.client() as client:
        with progress.count("reading the runs") as read:
            done = client.sync(name or state.cluster, progress=read)
        if json:
            state.dump(sync_document(done))
        else:
            _tell(state, done)
            changed = {*done.restored, *done.updated}
            if changed:
                show.runs(state, [run for run in client.status(cached=True).runs if run.run in changed])
        if done.unasked is not None:
            state.tell(f"Slurm on cluster {done.cluster} could not be asked about all jobs: {done.unasked.message}")
            raise typer.Exit(done.unasked.exit_code)


def _tell(state: "State", done: "Synced") -> None:
    """What was found, in a line, and a line for each that needs one."""
    from trainsub.cli import words

    counts = [(done.restored, "restored"), (done.updated, "updated"), (done.known, "known already")]
    found = words.count(sum(len(listed) for listed, _ in counts), "run")
    parts = ", ".join(f"{len(listed)} {what}" for listed, what in counts if listed)
    state.tell(f"{found} on cluster {done.cluster}, in {done.root}{': ' if parts else ''}{parts}")
    for listed, what in (
        (done.coming, "being submitted just now, and left alone"),
        (done.gone, "without a directory on the cluster; what Slurm says of their jobs is all that is known"),
        (done.foreign, "in the directory of runs, and no run"),
    ):
        if listed:
            more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
            state.tell(f"{what}: {', '.join(map(words.visible, listed[:SHOWN]))}{more}")
    for run, why in done.unreadable.items():
        state.tell(f"run {words.visible(run)} was left as it is: {why}")
