"""TOML in and out: places of syntax errors, values of ``--set``, and text that reads back as the same data. Pure."""

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trainsub.errors import RejectedError
from trainsub.spec import toml_errors

_BOM = "\ufeff"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_MUST_ESCAPE = re.compile(r'[\x00-\x1f\x7f"\\]')

# tomllib makes these of what looks like a date or a time; nothing in a spec or a configuration is one.
_TIMES = (dt.date, dt.time)


def read(text: bytes | str, origin: str, error: type[RejectedError]) -> dict[str, Any]:
    """Return the data of a TOML document; a byte order mark and CRLF are fine.

    Args:
        text: The document.
        origin: What errors call it, usually its path.
        error: What is raised.

    Raises:
        RejectedError: It is not UTF-8, or not TOML; as the class ``error``, with line and column.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as wrong:
            raise error(
                f"{origin}: not UTF-8: byte {wrong.start} is 0x{wrong.object[wrong.start]:02x}",
                hint="TOML files are UTF-8; save it in that encoding.",
            ) from None
    text = text.removeprefix(_BOM)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise error(f"{origin}: nested too deeply") from None
    except ValueError as wrong:  # TOMLDecodeError is one, and so is a number of thousands of digits
        place, words, hint = toml_errors.explain(text, str(wrong), key_text)
        raise error(f"{origin}{place}: {words}", hint=hint) from None


def value(raw: str, *, parse_float: Callable[[str], Any] = float) -> Any:  # noqa: ANN401  TOML data is what it is
    """Return what a text from the command line or the environment means: a TOML value, else itself.

    Dates and times stay text, because ``12:00:00`` is a time limit here.

    Args:
        raw: The text.
        parse_float: What makes a value of a number with a fraction.
    """
    try:
        # As a value and as the only item of a list: otherwise "1 # one", "1, 2" or two lines would pass as a value.
        alone = tomllib.loads(f"value = {raw}", parse_float=parse_float)
        listed = tomllib.loads(f"value = [{raw}]", parse_float=parse_float)
    except (ValueError, RecursionError):
        return raw
    if set(alone) != {"value"} or listed != {"value": [alone["value"]]} or isinstance(alone["value"], _TIMES):
        return raw
    return alone["value"]


def write(data: Mapping[str, Any]) -> str:
    """Return a TOML document that reads back as this data; empty tables are left out.

    Args:
        data: Tables of tables, lists of plain values or of flat tables, strings, booleans, integers, finite floats.
    """
    return "".join(_table(data, ())).lstrip("\n")


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {key: one for key, one in table.items() if not isinstance(one, Mapping)}
    lines = [f"\n[{'.'.join(map(key_text, path))}]\n"] if path and plain else []
    lines += [f"{key_text(key)} = {value_text(one)}\n" for key, one in plain.items()]
    for key, one in table.items():
        if isinstance(one, Mapping):
            lines += _table(one, (*path, key))
    return lines


def key_text(key: str) -> str:
    """Return a key as TOML writes it: bare where that is possible."""
    return key if _BARE_KEY.fullmatch(key) else _quote(key)


def value_text(one: object) -> str:
    """Return a plain value, or a list or an inline table of them, as TOML writes it.

    Raises:
        TypeError: TOML has no such value.
    """
    match one:
        case bool():
            return "true" if one else "false"
        case str():
            return _quote(one)
        case int() | float():
            return repr(one)
        case Sequence():
            return f"[{', '.join(map(value_text, one))}]"
        case Mapping():
            return "{" + ", ".join(f"{key_text(key)} = {value_text(item)}" for key, item in one.items()) + "}"
        case _:
            raise TypeError(f"TOML has no value for {one!r}")


def _quote(text: str) -> str:
    return '"' + _MUST_ESCAPE.sub(lambda match: _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}", text) + '"'
