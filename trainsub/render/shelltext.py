"""A template seen as shell text with expressions in it. Pure."""

import re
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
    """Follows shell text and knows whether it stopped where a quoted word would not be itself.

    It knows quotes of all kinds, backslashes, comments, command substitution and here documents, which is what
    templates are written with.
    """

    def __init__(self) -> None:
        self._open: list[str] = []  # of ' $' " ` ( and ((, the innermost last
        self._comment = False
        self._before = "\n"
        self._line = ""  # what is read of this line
        self._documents: list[tuple[str, bool]] = []  # the words that end here documents, and whether tabs may precede
        self._here: list[int] = []  # where << was read on this line
        self._inside = False

    @property
    def quoted(self) -> bool:
        """Whether the next character stands inside quotes, backquotes or a here document."""
        return self._inside or (not self._comment and self._innermost in {"'", "$'", '"', "`"})

    @property
    def escaped(self) -> bool:
        """Whether a backslash or a dollar sign stands right before, which would change what a quote means."""
        return not self._comment and self._before in {"\\", "$"}

    @property
    def comment(self) -> bool:
        """Whether the next character stands in a comment."""
        return self._comment

    @property
    def arithmetic(self) -> bool:
        """Whether the next character stands in ``(( ))``, where bash expands what is in single quotes, too."""
        return not self._comment and "((" in self._open

    @property
    def _innermost(self) -> str:
        return self._open[-1] if self._open else ""

    def read(self, text: str) -> None:
        """Read on."""
        for character in text:
            if self._inside:
                self._document(character)
                continue
            self._step(character)
            # A backslash hides the next character, but not if it is hidden itself.
            hidden = self._before == "\\" and character == "\\" and self._innermost != "'"
            self._before = "" if hidden else character
            self._line = "" if character == "\n" else self._line + character
            self._inside = character == "\n" and bool(self._documents)

    def _begin_documents(self) -> None:
        """Find the words behind << on the line that ends: quoted or not, behind a dash or not; <<< is none."""
        for place in self._here:
            found = _HERE.match(self._line, place)
            if found and self._line[place - 3 : place - 2] != "<":
                self._documents.append((found[2] or found[3] or found[4], bool(found[1])))
        self._here = []

    def _document(self, character: str) -> None:
        if character != "\n":
            self._line += character
            return
        word, tabs = self._documents[0]
        if (self._line.lstrip("\t") if tabs else self._line) == word:
            self._documents.pop(0)
            self._inside = bool(self._documents)
        self._line = ""

    def _step(self, character: str) -> None:
        if self._comment:
            self._comment = character != "\n"
        elif self._innermost == "'":
            if character == "'":
                self._open.pop()
        elif self._before == "\\":
            return
        elif character in "\"'`":
            self._quote(character)
        elif self._innermost not in {"$'", "`"}:
            self._step_unquoted(character)
        if character == "\n":
            self._begin_documents()

    def _quote(self, character: str) -> None:
        inner = self._innermost
        if inner == character or (inner == "$'" and character == "'"):
            self._open.pop()
        elif inner == "$'" or (inner == '"' and character == "'"):
            return
        else:
            self._open.append("$'" if character == "'" and self._before == "$" else character)

    def _step_unquoted(self, character: str) -> None:
        if character == "(" and self._innermost != '"':
            self._open.append("((" if self._before == self._innermost == "(" else "(")
        elif character == "(" and self._before == "$":
            self._open.append("(")
        elif character == ")" and self._innermost in {"(", "(("}:
            self._open.pop()
        elif character == "<" == self._before and self._innermost != '"' and not self.arithmetic:
            self._here.append(len(self._line) + 1)
        elif character == "#" and self._innermost != '"' and self._before in {"\n", " ", "\t", ";"}:
            self._comment = True


_HERE = re.compile(r"""(-?)[ \t]*(?:'([^']+)'|"([^"]+)"|\\?([A-Za-z_][A-Za-z0-9_]*))""")
