"""Figures for the targets of docs/explanation/speed.md: ``python -m benchmarks [names]``.

No test: figures depend on the machine, so each is taken beside the program that it is compared with, in the same run.
"""
