"""``trainsub hold``, ``trainsub release`` and ``trainsub requeue``."""

from typing import TYPE_CHECKING

import typer

from trainsub.cli.arguments import Json, SomeRuns

if TYPE_CHECKING:
    from trainsub.cli.state import State
    from trainsub.slurm.scontrol import Order


def hold(ctx: typer.Context, runs: SomeRuns, json: Json = False) -> None:
    """Keep runs that wait from starting; one that runs goes on, and would not start again after a requeue."""
    _control(ctx.obj, "hold", runs, json=json)


def release(ctx: typer.Context, runs: SomeRuns, json: Json = False) -> None:
    """Let runs start that are held; not those that an administrator holds."""
    _control(ctx.obj, "release", runs, json=json)


def requeue(ctx: typer.Context, runs: SomeRuns, json: Json = False) -> None:
    """Stop runs and put them back into the queue; what they did since their last checkpoint is lost."""
    _control(ctx.obj, "requeue", runs, json=json)


def _control(state: "State", order: "Order", runs: list[str], *, json: bool) -> None:
    from trainsub.cli import show

    state.json = json
    with state.client() as client:
        done = {"hold": client.hold, "release": client.release, "requeue": client.requeue}[order](runs)
        for one in done:
            state.tell(f"run {one.run.run}: {one.words}")
        show.runs(state, [one.run for one in done])
