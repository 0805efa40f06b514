import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render.world import cases

from trainsub.render.engine import Shell, lines, quote

TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=30)
NASTY = st.sampled_from(
    ["$(touch x)", "`touch x`", "'", '"', "\\", "\n", "\r\n", "$HOME", "!!", "*", "~", "-n", "{a,b}", "", "é", "\x7f"]
)
VALUES = st.lists(st.one_of(TEXT, st.lists(NASTY, max_size=6).map("".join)), min_size=1, max_size=6)


@settings(max_examples=cases(300), deadline=None)
@given(VALUES)
def test_bash_reads_exactly_the_values(values: list[str]) -> None:
    """Whatever is in them, and nothing of it runs."""
    script = f"set -u\nprintf '%s\\0' {quote(values)}"
    done = subprocess.run(["bash"], input=script.encode(), capture_output=True, check=True, env={"LC_ALL": "C"})
    assert (done.stdout, done.stderr) == ("".join(f"{value}\0" for value in values).encode(), b"")


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_bash_reads_exactly_the_values_over_several_lines(values: list[str]) -> None:
    """A long command is several lines, and the same words."""
    script = f"set -u\nprintf '%s\\0' {lines(values * 9)} &\nwait"
    done = subprocess.run(["bash"], input=script.encode(), capture_output=True, check=True, env={"LC_ALL": "C"})
    assert (done.stdout, done.stderr) == ("".join(f"{value}\0" for value in values * 9).encode(), b"")


def test_lines_are_filled_and_a_longer_word_has_one_of_its_own() -> None:
    """A short command is one line, as is a single word."""
    assert lines(["a", "b c"]) == "a 'b c'"
    assert lines("a b") == "'a b'"
    assert lines([]) == ""
    assert lines(["--key=value"] * 10 + ["x" * 200, "y", Shell('"$@"')]).split(" \\\n    ") == [
        " ".join(["--key=value"] * 9),
        "--key=value",
        "x" * 200,
        'y "$@"',
    ]


@given(VALUES)
def test_a_word_stays_on_its_line(values: list[str]) -> None:
    """Newlines and carriage returns are escaped; sbatch refuses scripts with the latter."""
    assert not set(quote(values)) & set("\n\r")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain/path-1.2", "plain/path-1.2"),
        ("two words", "'two words'"),
        ("it's", r"$'it\'s'"),
        ("a\tb\\\x01", r"$'a\tb\\\001'"),
        ("", "''"),
        (8, "8"),
        (1e-4, "0.0001"),
        (-1, "-1"),
        (["a", "b c"], "a 'b c'"),
        (("x",), "x"),
        (Shell("$x"), "$x"),
    ],
)
def test_words_look_as_one_would_write_them(value: object, text: str) -> None:
    """Quotes appear where they are needed."""
    assert quote(value) == text


@pytest.mark.parametrize("value", [None, True, {"a": 1}, b"x"])
def test_what_has_no_word_is_refused(value: object) -> None:
    """Nothing is written that nobody meant, such as None."""
    with pytest.raises(TypeError, match="cannot be written into a shell script"):
        quote(value)
