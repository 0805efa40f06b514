"""What belongs to a whole test run: the controller of parallel workers reads no other conftest.py."""

import signal

from contract.table import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell without job control lets what runs in its background ignore Ctrl-C, and all that is started from there: no
    # program could be tested for it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
