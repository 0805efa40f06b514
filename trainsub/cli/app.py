"""The app: its verbs, the options before them, and the one place where errors become exit codes."""

import atexit
import contextlib
import gc
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from trainsub.cli import cancel, cluster, config, logs, render, sandbox, status, submit, usage, wait
from trainsub.cli.state import State
from trainsub.errors import TrainsubError

INTERRUPTED = 130
TERMINATED = 143
BROKEN_PIPE = 141


class Terminated(BaseException):
    """SIGTERM arrived. Not an Exception, so that no handler on the way swallows it."""


class ErrorGroup(TyperGroup):
    """The one error boundary: an error's class is its exit code, and its words go where they are looked for."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 -- its own context class is private to typer
        """Run the verb."""
        state = State()
        ctx.obj = state
        try:
            return super().invoke(ctx)
        except TrainsubError as error:
            state.show_error(error)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            state.say_interrupted("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except Terminated:
            state.say_interrupted("terminated")
            raise typer.Exit(TERMINATED) from None
        except BrokenPipeError:
            # Whoever read our output has seen enough. Python would complain once more at exit without this.
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(BROKEN_PIPE) from None


app = typer.Typer(
    cls=ErrorGroup,
    help="Submit distributed PyTorch training to Slurm over SSH, exactly once, and know what it cost.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich's help costs 60 ms at every start
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:  # noqa: FBT001 -- typer calls it so
    if wanted:
        from trainsub import __version__

        typer.echo(f"trainsub {__version__}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="The user's configuration file.")
    ] = None,
    cluster_name: Annotated[
        str | None, typer.Option("--cluster", "-c", metavar="NAME", help="The cluster to use; else the default one.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what is done on the clusters.")] = False,
    version: Annotated[  # noqa: ARG001 -- handled by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Take the options before the verb."""
    state: State = ctx.obj
    state.config_file, state.cluster, state.verbose = config_file, cluster_name, verbose


app.command("render")(render.render)
app.command("submit")(submit.submit)
app.command("status")(status.status)
app.command("wait")(wait.wait)
app.command("logs")(logs.logs)
app.command("cancel")(cancel.cancel)
app.command("usage")(usage.usage)
app.add_typer(cluster.app, name="cluster")
app.add_typer(config.app, name="config")
app.add_typer(sandbox.app, name="sandbox")


def _on_term(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def _slim() -> None:
    """Save what only costs time in a process that does one thing and ends."""
    # paramiko loads invoke for `Match exec` in its own reading of SSH settings, which is not used.
    sys.modules.setdefault("invoke", None)  # type: ignore[arg-type] # what Python documents for "not to be found"
    # Loading modules makes many objects and no garbage: Python would look for some a hundred times.
    gc.set_threshold(100_000)
    # At the end it would look once more at every object there is, for longer than a short command works.
    atexit.register(gc.freeze)


def main() -> None:
    """Entry point of the ``trainsub`` command."""
    _slim()
    signal.signal(signal.SIGTERM, _on_term)
    app()
