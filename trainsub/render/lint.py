"""What is wrong with a template, found without rendering it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError, meta, nodes

from trainsub.render.context import NAMES
from trainsub.render.engine import environment
from trainsub.render.shelltext import Kind, Piece, ShellReader, pieces, script_lines

_MARKABLE = frozenset({"directives"})
"""Variables that may be marked as shell, because Python made them shell."""


_Found = Iterator[tuple[int, str]]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something to put right.

    Attributes:
        file: The file name that the caller gave.
        line: Line in it, from 1.
        message: What is wrong, and what would be right.
    """

    file: str
    line: int
    message: str


def lint(source: str, filename: str) -> list[Problem]:
    """Return the problems of a template, in the order of its lines.

    Args:
        source: The template's text.
        filename: What the problems call it.
    """
    try:
        tree = environment().parse(source, filename=filename)
        parts = list(pieces(environment(), source))
        unknown = meta.find_undeclared_variables(tree) - NAMES
    except TemplateSyntaxError as error:
        return [Problem(filename, error.lineno, error.message or "syntax error")]
    found = {*_names(tree, unknown), *_outputs(tree), *_filters(tree), *_quoted(parts), *_late_directives(parts)}
    return sorted(Problem(filename, line, message) for line, message in found)


def _names(tree: nodes.Template, unknown: set[str]) -> _Found:
    for node in tree.find_all(nodes.Name):
        if node.ctx == "load" and node.name in unknown:
            yield node.lineno, f"unknown variable: {node.name}"


def _outputs(tree: nodes.Template) -> _Found:
    for output in tree.find_all(nodes.Output):
        for node in output.nodes:
            if isinstance(node, nodes.Call):
                yield node.lineno, "the result of a call is quoted once more: mark super() with | shell, use no macros"


def _filters(tree: nodes.Template) -> _Found:
    for node in tree.find_all(nodes.Filter):
        if node.name == "shell" and not _may_be_shell(node.node):
            yield node.lineno, "| shell leaves a value unquoted: only super() and directives may be marked"


def _may_be_shell(node: nodes.Node | None) -> bool:
    if isinstance(node, nodes.Call):
        return isinstance(node.node, nodes.Name) and node.node.name == "super"
    return isinstance(node, nodes.Name) and node.name in _MARKABLE


def _quoted(parts: list[Piece]) -> _Found:
    reader = ShellReader()
    for part in parts:
        if part.kind is Kind.EXPRESSION and reader.quoted:
            yield part.line, f"{{{{ {part.text} }}}} is inside quotes, where its own would end them"
        reader.read(part.printed)


def _late_directives(parts: list[Piece]) -> _Found:
    for block in _blocks(parts):
        command = 0
        for line, text in script_lines(block):
            if command and text.startswith("#SBATCH"):
                yield line, f"sbatch reads no directive after the first command (line {command})"
            if not command and text.strip() and not text.lstrip().startswith("#"):
                command = line


def _blocks(parts: list[Piece]) -> list[list[Piece]]:
    """Return what is to be read as one text: in a template that extends another, each block stands elsewhere."""
    blocks: list[list[Piece]] = [[]]
    extends = any(part.kind is Kind.STATEMENT and part.text.startswith("extends") for part in parts)
    for part in parts:
        if extends and part.kind is Kind.STATEMENT and part.text.startswith("block"):
            blocks.append([])
        blocks[-1].append(part)
    return blocks
