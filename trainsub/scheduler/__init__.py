"""Slurm asked: what its commands answer, as values. Knows the commands; decides nothing."""

from trainsub.scheduler.base import CancelAnswer, Scheduler
from trainsub.scheduler.cli import SlurmCli

__all__ = ["CancelAnswer", "Scheduler", "SlurmCli"]
