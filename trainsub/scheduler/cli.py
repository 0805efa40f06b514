"""Slurm asked by its own commands, over one conversation on a login node."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from trainsub.check.facts import ClusterFacts
from trainsub.remote import Ask, Completed, RunCommand
from trainsub.scheduler.base import Before, CancelAnswer, Reply
from trainsub.scheduler.polling import poll
from trainsub.scheduler.said import text, words
from trainsub.slurm import scancel, scontrol, sinfo
from trainsub.tracker.values import Job

NEEDED = ("sbatch", "squeue", "sacct", "scancel", "scontrol", "sha256sum", "tar", "gzip", "timeout", "mktemp")
"""What trainsub's remote side calls."""
AT_ONCE = 100
"""How many jobs one command cancels."""
_T = TypeVar("_T")


class SlurmCli:
    """One cluster's Slurm, by squeue, sacct, scancel, scontrol and sinfo.

    Args:
        ask: An open conversation.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def poll(self, jobs: Sequence[Job], before: Before, *, root: str, everything: bool = False) -> Reply:
        """One question for all jobs, one for those that left the queue; see ``Scheduler``."""
        return poll(self._ask, jobs, before, root=root, everything=everything)

    def cancel(self, jobs: Sequence[Job], *, seen: bool) -> list[CancelAnswer]:
        """Cancel jobs by id; by name too unless squeue has just shown that they are ours, so that no other is hit."""
        answers = []
        for start in range(0, len(jobs), AT_ONCE):
            some = jobs[start : start + AT_ONCE]
            # In one command where all may be hit by their ids; what it complains of is asked again, job by job.
            if seen and len(some) > 1 and _done(self._ask.run(scancel.argv([job.job_id for job in some]))):
                answers += [CancelAnswer(job.job_id, None) for job in some]
                continue
            orders = [RunCommand(scancel.argv([job.job_id], name="" if seen else job.run)) for job in some]
            for job, said in zip(some, self._ask.batch(*orders), strict=True):
                answers.append(CancelAnswer(job.job_id, None if _done(said) else words(said)))
        return answers

    def order(self, order: scontrol.Order, jobs: Sequence[Job]) -> list[scontrol.Ordered]:
        """Hold, release or requeue jobs; see ``Scheduler``."""
        told = [self._ask.run(scontrol.order_argv(order, job.job_id)) for job in jobs]
        return [scontrol.parse_order(said.rc, text(said.err) + text(said.out)) for said in told]

    def facts(self, root: str) -> ClusterFacts:
        """What can be learned without submitting."""
        resolved = self._ask.root(root)
        look = 'for name do command -v "$name" >/dev/null || echo "$name"; done'
        missing = tuple(text(self._ask.run(["sh", "-c", look, "sh", *NEEDED]).out).split())
        if "squeue" in missing:
            error, free = self._folder(resolved)
            return ClusterFacts(None, None, {}, (), None, resolved, error, free, missing)
        ping = self._ask.run(scontrol.ping_argv())
        settings = _parsed(self._ask.run(scontrol.config_argv()), scontrol.parse_config) or {}
        partitions = _parsed(self._ask.run(sinfo.argv()), sinfo.parse) or []
        accounts = self._ask.run(["sacct", "-n", "-X", "-S", "now"])
        version = text(self._ask.run(["squeue", "--version"]).out).split()
        error, free = self._folder(resolved)
        return ClusterFacts(
            version=version[-1] if version else None,
            controller=None if ping.rc == 0 else words(ping),
            settings=settings,
            partitions=tuple(partitions),
            accounting=None if accounts.rc == 0 else words(accounts),
            root=resolved,
            root_error=error,
            free_bytes=free,
            missing=missing,
        )

    def _folder(self, root: str) -> tuple[str | None, int | None]:
        """Whether a folder can be made and written to, and how much is free there."""
        probe = (
            'name=$(mktemp -- "$1/.probe.XXXXXX") && { printf x >"$name"; said=$?; rm -f -- "$name"; (exit "$said"); }'
        )
        said = self._ask.run(["sh", "-c", f'umask 077; mkdir -p -- "$1" && {probe}', "sh", root])
        space = self._ask.run(["df", "-Pk", "--", root])
        lines = text(space.out).splitlines()
        fields = lines[-1].split() if lines else []
        free = int(fields[3]) * 1024 if space.rc == 0 and len(fields) > 3 and fields[3].isdigit() else None  # noqa: PLR2004 -- POSIX df's column
        return (None if said.rc == 0 else words(said)), free


def _done(said: Completed) -> bool:
    """Whether scancel took all that it was told, or had nothing to do."""
    return said.rc == 0 or scancel.says_ended(text(said.err))


def _parsed(said: Completed, parse: Callable[[str], _T]) -> _T | None:
    return parse(text(said.out)) if said.rc == 0 else None
