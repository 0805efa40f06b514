"""The base of every table of a spec or a configuration. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class Table(BaseModel):
    """A TOML table: its keys are known, and it does not change.

    Attributes:
        refused: Keys that somebody might write and that are no keys of this table, and the reason.
        unknown_hint: What to say, besides a similar key, of a key that is not known.
    """

    # Built when first used: a command that reads no spec does not wait for the model of one.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    refused: ClassVar[Mapping[str, str]] = {}
    unknown_hint: ClassVar[str | None] = None

    def given(self) -> dict[str, Any]:
        """Return what was given, without what was left to the defaults."""
        return self.model_dump(exclude_unset=True, exclude_none=True)


@dataclass(frozen=True, slots=True)
class AsGiven:
    """Pydantic metadata: the value is checked as a table, and kept as the dictionary of what was given.

    Attributes:
        table: The table.
    """

    table: type[Table]

    def __get_pydantic_core_schema__(self, _source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let the table's own schema check the value."""
        schema = handler.generate_schema(self.table)
        # It is written as the dictionary that it has become, not as the table that it was read as.
        written = core_schema.plain_serializer_function_ser_schema(dict)
        return core_schema.no_info_after_validator_function(self.table.given, schema, serialization=written)


def conflict(key: str, text: str, hint: str | None = None) -> PydanticCustomError:
    """Return the error that a table raises when two of its values contradict each other.

    Args:
        key: The key that is to be changed, within the table.
        text: What is wrong.
        hint: What to do.
    """
    return PydanticCustomError("conflict", "{key}: {text}", {"key": key, "text": text, "hint": hint or ""})
