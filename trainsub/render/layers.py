"""Templates in layers: which one a name means, and which one it extends. Pure: is given texts, reads no file.

There is one rule. A name means the template of the highest layer that has one of that name; inside a template, its own
name means the one in the next layer below. So a template changes some blocks of the one that it replaces, and a
site's ``base.sbatch.j2`` counts for every kind of launch.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from jinja2 import TemplateSyntaxError, nodes

from trainsub.errors import TemplateError
from trainsub.render.engine import SUFFIX, parser

LayerName = Literal["built-in", "site", "user", "project", "spec"]
BUILT_IN: LayerName = "built-in"
SPEC: LayerName = "spec"
LAYERS: tuple[LayerName, ...] = (BUILT_IN, "site", "user", "project", SPEC)
"""Lowest first."""
HIDDEN = frozenset({"base", "own"})
"""Templates that are for extending; no spec names them."""


@dataclass(frozen=True, slots=True)
class Template:
    """One template.

    Attributes:
        name: Its file's name without ``.sbatch.j2``.
        layer: One of ``LAYERS``.
        path: Where it was read.
        text: Its text; empty where it cannot be read.
        fault: Why it cannot be read, which matters to those who use it; empty where it was.
        fault_line: Where in the file that is, from 1.
    """

    name: str
    layer: LayerName
    path: str
    text: str
    fault: str = ""
    fault_line: int = 1

    @property
    def key(self) -> str:
        """What it is called where all layers have to be told apart, and in the script's header."""
        return self.name if self.layer == BUILT_IN else f"{self.layer}/{self.name}"


class Templates:
    """All templates there are.

    Args:
        found: The templates; of each layer, at most one of a name.
        of_spec: The one among them that a spec names by its path.
    """

    def __init__(self, found: Iterable[Template], of_spec: Template | None = None) -> None:
        self._all = sorted(found, key=lambda one: LAYERS.index(one.layer), reverse=True)
        self.of_spec = of_spec

    def __iter__(self) -> Iterator[Template]:
        """Those that a name can mean, by name."""
        return iter(sorted({one.name: one for one in reversed(self._all)}.values(), key=lambda one: one.name))

    def names(self) -> list[str]:
        """Return the names that a spec can give."""
        return [one.name for one in self if one.name not in HIDDEN]

    def hint(self) -> str:
        """Return what to tell somebody who gave another name."""
        return f"There are: {', '.join(self.names())}."

    def stack(self, name: str) -> list[Template]:
        """Return the templates of a name, highest layer first."""
        return [one for one in self._all if one.name == name]

    def with_spec(self, template: Template) -> "Templates":
        """Return these and the one that a spec names by its path; if it is here already, it stays in its own layer.

        Args:
            template: Of the layer ``SPEC``.
        """
        known = self.at(template.path)
        return Templates(self._all, known) if known else Templates([template, *self._all], template)

    @property
    def meant(self) -> Template:
        """The one that a spec names by its path.

        Raises:
            TemplateError: It was not read.
        """
        if self.of_spec is None:
            raise TemplateError("the template at the spec's path was not read", hint="Client.plan reads it.")
        return self.of_spec

    def at(self, path: str) -> Template | None:
        """Return the template that was read at a path."""
        return next((one for one in self._all if one.path == path), None)

    def named(self, name: str) -> Template:
        """Return the template that a name means.

        Raises:
            TemplateError: There is none.
        """
        stack = self.stack(name)
        if not stack:
            raise TemplateError(f"there is no template {name!r}", hint=self.hint())
        return stack[0]

    def parent(self, child: Template, filename: str) -> Template:
        """Return the template that another one means by a file's name.

        Args:
            child: The template that extends it.
            filename: Such as ``torchrun.sbatch.j2``.

        Raises:
            TemplateError: There is none.
        """
        name = filename.removesuffix(SUFFIX)
        stack = self.stack(name) if filename.endswith(SUFFIX) else []
        below = stack[stack.index(child) + 1 :] if child in stack else stack
        if below:
            return below[0]
        if child in stack:
            raise TemplateError(f"{child.path}: extends {filename}, and no layer below has one of that name")
        every = ", ".join(f"{one.name}{SUFFIX}" for one in self)
        raise TemplateError(
            f"{child.path}: extends {filename!r}, and there is no such template", hint=f"There are: {every}."
        )

    def above(self, template: Template) -> list[Template]:
        """Return all that a template may extend, in any of its branches: parents, their parents, and so on.

        Raises:
            TemplateError: One is not there, it or one of them cannot be read, or one extends itself in a circle.
        """
        if template.fault:
            raise TemplateError(f"{template.path}: {template.fault}", hint="Put it right, or take it away.")
        found: list[Template] = []
        self._climb(template, (template,), found)
        return found

    def _climb(self, template: Template, way: tuple[Template, ...], found: list[Template]) -> None:
        for filename in extended(template):
            parent = self.parent(template, filename)
            if parent in way:
                circle = " extends ".join(one.key for one in (*way[way.index(parent) :], parent))
                raise TemplateError(f"{template.path}: extends itself in a circle: {circle}")
            if parent.fault:
                raise TemplateError(f"{template.path}: extends {filename}, and {parent.path}: {parent.fault}")
            if parent not in found:
                found.append(parent)
            self._climb(parent, (*way, parent), found)


def extended(template: Template) -> list[str]:
    """Return the names of the files that a template may extend; more than one where it chooses between them."""
    try:
        tree = parser().parse(template.text)
    except TemplateSyntaxError:  # told by whoever needs more of it
        return []
    return [name for statement in tree.find_all(nodes.Extends) for name in literals(statement.template) or ()]


def literals(node: nodes.Node | None) -> list[str] | None:
    """Return the texts that an expression can be; None if that cannot be told from looking at it."""
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, nodes.CondExpr):
        branches = [literals(node.expr1), literals(node.expr2)]
        return None if None in branches else [text for one in branches for text in one or ()]
    return None
