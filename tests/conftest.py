"""What belongs to a whole test run: the controller of parallel workers reads no other conftest.py."""

import signal

import pytest
from contract.table import tell_contract
from faults.figures import tell_figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what whole suites found."""
    tell_contract(terminalreporter)
    tell_figures(terminalreporter)


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell without job control lets what runs in its background ignore Ctrl-C, and all that is started from there: no
    # program could be tested for it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
