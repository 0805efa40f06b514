"""``trainsub cancel``."""

from typing import TYPE_CHECKING

import typer

from trainsub.cli.arguments import Json, SomeRuns

if TYPE_CHECKING:
    from trainsub.cli.state import State


def cancel(ctx: typer.Context, runs: SomeRuns, json: Json = False) -> None:
    """Cancel runs; one that has ended is left as it is."""
    from trainsub.cli import show

    state: State = ctx.obj
    state.json = json
    with state.client() as client:
        done = client.cancel(runs)
        for one in done:
            if one.jobs:
                state.tell(f"run {one.run.run}: job {', '.join(map(str, one.jobs))} was told to stop")
            else:
                state.tell(f"run {one.run.run} has ended already; nothing to cancel")
        show.runs(state, [one.run for one in done])
