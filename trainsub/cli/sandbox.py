"""``trainsub sandbox``."""

from typing import TYPE_CHECKING, Annotated

import typer

from trainsub.cli.arguments import Json
from trainsub.errors import UsageError

if TYPE_CHECKING:
    from trainsub.cli.state import State
    from trainsub.sandbox import SandboxInfo

app = typer.Typer(
    help="A small real Slurm cluster in Docker containers, to learn and to test with.", no_args_is_help=True
)
NOT_UP = 6


@app.command("up")
def up(
    ctx: typer.Context,
    nodes: Annotated[int, typer.Option(min=1, max=64, help="Compute nodes.")] = 2,
    gpus: Annotated[int, typer.Option(min=0, max=16, help="Pretended GPUs on each.")] = 8,
    slurm: Annotated[str, typer.Option(metavar="VERSION", help="22.05, 24.11 or 26.05.")] = "24.11",
    mount: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE:TARGET", help="A folder of this machine that all nodes see, read-only."),
    ] = None,
    json: Json = False,
) -> None:
    """Start the sandbox and add it to the configuration as cluster "sandbox"."""
    from trainsub.sandbox import RELEASES, SandboxSpec

    state: State = ctx.obj
    state.json = json
    if slurm not in RELEASES:
        raise UsageError(f"--slurm {slurm}: there is no sandbox for it", hint=f"There are: {', '.join(RELEASES)}.")
    state.interrupted_hint = "`trainsub sandbox down` removes what was started"
    mounts = tuple(_mount(text) for text in mount or ())
    with state.client() as client:
        info = client.sandbox_up(
            SandboxSpec(client.places.sandbox_name, slurm=slurm, nodes=nodes, gpus_per_node=gpus, mounts=mounts)
        )
    _show(state, info)


@app.command("down")
def down(ctx: typer.Context) -> None:
    """Stop the sandbox and remove all of it."""
    state: State = ctx.obj
    with state.client() as client:
        was_up = client.sandbox_down()
    state.tell("the sandbox is gone" if was_up else "there was no sandbox")


@app.command("status")
def status(ctx: typer.Context, json: Json = False) -> None:
    """Say whether the sandbox runs; exit code 6 if not."""
    state: State = ctx.obj
    state.json = json
    with state.client() as client:
        info = client.sandbox_status()
    if info is not None and not info.complete and not json:
        typer.echo(
            "the sandbox is half started: an `up` is under way, or was interrupted\n"
            "`trainsub sandbox up` starts it anew, `trainsub sandbox down` removes what there is"
        )
    else:
        _show(state, info)
    if info is None or not info.running:
        raise typer.Exit(NOT_UP)


def _show(state: "State", info: "SandboxInfo | None") -> None:
    from trainsub.cli import show
    from trainsub.cli.describe import sandbox_document

    show.sandbox(state, sandbox_document(info))


def _mount(text: str) -> tuple[str, str]:
    """``/data:/data`` as a pair."""
    from pathlib import Path

    source, colon, target = text.partition(":")
    if not colon or not source.startswith("/") or not target.startswith("/"):
        raise UsageError(
            f"--mount {text} is not SOURCE:TARGET with absolute paths", hint="For instance --mount /data:/data."
        )
    if ":" in target or "," in text:
        raise UsageError(
            f"--mount {text}: neither path may have a colon or a comma", hint="Every mount is read-only without a word."
        )
    if not Path(source).exists():
        raise UsageError(
            f"--mount {text}: there is no {source} on this machine", hint="SOURCE is a folder here, TARGET one there."
        )
    return source, target
