"""What a cluster says reaches a terminal as text, whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.cli import explained, words
from trainsub.cli.state import State
from trainsub.cli.sync import _tell
from trainsub.errors import TrainsubError
from trainsub.verbs.sync import Synced

TITLE = "\x1b]0;title\x07"
SPELLED = "\\x1b]0;title\\x07"


@given(text=st.text(), lines=st.booleans())
def test_nothing_that_steers_is_left(text: str, *, lines: bool) -> None:
    """And plain text is as it was."""
    shown = words.visible(text, lines=lines)
    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in shown if not (lines and one in "\n\t"))
    shown.encode()
    if text.isprintable():
        assert shown == text


def test_letters_stay_and_tricks_do_not() -> None:
    """Blanks that are no ASCII are harmless; a change of direction is not."""
    assert words.visible("训练 e\u0301\u00a0x") == "训练 e\u0301\u00a0x"
    assert words.visible("a\u202eb\nc\ud800") == "a\\u202eb\\nc\\ud800"
    assert words.visible("a\tb\nc", lines=True) == "a\tb\nc"


def test_what_is_told_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines of sbatch's own stay lines."""
    state = State()
    state.tell(f"one{TITLE}\ntwo")
    state.show_error(TrainsubError(f"what{TITLE}", hint=f"do{TITLE}"))
    assert capsys.readouterr().err.splitlines() == [
        f"trainsub: one{SPELLED}",
        "two",
        f"error: what{SPELLED}",
        f"hint: do{SPELLED}",
    ]


def test_a_name_in_the_directory_of_runs_forges_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Anybody may make a file there."""
    _tell(State(), Synced("hpc", "/r", foreign=[f"x{TITLE}\ntrainsub: all is well"]))
    assert f": x{SPELLED}\\ntrainsub: all is well" in capsys.readouterr().err


def test_the_page_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal holds what the cluster said."""
    print(explained._labelled("detail", f"no{TITLE}"))  # noqa: SLF001, T201
    assert capsys.readouterr().out == f"detail         no{SPELLED}\n"
