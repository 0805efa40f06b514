import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.minislurm import patterns
from trainsub.minislurm.values import Array, Job, Request

JOB = Job(4721, 1000, Request("na me/x", "gpu"), 1)
TASK = Job(4722, 1000, Request("many", "gpu"), 1, array=Array(4721, task=12))
BATCH = patterns.of_task(4721, "batch", "n1", 0, 0)


# Recorded from Slurm 24.11.
@pytest.mark.parametrize(
    ("pattern", "name", "shown"),
    [
        ("%j", "4721", "4721"),
        ("%5j", "04721", "04721"),
        ("%12j", "0000004721", "0000004721"),
        ("%A_%a", "4721_4294967294", "4721_4294967294"),
        ("%J", "4721", "%J"),
        ("%N", "n1", "%N"),
        ("%n", "0", "%n"),
        ("%s", "batch", "%s"),
        ("%t", "0", "%t"),
        ("%u", "alice", "alice"),
        ("%x", "na me/x", "na me/x"),
        ("%5x", "na me/x", "na me/x"),
        ("%%", "%", "%"),
        ("%b", "4", "4"),
        ("%3a", "4294967294", "4294967294"),
        ("%r", "%r", "%r"),
        ("%y", "%y", "%y"),
        ("%", "%", "%"),
        ("x%", "x%", "x%"),
        ("%q%j", "%q4721", "%q4721"),
        ("%X", "%X", "%X"),
        ("\\%j", "%j", "\\4721"),
        ("a\\\\%j", "a\\%j", "a\\\\4721"),
        ("b\\b", "bb", "b\\b"),
    ],
)
def test_names(pattern: str, name: str, shown: str) -> None:
    """What is opened, and what scontrol shows."""
    values = patterns.of_job(JOB, "alice")
    assert patterns.expand(pattern, {**values, **BATCH}) == name
    assert patterns.fill(pattern, values) == shown


@pytest.mark.parametrize(("pattern", "name"), [("%3%", "3%"), ("%5", "5")])
def test_a_width_without_a_letter(pattern: str, name: str) -> None:
    """Only the sign goes."""
    assert patterns.expand(pattern, patterns.of_job(JOB, "alice")) == name


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("%j", "4722"), ("%A", "4721"), ("%a", "12"), ("%3a", "012"), ("%b", "2"), ("%A_%a", "4721_12")],
)
def test_names_of_a_task(pattern: str, name: str) -> None:
    """The array's id, the task's own, and its index."""
    assert patterns.expand(pattern, patterns.of_job(TASK, "alice")) == name


def test_names_of_a_step() -> None:
    """Each of its tasks may have a file."""
    place = patterns.of_task(4721, "3", "n2", 1, 9)
    assert patterns.expand("%J %N %n %s %t %3t", place) == "4721.3 n2 1 3 9 009"


def test_where_nothing_was_said() -> None:
    """Slurm's own names."""
    assert patterns.default(JOB) == "slurm-%j.out"
    assert patterns.default(TASK) == "slurm-%A_%a.out"


@given(st.text(alphabet=st.characters(exclude_characters="\\%")))
def test_other_text_stays(text: str) -> None:
    """Whatever it is."""
    assert patterns.expand(text, patterns.of_job(JOB, "alice")) == text


@given(st.text(alphabet="%jJ5\\x a"))
def test_no_pattern_is_too_odd(pattern: str) -> None:
    """A percent sign written twice is one, so that trainsub can name any folder."""
    doubled = pattern.replace("\\", "").replace("%", "%%")
    assert patterns.expand(doubled, {**patterns.of_job(JOB, "alice"), **BATCH}) == pattern.replace("\\", "")
