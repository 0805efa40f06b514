"""What is wrong with a template, found without rendering it. Pure."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError, meta, nodes

from trainsub.errors import TemplateError
from trainsub.render.context import NAMES
from trainsub.render.directives import unseen
from trainsub.render.engine import parser
from trainsub.render.layers import BUILT_IN, Template, Templates, literals
from trainsub.render.shelltext import Kind, Piece, ShellReader, pieces, script_lines

_MARKABLE = frozenset({"directives"})
"""Variables that may be marked as shell, because Python made them shell."""

_KEPT: Mapping[str, str] = {
    "fence": "lets no job train twice",
    "record": "tells how the job ended",
}
"""Blocks that may be added to, and not be replaced."""

_NUMBERS = frozenset(
    "cpus_per_gpu cpus_per_task gpus_per_node nodes nproc_per_node ntasks ntasks_per_node ranks_per_task "  # noqa: SIM905
    "threads_per_rank wait world_size".split()
)
"""Variables that can stand where bash counts."""

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
    """Return the problems of a template that can be seen without those that it extends, in the order of its lines.

    Args:
        source: The template's text.
        filename: What the problems call it.
    """
    try:
        tree = parser().parse(source, filename=filename)
        parts = list(pieces(parser(), source))
        unknown = meta.find_undeclared_variables(tree) - NAMES
    except TemplateSyntaxError as error:
        return [Problem(filename, error.lineno, error.message or "syntax error")]
    found = {
        *_characters(source),
        *_names(tree, unknown),
        *_outputs(tree),
        *_filters(tree),
        *_statements(tree),
        *_quoted(parts),
        *_directives(parts),
    }
    return sorted(Problem(filename, line, message) for line, message in found)


def check(template: Template, templates: Templates) -> list[Problem]:
    """Return the problems of a template among all others, in the order of its lines.

    Args:
        template: The template.
        templates: All templates, for those that it extends.
    """
    if template.fault:
        return [Problem(template.path, template.fault_line, template.fault)]
    found = lint(template.text, template.path)
    tree = _tree(template.text)
    if tree is None or template.layer == BUILT_IN:
        return found
    try:
        blocks = {block.name for one in templates.above(template) for block in blocks_of(one.text)}
    except TemplateError as error:
        line = next((one.lineno for one in tree.find_all(nodes.Extends)), 1)
        return sorted([*found, Problem(template.path, line, error.message.removeprefix(f"{template.path}: "))])
    wrong = {*_extends(tree), *_blocks_fit(tree, blocks)}
    return sorted([*found, *(Problem(template.path, line, message) for line, message in wrong)])


def _tree(source: str) -> nodes.Template | None:
    try:
        return parser().parse(source)
    except TemplateSyntaxError:
        return None


def blocks_of(source: str) -> list[nodes.Block]:
    """Return the blocks of a template, nested ones too; none of one that cannot be read."""
    tree = _tree(source)
    return [] if tree is None else list(tree.find_all(nodes.Block))


def _extends(tree: nodes.Template) -> _Found:
    if next(tree.find_all(nodes.Extends), None) is None:
        yield (
            1,
            "extends no template: the fence and the exit record, which every job needs, are in base.sbatch.j2",
        )
    for node in tree.body:
        if isinstance(node, nodes.Output) and any(not _is_blank(part) for part in node.nodes):
            yield _first_line(node), "stands outside of all blocks, where a template that extends another shows nothing"


def _is_blank(part: nodes.Node) -> bool:
    return isinstance(part, nodes.TemplateData) and not part.data.strip()


def _first_line(node: nodes.Output) -> int:
    """The line of the first text in it: a piece of text begins where the former statement ends."""
    part = next(part for part in node.nodes if not _is_blank(part))
    if isinstance(part, nodes.TemplateData):
        return part.lineno + part.data[: len(part.data) - len(part.data.lstrip())].count("\n")
    return part.lineno


def _blocks_fit(tree: nodes.Template, known: set[str]) -> _Found:
    every = list(tree.find_all(nodes.Block))
    inner = {one.name for block in every for one in block.find_all(nodes.Block)}
    for block in every:
        if block.name not in known | inner:
            meant = next(iter(difflib.get_close_matches(block.name, known, n=1)), None)
            yield (
                block.lineno,
                f"no template that this one extends has a block {block.name}"
                + (f"; did you mean {meant}?" if meant else ""),
            )
        if block.name in _KEPT and not any(map(_is_super, block.find_all(nodes.Call))):
            yield block.lineno, f"block {block.name} {_KEPT[block.name]}: keep {{{{ super() | shell }}}} in it"


def _is_super(node: nodes.Node | None) -> bool:
    return isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "super"


def _is_own_block(node: nodes.Node | None) -> bool:
    """Whether it is ``self.NAME()``: the text of a block of this template, which is checked where it stands."""
    called = node.node if isinstance(node, nodes.Call) else None
    return isinstance(called, nodes.Getattr) and isinstance(called.node, nodes.Name) and called.node.name == "self"


def _statements(tree: nodes.Template) -> _Found:
    for extends in tree.find_all(nodes.Extends):
        if literals(extends.template) is None:
            yield extends.lineno, "extends takes a file's name in quotes, or one of two by a condition"
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Macro, nodes.CallBlock)):
        yield node.lineno, "templates are put together by extends and blocks only: no include, import, macro or call"
    for node in tree.find_all((nodes.ScopedEvalContextModifier, nodes.FilterBlock, nodes.AssignBlock)):
        yield node.lineno, "autoescape, filter and set blocks change what is quoted already"


def _characters(source: str) -> _Found:
    """Characters that no editor shows. Lines that end as in DOS are fine: jinja2 ends them as they should."""
    line = 1
    for found in re.finditer(r"\r\n|[\r\n\0]", source):
        if found[0] == "\0":
            yield line, "a NUL character, which sbatch refuses"
            continue
        if found[0] == "\r":
            yield line, "a carriage return within the line, which ends it: what follows would be a line of its own"
        line += 1


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
            yield node.lineno, "| shell leaves a value unquoted: only super(), self.NAME() and directives may have it"


def _may_be_shell(node: nodes.Node | None) -> bool:
    return _is_super(node) or _is_own_block(node) or (isinstance(node, nodes.Name) and node.name in _MARKABLE)


def _quoted(parts: list[Piece]) -> _Found:
    reader = ShellReader()
    for part in parts:
        if part.kind is Kind.EXPRESSION and reader.quoted:
            yield part.line, f"{{{{ {part.text} }}}} is inside quotes or a here document, where its own quotes do harm"
        elif part.kind is Kind.EXPRESSION and reader.comment and "lines" in map(str.strip, part.text.split("|")):
            yield part.line, f"{{{{ {part.text} }}}} is in a comment, which ends with the first of its lines"
        elif part.kind is Kind.EXPRESSION and reader.escaped:
            yield part.line, f"{{{{ {part.text} }}}} stands right behind a backslash or $, which spoils its quotes"
        elif part.kind is Kind.EXPRESSION and reader.arithmetic and part.text not in _NUMBERS:
            yield part.line, f"{{{{ {part.text} }}}} is text within (( )), where bash evaluates it once more"
        reader.read(part.printed)


def _directives(parts: list[Piece]) -> _Found:
    for block in _blocks(parts):
        command = 0
        for line, text in script_lines(block):
            if command and text.startswith("#SBATCH"):
                yield line, f"sbatch reads no directive after the first command (line {command})"
            if not command and (wrong := unseen(text)):
                yield line, wrong
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
