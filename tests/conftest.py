"""What belongs to a whole test run: the controller of parallel workers reads no other conftest.py."""

from contract.table import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]
