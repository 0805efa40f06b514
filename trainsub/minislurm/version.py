"""Which Slurm minislurm speaks like."""

RELEASE = "24.11.5"
VERSION = f"slurm {RELEASE}-minislurm"
"""What ``--version`` prints."""
