"""The table of rows and clusters at the end of a test run. Imported by tests/conftest.py: workers' reports come there."""

import pytest
from contract.facts import PLACES

PROPERTY = "contract"
"""Each test of a row carries its place and row under this name."""

_MARKS = {"passed": "ok", "failed": "FAILED", "error": "ERROR", "skipped": "skipped"}


def tell_contract(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of those rows that ran."""
    cells: dict[str, dict[str, str]] = {}
    for outcome, mark in _MARKS.items():
        for report in terminalreporter.stats.get(outcome, ()):
            told = dict(getattr(report, "user_properties", ())).get(PROPERTY)
            if told is not None:
                place, row = str(told).split(" ", 1)
                cells.setdefault(row, {})[place] = mark
    if not cells:
        return
    width = max(map(len, cells))
    terminalreporter.section("what Slurm answers, and minislurm")
    terminalreporter.write_line(" " * width + "".join(f"  {place:9}" for place in PLACES))
    for row, marks in sorted(cells.items()):
        terminalreporter.write_line(f"{row:{width}}" + "".join(f"  {marks.get(place, '-'):9}" for place in PLACES))
