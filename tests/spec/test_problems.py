from typing import Annotated, Any

from pydantic import Field, ValidationError

from trainsub.errors import ConfigError
from trainsub.spec import problems
from trainsub.spec.table import AsGiven, Table


class Inner(Table):
    """A table."""

    key: int = 1


class Named(Inner):
    """A table with a name."""

    other: int = 1


class Outer(Table):
    """Tables by name."""

    kept: Annotated[dict[str, Any], AsGiven(Inner)] = Field(default_factory=dict)
    named: dict[str, Named] = Field(default_factory=dict)


def message(data: object) -> str:
    """What is said of wrong data."""
    try:
        Outer.model_validate(data)
    except ValidationError as error:
        return problems.rejected(problems.find(error, Outer), ConfigError, lambda _: "").message
    raise AssertionError


def test_a_name_in_a_dictionary_of_tables_is_no_key() -> None:
    """Also if it is called like one."""
    assert message({"named": {"key": {"kay": 1}}}) == "named.key.kay: unknown key; did you mean key?"


def test_a_table_that_is_kept_as_given() -> None:
    """It is checked as a table, and without its defaults."""
    assert message({"kept": {"kay": 1}}) == "kept.kay: unknown key; did you mean key?"
    assert Outer.model_validate({"kept": {"key": 2}}).kept == {"key": 2}
    assert Outer.model_validate({"kept": {}}).kept == {}


def test_a_key_that_belongs_below_a_name() -> None:
    """The name is for the user to fill in."""
    assert message({"other": 1}) == "other: unknown key; did you mean named.NAME.other?"
    assert message({"key": 1}) == "key: unknown key; did you mean kept.key?"
