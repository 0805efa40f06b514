"""The figures of the fault suite: at the end of a test run, and in a file. Imported by tests/conftest.py."""

from pathlib import Path

import pytest

PROPERTY = "faults"
"""Each test of the suite carries its line under this name."""
FILE = Path(__file__).parents[2] / "build" / "faults.txt"


def tell_figures(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line of figures for each test of the suite that ran, and write them into build/faults.txt."""
    lines = []
    for reports in terminalreporter.stats.values():
        for report in reports:
            found = dict(getattr(report, "user_properties", ())).get(PROPERTY)
            if found is not None and getattr(report, "when", "") == "call":
                lines.append(str(found))
    if not lines:
        return
    terminalreporter.section("submitted exactly once, whatever breaks")
    for line in sorted(lines):
        terminalreporter.write_line(line)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("".join(f"{line}\n" for line in sorted(lines)))
