"""The documents about templates. Pure."""

from typing import Literal

from pydantic import Field

from trainsub.documents.base import SCHEMA, Document

Layer = Literal["built-in", "site", "user", "project", "spec"]


class TemplatePartDocument(Document):
    """Where a template is."""

    name: str = Field(description="Its name; for a script of your own, its path as the spec has it.")
    layer: Layer = Field(description="Who it comes from.")
    path: str = Field(description="Where it was read.")


class OverriddenTemplateDocument(Document):
    """A template of whose name a higher layer has one, too."""

    name: str = Field(description="Its name.")
    layer: Layer = Field(description="Who it comes from.")
    path: str = Field(description="Where it was read.")
    problem: str | None = Field(None, description="Why it cannot be read; null where it can be.")


class TemplateDocument(Document):
    """What a name means."""

    name: str = Field(description="Its name.")
    layer: Layer = Field(description="The highest layer that has one of this name.")
    path: str = Field(description="Where it is.")
    extend_only: bool = Field(description="Whether it is for others to extend, so that no spec may name it.")
    problem: str | None = Field(None, description="Why it cannot be read; null where it can be.")
    overridden: list[OverriddenTemplateDocument] = Field(
        description="Those of that name in the layers below, highest first."
    )


class TemplatesDocument(Document):
    """What `template list` tells."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    templates: list[TemplateDocument] = Field(description="By name.")


class BlockDocument(Document):
    """A block of a template."""

    name: str = Field(description="Its name.")
    layer: Layer = Field(description="The highest layer that writes it.")
    template: str = Field(description="The template that writes it.")
    path: str = Field(description="Its file.")
    line: int = Field(description="Where it begins there, from 1.")


class OneTemplateDocument(Document):
    """What `template show` tells."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    name: str = Field(description="Its name.")
    layer: Layer = Field(description="The highest layer that has one of this name.")
    path: str = Field(description="Where it is.")
    extends: list[TemplatePartDocument] = Field(description="All that it extends, nearest first.")
    blocks: list[BlockDocument] = Field(description="Its blocks, those of what it extends too, in the script's order.")
    source: str = Field(description="Its text.")


class ProblemDocument(Document):
    """Something to put right in a template."""

    file: str = Field(description="The file.")
    line: int = Field(description="Line in it, from 1.")
    message: str = Field(description="What is wrong.")


class TemplateCheckDocument(Document):
    """What `template check` tells."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    problems: list[ProblemDocument] = Field(description="By file and line; none if all is well.")


class NewTemplateDocument(Document):
    """What `template new` tells."""

    schema_: int = Field(default=SCHEMA, alias="schema", description="Always 1.")
    name: str = Field(description="Its name.")
    layer: Layer = Field(description="Whose it is.")
    path: str = Field(description="The file that was written.")
