"""How much one expression of a template may make. Pure.

A few characters of a template can ask for gigabytes, which would be made before anybody sees how long they are. What
makes long texts of short ones is asked here first: ``*``, ``**`` and ``%``, and filters and methods that pad. Texts
that grow step by step are not, other than by the bound on the whole script.
"""

import re
from collections.abc import Callable, Iterable, Sized
from functools import wraps

from jinja2.exceptions import SecurityError

MOST = 1_000_000
"""Characters of a text, items of a list, bits of a number."""
PADDING_FILTERS = ("center", "format", "indent")
_PADDING = frozenset({"center", "expandtabs", "ljust", "rjust", "zfill"})
_FORMATS = frozenset({"format", "format_map"})
_WIDE_PERCENT = re.compile(r"(?<!%)(?:%%)*%(?:\([^)]*\))?[-#0 +]*(?:\d*\.)?(?:\d{7}|\*)")
_WIDE_BRACES = re.compile(r"\{[^{}]*:[^{}]*(?:\d{7}|\{)")
"""Columns that are many, or that are told elsewhere."""


def operate(operator: str, left: object, right: object) -> None:
    """Refuse an operator that would make too much.

    Args:
        operator: ``*``, ``**`` or ``%``.
        left: What stands left of it.
        right: What stands right of it.

    Raises:
        SecurityError: It would.
    """
    if operator == "%":
        wide = isinstance(left, str) and _WIDE_PERCENT.search(left) is not None
    elif operator == "**":
        wide = isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > MOST
    else:
        wide = _product(left, right) > MOST
    _refuse(operator, wide=wide)


def call(called: object, arguments: Iterable[object]) -> None:
    """Refuse a call of a text's method that would make too much.

    Args:
        called: The method, or anything else that can be called.
        arguments: What it is given.

    Raises:
        SecurityError: It would.
    """
    name = getattr(called, "__name__", "")
    if name in _PADDING:
        _refuse(name, wide=_large(arguments))
    elif name in _FORMATS:  # the sandbox puts a function of its own around it
        text = getattr(getattr(called, "__wrapped__", called), "__self__", "")
        _refuse(name, wide=_WIDE_BRACES.search(str(text)) is not None)


def padding(name: str, function: Callable[..., str]) -> Callable[..., str]:
    """Return a filter that refuses to make too much.

    Args:
        name: One of ``PADDING_FILTERS``.
        function: What jinja2 has by that name.
    """

    @wraps(function)
    def bounded(*args: object, **kwargs: object) -> str:
        if name == "format":
            _refuse(name, wide=_WIDE_PERCENT.search(str(args[0])) is not None)
        else:
            _refuse(name, wide=_large([*args, *kwargs.values()]))
        return function(*args, **kwargs)

    return bounded


def _product(left: object, right: object) -> int:
    if isinstance(left, int) and isinstance(right, int):
        return left.bit_length() + right.bit_length()
    if isinstance(left, Sized) and isinstance(right, int):
        return len(left) * right
    return len(right) * left if isinstance(left, int) and isinstance(right, Sized) else 0


def _large(values: Iterable[object]) -> bool:
    return any(isinstance(value, int) and value > MOST for value in values)


def _refuse(what: str, *, wide: bool) -> None:
    if wide:
        raise SecurityError(f"{what} makes more than {MOST} characters")
