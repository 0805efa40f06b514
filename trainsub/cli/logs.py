"""``trainsub logs``."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from trainsub.cli.arguments import OneRun

if TYPE_CHECKING:
    from trainsub.cli.state import State


def logs(
    ctx: typer.Context,
    run: OneRun,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
) -> None:
    """Show a run's log."""
    import shlex

    state: State = ctx.obj
    with state.client() as client:
        state.interrupted_hint = f"the job goes on; `trainsub cancel {shlex.quote(run)}` stops it" if follow else None
        pour(client.logs(run, follow=follow))
        if follow:
            from trainsub.tracker.outcome import exit_code

            ended = client.status([run], cached=True).runs
            state.tell(f"run {ended[0].run} ended: {ended[0].jobs[-1].state}")
            raise typer.Exit(exit_code(ended))


def pour(chunks: Iterable[bytes]) -> None:
    """Write bytes as they come; a log is whatever the job wrote, not always text."""
    for chunk in chunks:
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
