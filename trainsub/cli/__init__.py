"""The command line: it parses, calls one method of Client, and prints. typer's and rich's one door.

Heavy imports happen inside the functions that need them, so that ``trainsub --help`` is quick.
"""

from trainsub.cli.app import main

__all__ = ["main"]
