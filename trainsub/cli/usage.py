"""``trainsub usage``."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from trainsub.cli.arguments import Json, Runs
from trainsub.errors import UsageError

if TYPE_CHECKING:
    from trainsub.cli.state import State


def usage(
    ctx: typer.Context,
    runs: Runs = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only runs submitted since: 2026-11-01, or 2026-11-01T12:00:00Z.")
    ] = None,
    cached: Annotated[bool, typer.Option("--cached", help="Ask no cluster; sum what is known.")] = False,
    json: Json = False,
) -> None:
    """Show GPU-seconds from Slurm's records, and what they cost."""
    from trainsub.cli import show

    state: State = ctx.obj
    state.json = json
    with state.client() as client:
        report = client.usage(runs or (), since=_moment(since), cached=cached)
        for cluster, error in report.unasked.items():
            state.tell(f"cluster {cluster} could not be asked, the figures are older: {error.message}")
        show.usage(state, report.document)
    show.end_unasked(report.unasked, named=bool(runs))


def _moment(text: str | None) -> datetime | None:
    """A date or a time; without a zone it is local."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--since {text!r} is not a date", hint="Write it like 2026-11-01 or 2026-11-01T12:00:00Z."
        ) from None
    return moment.astimezone(UTC)
