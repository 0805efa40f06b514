"""``trainsub retry``."""

from typing import TYPE_CHECKING

import typer

from trainsub.cli.arguments import Json, OneRun

if TYPE_CHECKING:
    from trainsub.cli.state import State


def retry(ctx: typer.Context, run: OneRun, json: Json = False) -> None:
    """Train those tasks of a sweep or an array again that did not end well, as a run of their own.

    It has the script, the code and the indices of the first one. Asked twice for the same tasks, it finds the run.
    """
    from trainsub.cli import show

    state: State = ctx.obj
    state.json = json
    with state.client() as client:
        made = client.retry(run)
        if made is None:
            state.tell("all tasks ended well; nothing was submitted")
        else:
            state.tell(f"run {made.run} is job {made.jobs[-1].job_id} on {made.cluster}, tasks {made.jobs[-1].array}")
        show.runs(state, client.status([made.run if made else run], cached=True).runs)
