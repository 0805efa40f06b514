"""A bar for what takes long, on a terminal and nowhere else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SMALL = 1 << 20
"""Bytes that need no bar."""


FEW = 100
"""So many things need no bar."""


@contextmanager
def count(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show how many of some things are done; nothing for a few, or where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", visible=False)

        def done(now: int, total: int) -> None:
            bar.update(task, completed=now, total=total, visible=total > FEW)

        yield done


@contextmanager
def upload(size: int) -> Iterator[Callable[[int, int], None] | None]:
    """Show how much of the code was sent; nothing for small code, or where stderr is no terminal."""
    if size < SMALL or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("sending the code"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=size, visible=False)

        def sent(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        yield sent
