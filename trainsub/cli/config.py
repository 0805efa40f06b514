"""``trainsub config``."""

from typing import TYPE_CHECKING, Annotated

import typer

from trainsub.cli.arguments import Json

if TYPE_CHECKING:
    from trainsub.cli.state import State

app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)


@app.command("show")
def show_config(
    ctx: typer.Context,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value came from.")] = False,
    json: Json = False,
) -> None:
    """Show the configuration in force."""
    from trainsub.cli import show
    from trainsub.cli.describe import config_document

    state: State = ctx.obj
    state.json = json
    show.config(state, config_document(state.places().settings()), origin=origin)


@app.command("path")
def path(ctx: typer.Context) -> None:
    """Show which files are read, lowest first, and which of them exist."""
    state: State = ctx.obj
    for layer, file in state.places().files():
        there = "" if file.exists() else "  (not there)"
        typer.echo(f"{layer:8} {file}{there}")
