"""The base of every table of a spec or a configuration. Pure."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Table(BaseModel):
    """A TOML table: its keys are known, and it does not change.

    Attributes:
        refused: Keys that somebody might write and that are no keys of this table, and the reason.
        unknown_hint: What to say, besides a similar key, of a key that is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    refused: ClassVar[Mapping[str, str]] = {}
    unknown_hint: ClassVar[str | None] = None

    def given(self) -> dict[str, Any]:
        """Return what was given, without what was left to the defaults."""
        return self.model_dump(exclude_unset=True, exclude_none=True)


def conflict(key: str, text: str, hint: str | None = None) -> PydanticCustomError:
    """Return the error that a table raises when two of its values contradict each other.

    Args:
        key: The key that is to be changed, within the table.
        text: What is wrong.
        hint: What to do.
    """
    return PydanticCustomError("conflict", "{key}: {text}", {"key": key, "text": text, "hint": hint or ""})
