import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.minislurm import layout


@pytest.mark.parametrize(
    ("total", "capacities", "counts"),
    [(5, (4, 1), (4, 1)), (5, (16, 16), (3, 2)), (4, (2, 2), (2, 2)), (3, (1, 1), (2, 1)), (0, (1,), (0,))],
)
def test_tasks_are_dealt_out_in_turn(total: int, capacities: tuple[int, ...], counts: tuple[int, ...]) -> None:
    """Where all nodes are full they get more all the same."""
    assert layout.dealt(total, capacities) == counts


@pytest.mark.parametrize(
    ("how", "nodes"),
    [
        ("block", (0, 0, 0, 1, 1)),
        ("cyclic", (0, 1, 0, 1, 0)),
        ("plane=2", (0, 0, 1, 1, 0)),
        ("plane=1", (0, 1, 0, 1, 0)),
    ],
)
def test_where_each_task_goes(how: str, nodes: tuple[int, ...]) -> None:
    """As --distribution says."""
    assert layout.nodes_of_tasks((3, 2), how) == nodes


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), st.sampled_from(["block", "cyclic", "plane=2", "plane=3"]))
def test_every_task_goes_somewhere(counts: list[int], how: str) -> None:
    """Each node gets as many as it should."""
    nodes = layout.nodes_of_tasks(counts, how)
    assert [nodes.count(index) for index in range(len(counts))] == counts


@pytest.mark.parametrize(("numbers", "text"), [((2, 2, 2, 1), "2(x3),1"), ((4, 1), "4,1"), ((1,), "1"), ((), "")])
def test_lists_of_numbers_are_short(numbers: tuple[int, ...], text: str) -> None:
    """As in SLURM_TASKS_PER_NODE."""
    assert layout.shortened(numbers) == text
