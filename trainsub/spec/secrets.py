"""``[secrets]``: variables of the ranks whose values are written nowhere in the spec. Pure."""

from typing import Annotated

from pydantic import Field

from trainsub.spec.expect import Expect, NotExpectedError, listed
from trainsub.spec.names import SECRET_NAME
from trainsub.spec.table import Table

_NAMES = listed("a list of variables' names", SECRET_NAME, least=1)


def _once(value: object) -> tuple[str, ...]:
    names: tuple[str, ...] = _NAMES.check(value)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise NotExpectedError(f"{twice} is there twice")
    return names


class Secrets(Table):
    """Variables of the ranks whose values are nobody else's."""

    names: Annotated[tuple[str, ...], Expect(_NAMES.words, _once)] = Field(
        description="Names of variables. Their values are taken from the environment of `trainsub submit`; no script, "
        "command line, log or store ever holds them. See [Give a job secrets](../how-to/give-a-job-secrets.md)."
    )
