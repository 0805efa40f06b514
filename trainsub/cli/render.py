"""``trainsub render``."""

from typing import TYPE_CHECKING

import typer

from trainsub.cli.arguments import Sets, Spec

if TYPE_CHECKING:
    from trainsub.cli.state import State


def render(ctx: typer.Context, spec: Spec, sets: Sets = None) -> None:
    """Print the exact batch script that a spec makes. Asks no network."""
    state: State = ctx.obj
    with state.client() as client:
        typer.echo(client.render(spec, cluster=state.cluster, sets=sets or ()), nl=False)
