"""The jinja2 environment in which every expression quotes itself for bash. Pure, but for reading packaged templates."""

import shlex
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined, TemplateNotFound, Undefined

SUFFIX = ".sbatch.j2"

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
        return _word(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return shlex.quote(str(value))
    raise TypeError(f"{value!r} cannot be written into a shell script")


def _word(text: str) -> str:
    # Control characters are escaped: one argument stays on one line, and sbatch refuses scripts with carriage returns.
    if any(character < " " or character in "'\x7f" for character in text):
        return "$'" + "".join(_escape(character) for character in text) + "'"
    return shlex.quote(text)


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\{ord(character):03o}" if character < " " or character == "\x7f" else character


def directory() -> Path:
    """Return where the built-in templates are: in the installed package, else in the checkout."""
    packaged = Path(str(files("trainsub"))) / "_templates"
    return packaged if packaged.is_dir() else packaged.parent.parent / "templates"


def names() -> list[str]:
    """Return the names of the built-in templates that can be rendered."""
    return sorted(name for path in directory().glob(f"*{SUFFIX}") if (name := path.name.removesuffix(SUFFIX)) != "base")


def _load(filename: str) -> tuple[str, str, None]:
    path = directory() / filename
    if not path.is_file():
        raise TemplateNotFound(filename)
    return path.read_text(encoding="utf-8"), str(path), None


def environment() -> Environment:
    """Return a new environment: autoquoting, strict, and laid out line by line."""
    made = Environment(  # noqa: S701  # the output is shell, not HTML: finalize quotes it
        loader=FunctionLoader(_load),
        finalize=quote,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["shell"] = Shell
    return made
