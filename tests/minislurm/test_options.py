import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.minislurm import options
from trainsub.minislurm.options import Option, OptionError

TABLE = (
    Option("nodes", "N"),
    Option("nodelist", "w"),
    Option("node", ""),
    Option("hold", "H", "no"),
    Option("exclusive", "", "optional"),
    Option("no-kill", "k", "optional"),
)


@pytest.mark.parametrize(
    ("words", "given_", "operands"),
    [
        (["--nodes=2", "--nodes", "3"], [("nodes", "2"), ("nodes", "3")], []),
        (["--nodes="], [("nodes", "")], []),
        (["--nodes", "--hold"], [("nodes", "--hold")], []),
        (["--nodel=a"], [("nodelist", "a")], []),
        (["--node=1"], [("node", "1")], []),
        (["-N2", "-N", "3", "-HN4"], [("nodes", "2"), ("nodes", "3"), ("hold", None), ("nodes", "4")], []),
        (["-koff", "-k", "x"], [("no-kill", "off"), ("no-kill", None)], ["x"]),
        (["--exclusive", "user"], [("exclusive", None)], ["user"]),
        (["--exclusive=user"], [("exclusive", "user")], []),
        (["a", "-H", "-", "b"], [("hold", None)], ["a", "-", "b"]),
        (["-H", "--", "-H", "--nodes"], [("hold", None)], ["-H", "--nodes"]),
    ],
)
def test_command_lines(words: list[str], given_: list[tuple[str, str | None]], operands: list[str]) -> None:
    """As getopt_long reads them."""
    parsed = options.parse(words, TABLE)
    assert (list(parsed.given), list(parsed.operands)) == (given_, operands)


def test_the_first_operand_may_end_the_options() -> None:
    """What follows is the script's."""
    parsed = options.parse(["-H", "job", "-H", "--nope"], TABLE, stop_at_operand=True)
    assert (parsed.given, parsed.operands) == ((("hold", None),), ("job", "-H", "--nope"))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--nope"], "unrecognized option '--nope'"),
        (["--nope=1"], "unrecognized option '--nope=1'"),
        (["--no=1"], "option '--no=1' is ambiguous; possibilities: '--nodes' '--nodelist' '--node' '--no-kill'"),
        (["--hold=1"], "option '--hold' doesn't allow an argument"),
        (["--nodes"], "option '--nodes' requires an argument"),
        (["-Y"], "invalid option -- 'Y'"),
        (["-HY"], "invalid option -- 'Y'"),
        (["-N"], "option requires an argument -- 'N'"),
    ],
)
def test_what_is_no_option(words: list[str], text: str) -> None:
    """In getopt's words."""
    with pytest.raises(OptionError) as raised:
        options.parse(words, TABLE)
    assert str(raised.value) == text


def test_the_last_one_counts() -> None:
    """And whether it was there at all."""
    parsed = options.parse(["--nodes=1", "-N", "2", "-H"], TABLE)
    assert (parsed.last("nodes"), parsed.last("hold"), parsed.last("nodelist")) == ("2", None, None)
    assert parsed.has("hold")
    assert not parsed.has("nodelist")


@given(st.lists(st.text()))
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    """Nothing else happens, and no operand is lost behind the end of the options."""
    assert options.parse(["--", *words], TABLE).operands == tuple(words)
    try:
        parsed = options.parse(words, TABLE)
    except OptionError:
        return
    assert {name for name, _ in parsed.given} <= {option.name for option in TABLE}
