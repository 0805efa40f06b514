"""``trainsub cluster``."""

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from trainsub.cli.arguments import Json
from trainsub.errors import TrainsubError

if TYPE_CHECKING:
    from trainsub.cli.state import State

app = typer.Typer(help="Look at the configured clusters, and log in to them.", no_args_is_help=True)
NOT_FIT = 3


def complete(incomplete: str) -> list[str]:
    """Names of clusters for the shell's completion; none where the configuration is wrong."""
    from trainsub.places import Places

    with contextlib.suppress(TrainsubError):
        return [name for name in Places().settings().config.clusters if name.startswith(incomplete)]
    return []


@app.command("list")
def list_clusters(ctx: typer.Context, json: Json = False) -> None:
    """List the clusters: the configured ones, and the embedded one. Asks no network."""
    from trainsub.cli import show
    from trainsub.cli.describe import clusters_document

    state: State = ctx.obj
    state.json = json
    with state.client() as client:
        show.clusters(state, clusters_document(client.settings))


Name = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", help="A configured cluster; else the default one.", autocompletion=complete),
]


@app.command("check")
def check(ctx: typer.Context, name: Name = None, json: Json = False) -> None:
    """See whether a cluster can be reached and used; exit code 3 if not."""
    from trainsub.cli import show
    from trainsub.cli.describe import check_document

    state: State = ctx.obj
    state.json = json
    with state.client() as client:
        chosen = client.select(name or state.cluster)
        document = check_document(chosen, client.check_cluster(chosen))
    show.findings(state, document)
    if any(finding.level == "error" for finding in document.findings):
        raise typer.Exit(NOT_FIT)


@app.command("login")
def login(ctx: typer.Context, name: Name = None, json: Json = False) -> None:
    """Log in to a cluster once: password, one-time code, passphrase, all that ssh asks for.

    With transport = "openssh" the connection stays, and later commands use it without asking. With paramiko each
    command logs in by itself, and this only sees whether that works.
    """
    from trainsub.cli import show
    from trainsub.cli.describe import login_document

    state: State = ctx.obj
    state.json = json
    with state.client() as client:
        show.login(state, login_document(client.log_in(name or state.cluster)))


@app.command("logout")
def logout(ctx: typer.Context, name: Name = None) -> None:
    """End the connection that `cluster login`, or a command, has left behind; commands that use it are cut off."""
    state: State = ctx.obj
    with state.client() as client:
        chosen = client.select(name or state.cluster)
        state.tell(f"logged out of {chosen}" if client.log_out(chosen) else f"there was no connection to {chosen}")
