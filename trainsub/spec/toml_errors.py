"""What tomllib says of a document, in words for whoever wrote it, with the place and the key. Pure."""

import ast
import re
import tomllib
from collections.abc import Callable

_PLACE = re.compile(r"(.*) \((?:at line ([0-9]+), column ([0-9]+)|at end of document)\)", re.DOTALL)
# What tomllib says of a value without quotes.
_VALUE_REASONS = frozenset({"Invalid value", "Expected newline or end of document after a statement"})
_QUOTES_HINT = 'Text needs quotes: time = "12:00:00".'

_TWICE = re.compile(r"Cannot declare (\(.*\)) twice|Duplicate inline table key (.*)", re.DOTALL)
_CLOSED = re.compile(r"Cannot (?:mutate immutable|redefine) namespace (\(.*\))", re.DOTALL)
_OVERWRITE = "Cannot overwrite a value"
_TOO_LONG = re.compile(r"Exceeds the limit \([0-9]+ digits\).*value has ([0-9]+) digits.*", re.DOTALL)
_DIGITS = re.compile(r"[0-9](?:_?[0-9])*")

_KEY = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_.-]|[ \t])+"""
_HEAD = re.compile(rf"[ \t]*\[{{0,2}}({_KEY})")
_ASSIGNMENT = re.compile(rf"({_KEY})=")
_LINES_OF_A_VALUE = 200
"""Longer values are not searched for their beginning."""


def explain(text: str, message: str, key_text: Callable[[str], str]) -> tuple[str, str, str | None]:
    """Return where an error is, what it is, and what to do.

    Args:
        text: The document.
        message: What tomllib said of it.
        key_text: Writes a key as TOML does.

    Returns:
        The place as ``:line:column``, empty if that is not known; the words; the hint.
    """
    if too_long := _TOO_LONG.fullmatch(message):
        return _huge(text, int(too_long[1]))
    match = _PLACE.fullmatch(message)
    if match is None:
        return "", message, None
    reason, line, column = match.groups()
    lines = text.split("\n")
    if line is None:
        line, column = str(len(lines)), str(len(lines[-1]) + 1)
    place = f":{line}:{column}"
    if reason == _OVERWRITE:
        return place, f"{_key_of(lines, int(line)) or 'a key'} is there twice", None
    if twice := _TWICE.fullmatch(reason):
        return place, f"{_dotted(twice[1] or twice[2], key_text)} is there twice", None
    if closed := _CLOSED.fullmatch(reason):
        return place, f"{_dotted(closed[1], key_text)} is there already, and nothing can be added to it", None
    return place, reason, _QUOTES_HINT if reason in _VALUE_REASONS else None


def _huge(text: str, digits: int) -> tuple[str, str, str | None]:
    """Find the integer that Python does not read; tomllib does not say where it is."""
    matches = [match.start() for match in _DIGITS.finditer(text) if len(match[0].replace("_", "")) == digits]
    before = text[: matches[0]] if matches else ""
    lines = before.split("\n")
    keys = [key[1].strip() for line in lines if (key := _ASSIGNMENT.match(line))]
    name = f"{keys[-1]}: " if keys else ""
    return f":{len(lines)}:{len(lines[-1]) + 1}", f"{name}an integer of {digits} digits", "No setting is that large."


def _key_of(lines: list[str], last: int) -> str | None:
    """Return the key of the statement that ends in a line; its value may have begun above."""
    for first in range(last, max(0, last - _LINES_OF_A_VALUE), -1):
        statement = "\n".join(lines[first - 1 : last])
        try:
            tomllib.loads(statement)
        except ValueError:
            continue
        head = _HEAD.match(statement)
        return head[1].strip() if head else None
    return None


def _dotted(key: str, key_text: Callable[[str], str]) -> str:
    """Write a key that tomllib shows as Python does: ``('a', 'b')``."""
    found = ast.literal_eval(key)
    return ".".join(map(key_text, [found] if isinstance(found, str) else found))
