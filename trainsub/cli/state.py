"""What the options before the verb said, and talking: stdout is data, stderr is talk."""

import sys
from typing import TYPE_CHECKING, TextIO

import typer

from trainsub.cli.words import visible
from trainsub.errors import TrainsubError

if TYPE_CHECKING:
    from pathlib import Path

    from trainsub.cli.table import Table
    from trainsub.client import Client
    from trainsub.documents.models import Document
    from trainsub.places import Places
    from trainsub.transport import Ask


class State:
    """One invocation of the command line."""

    def __init__(self) -> None:
        self.config_file: Path | None = None
        self.cluster: str | None = None
        self.verbose = False
        self.json = False
        self.interrupted_hint: str | None = None
        """What a person who presses Ctrl-C should know, for instance that the job goes on."""

    def places(self) -> "Places":
        """Where files lie."""
        from trainsub.places import Places

        return Places(config_file=self.config_file)

    def client(self) -> "Client":
        """The library, as the options say."""
        from trainsub.client import Client

        if self.verbose:
            self._log_to_stderr()
        return Client(cluster=self.cluster, places=self.places(), tell=self.tell, ask=self._asker())

    def tell(self, line: str) -> None:
        """Say something to the person, on stderr."""
        typer.echo(f"trainsub: {visible(line, lines=True)}", err=True)

    def dump(self, document: "Document") -> None:
        """Print a document."""
        from trainsub.documents.models import dump

        typer.echo(dump(document))

    def print_table(self, table: "Table") -> None:
        """Print a table: to fit the terminal, or as wide as it takes where there is none."""
        import shutil

        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else None
        sys.stdout.write("".join(f"{line}\n" for line in table.lines(width=width, colour=_colourful(sys.stdout))))
        sys.stdout.flush()  # before what is told on stderr next

    def show_error(self, error: TrainsubError) -> None:
        """Say what happened, where, and what to do next."""
        if self.json:
            from trainsub.documents.models import dump, error_document

            typer.echo(dump(error_document(error)))
            return
        style = {"fg": "red", "bold": True} if _colourful(sys.stderr) else {}
        label = typer.style("error: ", **style)  # type: ignore[arg-type]
        typer.echo(label + visible(error.message, lines=True), err=True, color=_colourful(sys.stderr))
        if error.hint:
            typer.echo(f"hint: {visible(error.hint, lines=True)}", err=True)

    def say_interrupted(self, word: str) -> None:
        """Say what an interruption leaves behind."""
        rest = f": {self.interrupted_hint}" if self.interrupted_hint else ""
        typer.echo(f"\ntrainsub: {word}{rest}", err=True)

    def _asker(self) -> "Ask | None":
        """Asks for a secret or a code, where a person sits at the terminal."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None

        def ask(prompt: str, *, echo: bool = False) -> str:
            from getpass import getpass

            prompt = visible(prompt, lines=True)  # a login node's own words
            if echo:
                sys.stderr.write(prompt)
                sys.stderr.flush()
                return sys.stdin.readline().rstrip("\n")
            return getpass(prompt)

        return ask

    def _log_to_stderr(self) -> None:
        import logging

        logging.basicConfig(level=logging.INFO, format="trainsub: %(message)s", stream=sys.stderr)
        logging.getLogger("trainsub").setLevel(logging.DEBUG)
        logging.getLogger("paramiko").setLevel(logging.WARNING)


def _colourful(stream: "TextIO") -> bool:
    """Whether a stream is for a person who likes colours (no-color.org)."""
    import os

    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
