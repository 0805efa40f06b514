"""``python -m trainsub``."""

from trainsub.cli import main

main()
