import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.slurm import hostlist

names = st.from_regex(r"[a-z]{0,3}[0-9]{0,4}[a-z-]?[0-9]{1,4}|[a-z][a-z-]{0,5}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("n1", ["n1"]),
        ("n[1-3,7]", ["n1", "n2", "n3", "n7"]),
        ("n[08-11]", ["n08", "n09", "n10", "n11"]),
        ("a,b[1-2]-ib,c3", ["a", "b1-ib", "b2-ib", "c3"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("n[2,1]\n", ["n2", "n1"]),
        ("", []),
        ("(null)", []),
        ("None assigned", []),
    ],
)
def test_expand(text: str, hosts: list[str]) -> None:
    """Ranges keep leading zeros, brackets multiply, order is kept."""
    assert hostlist.expand(text) == hosts


@pytest.mark.parametrize(
    "text",
    [
        "n[",
        "n]",
        "n[]",
        "n[a]",
        "n[3-1]",
        "n[1-]",
        "a,,b",
        "a,",
        ",a",
        "a b",
        "n[1-99999]",
        "n[1-999]m[1-999]",
        "n[1,,2]",
    ],
)
def test_expand_refuses(text: str) -> None:
    """What is no hostlist, and what would fill the memory."""
    with pytest.raises(ValueError, match="hostlist"):
        hostlist.expand(text)


def test_the_limit_is_on_the_whole_list() -> None:
    """Several long ranges are as bad as one."""
    with pytest.raises(ValueError, match="hostlist"):
        hostlist.expand("n[1-40000],m[1-40000]")


@pytest.mark.parametrize(
    ("hosts", "text"),
    [
        ([], ""),
        (["n2", "n1", "n3"], "n[1-3]"),
        (["n7", "n1", "n2", "n1"], "n[1-2,7]"),
        (["n9", "n10", "n11"], "n[9-11]"),
        (["n09", "n10"], "n[09-10]"),
        (["login", "gpu-1-ib"], "gpu-1-ib,login"),
        (["n1"], "n1"),
        (["5", "6"], "[5-6]"),
        (["n1", "n01"], "n[1,01]"),
    ],
)
def test_compress(hosts: list[str], text: str) -> None:
    """Neighbours fold into ranges, each name once."""
    assert hostlist.compress(hosts) == text


@given(st.lists(names, max_size=40))
def test_names_survive_a_round_trip(hosts: list[str]) -> None:
    """Whatever compress folds, expand unfolds."""
    expanded = hostlist.expand(hostlist.compress(hosts))
    assert sorted(expanded) == sorted(set(hosts))


@given(st.text() | st.text(alphabet="n1,-[]0 9"))
def test_any_text_is_a_value_or_a_value_error(text: str) -> None:
    """Nothing else escapes, and nothing runs away."""
    with contextlib.suppress(ValueError):
        assert len(hostlist.expand(text)) <= hostlist.MAX_HOSTS
