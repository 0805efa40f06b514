"""``trainsub template``."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from trainsub.cli.arguments import Json
from trainsub.errors import UsageError

if TYPE_CHECKING:
    from trainsub.cli.state import State

app = typer.Typer(help="Look at the templates of batch scripts, and begin your own.", no_args_is_help=True)
FOUND = 3
Name = Annotated[str, typer.Argument(metavar="NAME", help="A template's name.")]


@app.command("list")
def list_templates(ctx: typer.Context, json: Json = False) -> None:
    """List the templates: built-in, the site's, yours and the project's; a later one of these wins."""
    from trainsub.cli import templates

    state: State = ctx.obj
    state.json = json
    with state.client() as client:
        templates.listed(state, client.templates())


@app.command("show")
def show(
    ctx: typer.Context,
    name: Name,
    source: Annotated[bool, typer.Option("--source", help="Show its text.")] = False,
    blocks: Annotated[bool, typer.Option("--blocks", help="List its blocks, and who writes each.")] = False,
    json: Json = False,
) -> None:
    """Show what a template is for, what it extends, and where each of these is."""
    from trainsub.cli import templates

    state: State = ctx.obj
    state.json = json
    if source and blocks:
        raise UsageError("--source and --blocks are two answers", hint="Give one of them; --json has both.")
    with state.client() as client:
        templates.one(state, client.templates(), name, "source" if source else "blocks" if blocks else "")


@app.command("check")
def check(
    ctx: typer.Context,
    which: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|PATH]...", help="Templates, or a batch script of your own; else all templates."),
    ] = None,
    json: Json = False,
) -> None:
    """Look for mistakes in templates; exit code 3 if there are any.

    Undefined variables, values inside quotes, unquoted output, commands before the last directive, blocks that nothing
    shows; and in a batch script of your own, #SBATCH lines that cannot be taken over.
    """
    from trainsub.cli import templates

    state: State = ctx.obj
    state.json = json
    with state.client() as client:
        found = client.check_templates(which or ())
    templates.problems(state, found)
    if found:
        raise typer.Exit(FOUND)


@app.command("new")
def new(
    ctx: typer.Context,
    name: Name,
    extends: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What it extends; by default what has the same name, else torchrun."),
    ] = None,
    project: Annotated[bool, typer.Option("--project", help="Write it beside the project's trainsub.toml.")] = False,
    user: Annotated[bool, typer.Option("--user", help="Write it beside your configuration.")] = False,
    json: Json = False,
) -> None:
    """Write a small template that extends another one; it never replaces a file.

    Without --project and --user it is the project's, where there is a trainsub.toml here or above, and else yours.
    """
    from trainsub.cli import templates

    state: State = ctx.obj
    state.json = json
    if project and user:
        raise UsageError("--project and --user are two places", hint="Give one of them.")
    layer: Literal["project", "user"] | None = "project" if project else "user" if user else None
    with state.client() as client:
        templates.written(state, client.new_template(name, extends=extends, layer=layer))
