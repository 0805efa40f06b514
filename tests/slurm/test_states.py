import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.slurm import states


@pytest.mark.parametrize(
    ("printed", "word"),
    [
        ("CANCELLED by 1000", "CANCELLED"),
        ("CANCELLED+", "CANCELLED"),
        ("running", "RUNNING"),
        (" PENDING \n", "PENDING"),
        ("", ""),
        ("   ", ""),
        ("HOVERING by 7", "HOVERING"),
    ],
)
def test_base_word_drops_decorations(printed: str, word: str) -> None:
    """What sacct and squeue add to a state is cut off."""
    assert states.base_word(printed) == word


@pytest.mark.parametrize(
    ("word", "phase"),
    [
        ("PENDING", "pending"),
        ("REQUEUED", "pending"),
        ("SPECIAL_EXIT", "pending"),
        ("CONFIGURING", "running"),
        ("COMPLETING", "running"),
        ("SUSPENDED", "running"),
        ("CANCELLED by 0", "finished"),
        ("OUT_OF_MEMORY", "finished"),
        ("HOVERING", "unknown"),
        ("?", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_phase(word: str | None, phase: str) -> None:
    """Every state belongs to one phase; COMPLETING is no end, and what is unknown is called so."""
    assert states.phase(word) == phase


@given(st.text())
def test_unknown_words_are_never_terminal_and_never_raise(word: str) -> None:
    """A newer Slurm may say anything."""
    assert (states.phase(word) == "finished") == (states.base_word(word) in states.TERMINAL)


def test_what_ends_a_record_does_not_end_a_job() -> None:
    """The two sets are apart, and every terminal word has an exit code."""
    assert not states.RECORD_ONLY & states.TERMINAL
    assert all(states.exit_code(word) is not None for word in states.TERMINAL)


@pytest.mark.parametrize(
    ("word", "code", "reason", "expected"),
    [
        ("COMPLETED", 0, "", 0),
        ("FAILED", 1, "", 10),
        ("FAILED", 75, "", 12),
        ("FAILED", 76, "", 12),
        ("OUT_OF_MEMORY", 0, "", 10),
        ("CANCELLED by 5", 0, "", 11),
        ("CANCELLED", 0, "DependencyNeverSatisfied", 12),
        ("REVOKED", 0, "", 11),
        ("TIMEOUT", 0, "", 12),
        ("RUNNING", 0, "", None),
        ("HOVERING", 0, "", None),
    ],
)
def test_exit_code_of_one_job(word: str, code: int, reason: str, expected: int | None) -> None:
    """The table of the command line's exit codes; what has not ended has none."""
    assert states.exit_code(word, code, reason) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], 0),
        (["COMPLETED"], 0),
        (["COMPLETED", "CANCELLED by 0"], 11),
        (["CANCELLED", "NODE_FAIL", "COMPLETED"], 12),
        (["NODE_FAIL", "FAILED", "CANCELLED"], 10),
    ],
)
def test_the_worst_of_several_counts(words: list[str], expected: int) -> None:
    """10 comes before 12 before 11."""
    assert states.exit_code_of(words) == expected


def test_what_is_not_finished_has_no_exit_code() -> None:
    """A running job never passes for a good end."""
    with pytest.raises(ValueError, match="RUNNING"):
        states.exit_code_of(["COMPLETED", "RUNNING"])
