"""Slurm asked: what its commands answer, as values. Knows the commands; decides nothing."""

from trainsub.scheduler.base import Before, CancelAnswer, Reply, Scheduler
from trainsub.scheduler.cli import SlurmCli

__all__ = ["Before", "CancelAnswer", "Reply", "Scheduler", "SlurmCli"]
