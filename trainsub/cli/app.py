"""The app: its verbs, the options before them, and the one place where errors become exit codes."""

import atexit
import contextlib
import gc
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from trainsub.cli import (
    INTERRUPTED,
    cancel,
    cluster,
    config,
    control,
    end_quietly,
    logs,
    render,
    retry,
    sandbox,
    status,
    submit,
    sync,
    template,
    usage,
    wait,
)
from trainsub.cli.state import State
from trainsub.errors import TrainsubError, UsageError

TERMINATED = 143
BROKEN_PIPE = 141
JSON = "--json"


class Terminated(BaseException):
    """SIGTERM arrived. Not an Exception, so that no handler on the way swallows it."""


class ErrorGroup(TyperGroup):
    """The one error boundary: an error's class is its exit code, and its words go where they are looked for."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 -- its own context class is private to typer
        """Run the verb."""
        state = State()
        ctx.obj = state
        try:
            if signal.getsignal(signal.SIGINT) is end_quietly:  # from here on, an interrupt has something to say
                signal.signal(signal.SIGINT, _on_interrupt)
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
        except OSError as error:
            if error.filename is not None:
                raise  # a file that nobody expected to fail: a bug, and not the output's fault
            raise typer.Exit(_output_failed(error)) from None
        except Exception as error:
            said = _usage_words(error)
            if said is None or JSON not in sys.argv:
                raise
            state.json = True
            state.show_error(said)
            raise typer.Exit(said.exit_code) from None


def _usage_words(error: Exception) -> UsageError | None:
    """What typer would say of a wrong command line. Its exceptions are private to it, so they are known by form."""
    words = getattr(error, "format_message", None)
    return UsageError(words(), hint="See --help.") if callable(words) else None


def _output_failed(error: OSError) -> int:
    """Say that the output cannot be written, and return the exit code; quietly if its reader has seen enough."""
    with contextlib.suppress(OSError):
        # What is still in the buffer goes nowhere: Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE
    State().show_error(TrainsubError(f"the output cannot be written: {error.strerror or error}"))
    return TrainsubError.exit_code


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
        str | None,
        typer.Option(
            "--cluster",
            "-c",
            metavar="NAME",
            help="The cluster to use; else the default one.",
            autocompletion=cluster.complete,
        ),
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
app.command("hold")(control.hold)
app.command("release")(control.release)
app.command("requeue")(control.requeue)
app.command("retry")(retry.retry)
app.command("usage")(usage.usage)
app.command("sync")(sync.sync)
app.add_typer(cluster.app, name="cluster")
app.add_typer(config.app, name="config")
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(template.app, name="template")


def _on_term(_number: int, _frame: FrameType | None) -> None:
    _ignore_more()
    raise Terminated


def _on_interrupt(_number: int, _frame: FrameType | None) -> None:
    _ignore_more()
    signal.signal(signal.SIGINT, end_quietly)  # a person who presses it once more does not want to wait
    raise KeyboardInterrupt


def _ignore_more() -> None:
    """What is being said and closed is not broken off: shells and batch systems signal a group, and then each of it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _slim() -> None:
    """Save what only costs time in a process that does one thing and ends."""
    # paramiko loads invoke for `Match exec` in its own reading of SSH settings, which is not used.
    sys.modules.setdefault("invoke", None)  # type: ignore[arg-type] # what Python documents for "not to be found"
    # Loading modules makes many objects and no garbage: Python would look for some a hundred times.
    gc.set_threshold(100_000)
    # At the end it would look once more at every object there is, for longer than a short command works.
    atexit.register(gc.freeze)


def _occupy_streams() -> None:
    """Open what the caller has closed of the standard streams: the next file would become one of them.

    stdout is opened to fail: output that nobody gets is an error, as on a full disk; talk on stderr may be unwanted.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR if number != 1 else os.O_RDONLY)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 -- for the whole life


def run() -> None:
    """Run the command line."""
    _occupy_streams()
    _slim()
    signal.signal(signal.SIGTERM, _on_term)
    try:
        _run_app()
    except SystemExit as end:
        if threading.active_count() > 1 and isinstance(end.code, int | None):
            # What still loads or connects in the background is not waited for. Some libraries abort the process when
            # Python is taken down under a thread that is inside them, so it is not taken down.
            with contextlib.suppress(OSError):
                sys.stderr.flush()
            os._exit(end.code or 0)
        raise


def _run_app() -> None:
    try:
        app()
    except OSError as error:  # of the help, which is written before any verb runs
        if error.filename is not None:
            raise
        sys.exit(_output_failed(error))
    finally:
        try:
            sys.stdout.flush()
        except OSError as error:
            sys.exit(_output_failed(error))
