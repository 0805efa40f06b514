import contextlib
import datetime as dt
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.errors import ConfigError, SpecError
from trainsub.spec import toml, toml_errors

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.one_of(
    TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
DATA = st.recursive(
    st.dictionaries(TEXT, st.one_of(PLAIN, st.lists(PLAIN)), min_size=1),
    lambda inner: st.dictionaries(TEXT, st.one_of(PLAIN, inner), min_size=1),
    max_leaves=10,
)


@given(DATA)
def test_what_is_written_reads_back(data: dict[str, object]) -> None:
    """Written data is the same data again."""
    assert tomllib.loads(toml.write(data)) == data


def test_empty_tables_are_left_out() -> None:
    """An empty table leaves no header behind."""
    assert toml.write({"env": {}, "a": {"b": {"c": 1}}}) == "[a.b]\nc = 1\n"


def test_a_value_that_toml_does_not_have() -> None:
    """None is no value."""
    with pytest.raises(TypeError, match="None"):
        toml.value_text(None)


@pytest.mark.parametrize(
    "text", [b"a = 1\r\nb = 2\r\n", "a = 1\nb = 2", b"\xef\xbb\xbfa = 1\nb = 2\n", "\ufeffa = 1\nb = 2\n"]
)
def test_bytes_bom_and_crlf_are_fine(text: bytes | str) -> None:
    """Editors on other systems write such files."""
    assert toml.read(text, "spec.toml", SpecError) == {"a": 1, "b": 2}


def test_not_utf8_names_the_byte() -> None:
    """The offset of the first wrong byte is named."""
    with pytest.raises(SpecError, match=r"spec.toml: not UTF-8: byte 5 is 0xff"):
        toml.read(b'a = "\xff"', "spec.toml", SpecError)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\nb = = 2", "f.toml:2:5: Invalid value"),
        ("a = 1\nb = [1,\n", "f.toml:3:1: Invalid value"),
        ("a = 1\na = 2", "f.toml:2:6: a is there twice"),
        ("[slurm]\nnodes = 1\n  nodes = 2 # two\n", "f.toml:3:12: nodes is there twice"),
        ("'a=b' = 1\n'a=b' = 2\n", "f.toml:2:10: 'a=b' is there twice"),
        ("a = 1\n[a]\nb = 1", "f.toml:2:3: a is there twice"),
        ('a = 1\na = """\nb = 1\n""" # c\n', "f.toml:4:4: a is there twice"),
        ("a = 1\na = [\n" + "1,\n" * 300 + "]\n", "f.toml:303:2: a key is there twice"),
        ("[a.'b c']\n[a.'b c']\n", 'f.toml:2:9: a."b c" is there twice'),
        ("a = {b = 1, b = 2}\n", "f.toml:1:18: b is there twice"),
        ("a = {}\na.b = 1\n", "f.toml:2:8: a is there already, and nothing can be added to it"),
        ("b = 1\na = " + "9" * 5000, "f.toml:2:5: a: an integer of 5000 digits"),
        ("a = [\n  1,\n  -" + "9_9" * 2500 + "]", "f.toml:3:4: a: an integer of 5000 digits"),
        ("a = 12:00", "f.toml:1:7: Expected newline or end of document after a statement"),
        ("a = " + "[" * 100_000, "f.toml: nested too deeply"),
    ],
)
def test_syntax_errors_have_a_place(text: str, place: str) -> None:
    """Line and column are named, also at the end of the document."""
    with pytest.raises(ConfigError) as caught:
        toml.read(text, "f.toml", ConfigError)
    assert caught.value.message.startswith(place)


@given(st.text())
def test_any_text_is_data_or_an_error(text: str) -> None:
    """No document raises anything else."""
    with contextlib.suppress(SpecError):
        toml.read(text, "x", SpecError)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("8", 8),
        ("1e-4", 1e-4),
        ("true", True),
        ('"8"', "8"),
        ('["a", "b"]', ["a", "b"]),
        ("{ nodes = 2 }", {"nodes": 2}),
        ("four", "four"),
        ("12:00:00", "12:00:00"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T10:00:00", "2026-01-01T10:00:00"),
        ("1-2", "1-2"),
        ("", ""),
        ("1, 2", "1, 2"),
        ("1,", "1,"),
        ("nan", "nan"),
        ("1 # one", "1 # one"),
        ("1\nother = 2", "1\nother = 2"),
        ("h100:8", "h100:8"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_value_is_toml_else_text(raw: str, value: object) -> None:
    """What is not exactly one TOML value stays text, and so do dates and times."""
    assert toml.value(raw) == value
    assert type(toml.value(raw)) is type(value)


def test_floats_can_stay_exact() -> None:
    """Money never becomes a float on its way."""
    assert toml.value("8.50", parse_float=str) == "8.50"


@given(st.text())
def test_a_value_never_raises(raw: str) -> None:
    """Any text is some value."""
    assert not isinstance(toml.value(raw), dt.date | dt.time)


def test_what_a_later_python_says_is_passed_on() -> None:
    """Without a place, if there is none."""
    assert toml_errors.explain("a", "Something new", str) == ("", "Something new", None)
    assert toml_errors.explain("a", "Something new (at line 1, column 2)", str) == (":1:2", "Something new", None)
