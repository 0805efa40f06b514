"""``trainsub status``."""

from typing import TYPE_CHECKING, Annotated

import typer

from trainsub.cli.arguments import Json, Runs

if TYPE_CHECKING:
    from trainsub.cli.state import State


def status(
    ctx: typer.Context,
    runs: Runs = None,
    cached: Annotated[bool, typer.Option("--cached", help="Ask no cluster; show what is known.")] = False,
    json: Json = False,
) -> None:
    """Show what is known of runs, and since when; what is older than 15 s is asked anew."""
    from trainsub.background import Call
    from trainsub.cli import explained, show

    state: State = ctx.obj
    state.json = json
    with state.client() as client:
        Call(show.load)
        known = client.status(runs or (), cached=cached)
        for cluster, error in known.unasked.items():
            state.tell(f"cluster {cluster} could not be asked: {error.message}")
            if error.hint:
                state.tell(f"hint: {error.hint}")
        if json and runs:
            histories = {one.run: explained.event_documents(client.history(one.run)) for one in known.runs}
            show.runs(state, known.runs, histories)
        elif runs and len(known.runs) == 1:
            (one,) = known.runs
            explained.page(one, client.history(one.run), show.state_words(one))
        else:
            show.runs(state, known.runs)
            if not json:
                explained.waiting(known.runs)
    show.end_unasked(known.unasked, named=bool(runs))
