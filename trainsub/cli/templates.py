"""What is told of templates: tables and texts for people, documents for machines."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import typer

from trainsub.cli.table import Table
from trainsub.cli.words import home_path
from trainsub.documents import models
from trainsub.documents import templates as documents
from trainsub.render import HIDDEN, Problem, Template, Templates
from trainsub.render.lint import blocks_of

if TYPE_CHECKING:
    from trainsub.cli.state import State


def listed(state: "State", templates: Templates) -> None:
    """All templates."""
    document = documents.TemplatesDocument(
        schema=models.SCHEMA, templates=[_named(templates, one) for one in templates]
    )
    if state.json:
        state.dump(document)
        return
    table = Table("NAME", "LAYER", "PATH", "")
    for named in document.templates:
        told = named.problem or ("to extend only" if named.extend_only else "")
        table.add(named.name, named.layer, home_path(named.path), told)
        for below in named.overridden:
            told = f"overridden; {below.problem}" if below.problem else "overridden"
            table.add("", below.layer, home_path(below.path), told)
    state.print_table(table)


def _named(templates: Templates, one: Template) -> documents.TemplateDocument:
    return documents.TemplateDocument(
        name=one.name,
        layer=one.layer,
        path=one.path,
        extend_only=one.name in HIDDEN,
        problem=one.fault or None,
        overridden=[
            documents.OverriddenTemplateDocument(
                name=other.name, layer=other.layer, path=other.path, problem=other.fault or None
            )
            for other in templates.stack(one.name)[1:]
        ],
    )


def _part(one: Template) -> documents.TemplatePartDocument:
    return documents.TemplatePartDocument(name=one.name, layer=one.layer, path=one.path)


def one(state: "State", templates: Templates, name: str, what: Literal["", "source", "blocks"]) -> None:
    """One template."""
    template = templates.named(name)
    above = templates.above(template)
    document = documents.OneTemplateDocument(
        schema=models.SCHEMA,
        name=template.name,
        layer=template.layer,
        path=template.path,
        extends=[_part(parent) for parent in above],
        blocks=list(_blocks([template, *above])),
        source=template.text,
    )
    if state.json:
        state.dump(document)
    elif what == "source":
        typer.echo(template.text, nl=False)
    elif what == "blocks":
        table = Table("BLOCK", "LAYER", "FILE")
        for block in document.blocks:
            table.add(block.name, block.layer, f"{home_path(block.path)}:{block.line}")
        state.print_table(table)
    else:
        typer.echo(f"{template.name} ({template.layer}): {home_path(template.path)}")
        for parent in above:
            typer.echo(f"extends {parent.name} ({parent.layer}): {home_path(parent.path)}")
        begins, _, rest = template.text.partition("{#-")
        if not begins.strip():
            typer.echo(rest.partition("-#}")[0].strip("\n"))


def _blocks(chain: Sequence[Template]) -> Iterator[documents.BlockDocument]:
    """The blocks in the order of the script, which is that of the lowest template, each as the highest writes it."""
    highest: dict[str, documents.BlockDocument] = {}
    order: dict[str, None] = {}
    for template in chain:
        for block in blocks_of(template.text):
            where = documents.BlockDocument(
                name=block.name, layer=template.layer, template=template.name, path=template.path, line=block.lineno
            )
            highest.setdefault(block.name, where)
    for template in reversed(chain):
        order |= dict.fromkeys(block.name for block in sorted(blocks_of(template.text), key=lambda one: one.lineno))
    yield from (highest[name] for name in order)


def problems(state: "State", found: Sequence[Problem]) -> None:
    """What is wrong with templates."""
    if state.json:
        listed = [documents.ProblemDocument(file=one.file, line=one.line, message=one.message) for one in found]
        state.dump(documents.TemplateCheckDocument(schema=models.SCHEMA, problems=listed))
        return
    for one in found:
        typer.echo(f"{home_path(one.file)}:{one.line}: {one.message}")
    if not found:
        state.tell("nothing to put right")


def written(state: "State", template: Template) -> None:
    """A new template."""
    if state.json:
        state.dump(
            documents.NewTemplateDocument(
                schema=models.SCHEMA, name=template.name, layer=template.layer, path=template.path
            )
        )
        return
    typer.echo(home_path(template.path))
