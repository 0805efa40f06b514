"""What belongs to a whole test run: the controller of parallel workers reads no other conftest.py."""

import signal

import pytest
from contract.table import tell_contract
from faults.figures import tell_figures
from hypothesis import HealthCheck, settings

# How long an example takes says something of the machine, and nothing of the code: speed is shown in benchmarks/.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what whole suites found."""
    tell_contract(terminalreporter)
    tell_figures(terminalreporter)


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell without job control lets what runs in its background ignore Ctrl-C, and all that is started from there: no
    # program could be tested for it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
