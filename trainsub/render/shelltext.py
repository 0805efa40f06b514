"""A template seen as shell text with expressions in it. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from jinja2 import Environment


class Kind(Enum):
    """What a piece of a template is."""

    TEXT = "text"
    EXPRESSION = "expression"
    STATEMENT = "statement"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a template.

    Attributes:
        kind: Text of the script, an expression, or a statement of jinja2.
        line: Where it begins, from 1.
        text: The text, or what is between the braces.
    """

    kind: Kind
    line: int
    text: str

    @property
    def printed(self) -> str:
        """What the script has in its place; of an expression only whether it makes directives."""
        if self.kind is Kind.EXPRESSION:
            return "#SBATCH" if self.text in {"directives", "super() | shell"} else "x"
        return self.text if self.kind is Kind.TEXT else ""


_BEGIN = {"variable_begin": Kind.EXPRESSION, "block_begin": Kind.STATEMENT}
_END = frozenset({"variable_end", "block_end"})


def pieces(environment: Environment, source: str) -> Iterator[Piece]:
    """Yield the pieces of a template; comments of jinja2 are left out."""
    kind, line, inside = Kind.TEXT, 1, ""
    for number, part, text in environment.lex(source):
        if part in _BEGIN:
            kind, line, inside = _BEGIN[part], number, ""
        elif part in _END:
            yield Piece(kind, line, inside.strip())
            kind = Kind.TEXT
        elif kind is not Kind.TEXT:
            inside += text
        elif part == "data":
            yield Piece(Kind.TEXT, number, text)


def script_lines(parts: Iterable[Piece]) -> Iterator[tuple[int, str]]:
    """Yield the lines of the script, each with its line in the template."""
    line, text = 1, ""
    for part in parts:
        line = line if text else part.line
        for index, chunk in enumerate(part.printed.split("\n")):
            if index:
                yield line, text
                line, text = part.line + index, ""
            text += chunk
    yield line, text


class ShellReader:
    """Follows shell text and knows whether it stopped inside quotes.

    It knows quotes, backslashes, comments and command substitution, which is what templates are written with; here
    documents are read as plain text.
    """

    def __init__(self) -> None:
        self._open: list[str] = []  # of ' " and (, the innermost last
        self._comment = False
        self._before = "\n"

    @property
    def quoted(self) -> bool:
        """Whether the next character stands inside single or double quotes."""
        return not self._comment and self._innermost in {"'", '"'}

    @property
    def _innermost(self) -> str:
        return self._open[-1] if self._open else ""

    def read(self, text: str) -> None:
        """Read on."""
        for character in text:
            self._step(character)
            # A backslash hides the next character, but not if it is hidden itself.
            hidden = self._before == "\\" and character == "\\" and self._innermost != "'"
            self._before = "" if hidden else character

    def _step(self, character: str) -> None:
        if self._comment:
            self._comment = character != "\n"
        elif self._innermost == "'":
            if character == "'":
                self._open.pop()
        elif self._before == "\\":
            return
        elif character == '"' and self._innermost == '"':
            self._open.pop()
        elif character == '"' or (character == "'" and self._innermost != '"'):
            self._open.append(character)
        else:
            self._step_unquoted(character)

    def _step_unquoted(self, character: str) -> None:
        if character == "(" and (self._before == "$" or self._innermost == "("):
            self._open.append("(")
        elif character == ")" and self._innermost == "(":
            self._open.pop()
        elif character == "#" and self._innermost != '"' and self._before in {"\n", " ", "\t", ";"}:
            self._comment = True
