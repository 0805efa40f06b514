"""Fixtures of this folder; what they are made of is in tests/loginnode.py."""

from loginnode import archive, cluster, shell

__all__ = ["archive", "cluster", "shell"]
