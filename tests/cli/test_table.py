"""Tables for people: they fit the terminal, and hide nothing."""

import time

from trainsub.cli.table import Table


def lines(table: Table, width: int | None = None, *, colour: bool = False) -> list[str]:
    """The table as a list of its lines."""
    return list(table.lines(width=width, colour=colour))


def test_columns_stand_under_their_headers() -> None:
    """As wide as the widest cell takes, and no blanks at the ends."""
    table = Table("RUN", "STATE", "NODES")
    table.add("llama-7b", "RUNNING", "4")
    table.add("x", "PENDING Resources", "")
    assert lines(table) == [
        "RUN       STATE              NODES",
        "llama-7b  RUNNING            4",
        "x         PENDING Resources",
    ]


def test_what_does_not_fit_is_folded_and_nothing_is_lost() -> None:
    """The name of a run stays whole, since it is copied."""
    table = Table("RUN", "STATE")
    table.add("llama-7b-3f9a1c2e", "PENDING Resources (squeue, 12 s ago)")
    assert lines(table, 40) == [
        "RUN                STATE",
        "llama-7b-3f9a1c2e  PENDING Resources",
        "                   (squeue, 12 s ago)",
    ]
    assert lines(table, 10)[1].startswith("llama-7b-3f9a1c2e  PENDING")


def test_spare_columns_go_first() -> None:
    """In their order, and only as many as it takes; colours stay with their cells."""
    table = Table("RUN", "NODES", "GPUS", "STATE", spare=("GPUS", "NODES"))
    table.add("llama-7b", "4", "32", "RUNNING", style="green", styled=3)
    assert lines(table, 32)[0] == "RUN       NODES  GPUS  STATE"
    assert lines(table, 24)[0] == "RUN       NODES  STATE"
    assert lines(table, 20)[0] == "RUN       STATE"
    assert lines(table, 20, colour=True)[1] == "llama-7b  \x1b[32mRUNNING\x1b[0m"


def test_colours_do_not_move_columns() -> None:
    """Styles lie around a cell's text only, the header's too."""
    table = Table("RUN", "STATE", "N")
    table.add("x", "RUNNING", "1", style="green", styled=1)
    assert lines(table, colour=True) == [
        "\x1b[1mRUN\x1b[0m  \x1b[1mSTATE\x1b[0m    \x1b[1mN\x1b[0m",
        "x    \x1b[32mRUNNING\x1b[0m  1",
    ]
    assert lines(table) == ["RUN  STATE    N", "x    RUNNING  1"]


def test_wide_characters_and_what_moves_cursors() -> None:
    """A Chinese character takes two columns, a combining one none; an escape sequence is shown as what it is not."""
    table = Table("A", "B")
    table.add("训练", "1")
    table.add("e\u0301", "2")
    table.add("\x1b[2J", "3")
    assert lines(table) == ["A        B", "训练     1", "e\u0301        2", "\\x1b[2J  3"]


def test_ten_thousand_rows_take_no_time() -> None:
    """A list of all runs is no reason to wait."""
    table = Table("RUN", "CLUSTER", "JOB", "STATE", "NODES")
    for number in range(10_000):
        table.add(f"sweep-{number:08x}", "far", str(number), "PENDING Resources (squeue, 12 s ago)", "1")
    began = time.process_time()
    assert len(lines(table, 120)) == 10_001
    assert time.process_time() - began < 1
