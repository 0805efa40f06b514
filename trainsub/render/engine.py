"""The jinja2 environment in which every expression quotes itself for bash. Pure, but for reading packaged templates.

Templates come with a clone, too, and are rendered on the user's own machine, where plain jinja2 would let them run any
Python. So the environment is jinja2's sandbox, and what no template needs is not in it.
"""

import shlex
from collections.abc import Callable, Iterable

from jinja2 import BaseLoader, Environment, StrictUndefined, Undefined
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trainsub.render import bounds

SUFFIX = ".sbatch.j2"

_WIDTH = 110
"""Columns that the words of a line may take; a longer word has a line of its own."""

_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Shell(str):
    """Text that is shell already and is rendered as it is."""

    __slots__ = ()


def quote(value: object) -> str:
    """Return the shell words that bash reads as exactly this value.

    Args:
        value: A string, an integer or a float is one word; a list or tuple is one word for each item; ``Shell`` is
            itself.

    Raises:
        TypeError: There is no obvious word for such a value (None, a boolean, a mapping).
    """
    if isinstance(value, Shell):
        return str(value)
    if isinstance(value, Undefined):
        return str(value)  # raises UndefinedError, which names the variable
    if isinstance(value, list | tuple):
        return " ".join(quote(item) for item in value)
    if isinstance(value, str):
        return _word(str.__str__(value))  # a subclass, such as jinja2's Markup, may have its own idea of +
    if isinstance(value, int | float) and not isinstance(value, bool):
        return shlex.quote(str(value))
    raise TypeError(f"{value!r} cannot be written into a shell script")


def home(path: str) -> str:
    """Return a path on the cluster as the script writes it: ``~/`` becomes the home directory there."""
    return Shell('"$HOME"/' + quote(path[2:])) if path.startswith("~/") else path


def lines(words: Iterable[object]) -> Shell:
    """Return the words of a command for the end of it: several lines, where one would be long.

    Args:
        words: What ``quote`` takes; a string is one word.

    Raises:
        TypeError: There is no obvious word for one of them.
    """
    rows: list[str] = []
    for word in map(quote, [words] if isinstance(words, str) else words):
        if rows and len(rows[-1]) + len(word) < _WIDTH:
            rows[-1] += f" {word}"
        else:
            rows.append(word)
    return Shell(" \\\n    ".join(rows))


def _word(text: str) -> str:
    # Control characters are escaped: one argument stays on one line, and sbatch refuses scripts with carriage returns.
    if any(character < " " or character in "'\x7f" for character in text):
        return "$'" + "".join(_escape(character) for character in text) + "'"
    return f"'{text}'" if text.startswith("=") else shlex.quote(text)  # A==b would look like a comparison


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\{ord(character):03o}" if character < " " or character == "\x7f" else character


class _Engine(ImmutableSandboxedEnvironment):
    """Autoquoting, strict, bounded, and laid out line by line."""

    intercepted_binops = frozenset({"%", "*", "**"})

    def __init__(self, loader: BaseLoader | None, parent: Callable[[str, str], str] | None) -> None:
        super().__init__(
            loader=loader,
            finalize=quote,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self.globals.clear()
        self.filters["shell"] = Shell
        self.filters["lines"] = lines
        for name in _HTML:
            del self.filters[name]
        for name in bounds.PADDING_FILTERS:
            self.filters[name] = bounds.padding(name, self.filters[name])
        self._parent = parent

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        """Do what an operator does, unless it would make too much."""
        bounds.operate(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, called: object, /, *args: object, **kwargs: object) -> object:
        """Call what may be called, unless it would make too much."""
        bounds.call(called, [*args, *kwargs.values()])
        return super().call(context, called, *args, **kwargs)

    def join_path(self, template: str, parent: str) -> str:
        """Say what a template means by the name of the one that it extends."""
        return template if self._parent is None else self._parent(template, parent)


_HTML = ("e", "escape", "forceescape", "pprint", "random", "safe", "striptags", "tojson", "urlize", "xmlattr")
"""Filters that make HTML or something else that is not to be in a script."""


def parser() -> Environment:
    """Return an environment for looking at templates; it finds no other template."""
    return _Engine(None, None)


def environment(loader: BaseLoader, parent: Callable[[str, str], str]) -> Environment:
    """Return a new environment for rendering.

    Args:
        loader: Finds templates.
        parent: Given the name in an ``extends`` and the template in which it stands, returns the loader's name.
    """
    return _Engine(loader, parent)
