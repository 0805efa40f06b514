import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.errors import OutputError
from trainsub.record.about import About, format_about, parse_about

tables = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.lists(st.text()))


@given(st.text(), st.text(), st.text(), st.none() | tables, st.text(), st.text())
def test_what_is_written_is_read(
    key: str, at: str, plan: str, code: dict[str, object] | None, version: str, host: str
) -> None:
    """Whatever is in a key or a host's name; and what a later version adds is no trouble."""
    about = About(key, at, plan, code, version, host)
    assert parse_about(format_about(about)) == about
    assert parse_about(json.dumps({**json.loads(format_about(about)), "later": 1})) == about


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"key": 1}', "[" * 100_000])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    """As a file that somebody else wrote."""
    with pytest.raises(OutputError):
        parse_about(text)


def test_the_code_is_a_table() -> None:
    """Or nothing at all."""
    text = format_about(About("k", "t", "p", None, "v", "h")).replace("null", "5")
    with pytest.raises(OutputError, match="no table"):
        parse_about(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """It lies where others may write."""
    with contextlib.suppress(OutputError):
        assert isinstance(parse_about(text), About)
