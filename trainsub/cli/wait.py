"""``trainsub wait``."""

from typing import TYPE_CHECKING, Annotated

import typer

from trainsub.cli.arguments import Json, SomeRuns

if TYPE_CHECKING:
    from trainsub.cli.state import State


def wait(
    ctx: typer.Context,
    runs: SomeRuns,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="Wait no longer than this; then exit code 124.")
    ] = None,
    json: Json = False,
) -> None:
    """Wait for runs to end; the exit code says how they did."""
    import shlex

    from trainsub.cli import show
    from trainsub.tracker.outcome import exit_code

    state: State = ctx.obj
    state.json = json
    with state.client() as client:
        goes_on, it = ("the job goes on", "it") if len(runs) == 1 else ("the jobs go on", "them")
        state.interrupted_hint = f"{goes_on}; `trainsub cancel {shlex.join(runs)}` stops {it}"
        ended = client.wait(runs, timeout=timeout)
        show.runs(state, ended)
    raise typer.Exit(exit_code(ended))
