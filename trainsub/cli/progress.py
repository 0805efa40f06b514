"""A bar for what takes long, on a terminal and nowhere else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SMALL = 1 << 20
"""Bytes that need no bar."""


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
