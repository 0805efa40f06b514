"""Slurm asked by its own commands, over one conversation on a login node."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from trainsub.check.facts import ClusterFacts
from trainsub.errors import OutputError
from trainsub.record import exits
from trainsub.record.paths import RunPaths
from trainsub.remote import Ask, Completed, EndedError
from trainsub.scheduler.base import CancelAnswer
from trainsub.slurm import sacct, scancel, scontrol, sinfo, squeue, states, tres
from trainsub.tracker.track import Poll, accounted, is_ours
from trainsub.tracker.values import Job

MANY_SECONDS = 120
"""Patience with questions whose answers may be megabytes on a busy cluster."""
CLOCKS_APART = timedelta(days=1)
"""How much earlier than a job's submission sacct's window begins: clocks differ, and a wider window costs nothing."""
LISTING = 1 << 16
"""An exit record is one line; this is far more."""
NEEDED = ("sbatch", "squeue", "sacct", "scancel", "scontrol", "sha256sum", "tar", "gzip", "timeout", "mktemp")
"""What trainsub's remote side calls."""
_NO_ACCOUNTING = "accounting storage is disabled"
_T = TypeVar("_T")
Accounts = Mapping[int, Sequence[sacct.AccountRow]]


class SlurmCli:
    """One cluster's Slurm, by squeue, sacct, scancel, scontrol and sinfo.

    Args:
        ask: An open conversation.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def poll(self, jobs: Sequence[Job], *, root: str, everything: bool = False) -> Poll:
        """One question for all jobs, one for those that left the queue; see ``Scheduler``."""
        said = self._ask.run(squeue.argv(), timeout=MANY_SECONDS)
        if said.rc != 0:
            return Poll(queue=None, silence=_words(said))
        queue = {row.job_id: row for row in squeue.parse(_text(said.out))}
        gone = [job for job in jobs if everything or _left_queue(job, queue)]
        if not gone:
            return Poll(queue=queue)
        accounts, accounting, silence = self._accounts(gone)
        silent = [job for job in gone if job.job_id not in queue and not (accounts or {}).get(job.job_id)]
        return Poll(
            queue=queue,
            accounts=accounts,
            accounting=accounting,
            gpus_tracked=self._gpus_tracked(accounts or {}),
            silence=silence,
            records=self._records(silent, root),
        )

    def cancel(self, jobs: Sequence[Job], *, seen: bool) -> list[CancelAnswer]:
        """Cancel jobs by id; by name too unless squeue has just shown that they are ours, so that no other is hit."""
        answers = []
        for job in jobs:
            said = self._ask.run(scancel.argv([job.job_id], name="" if seen else job.run))
            fine = said.rc == 0 or scancel.says_ended(_text(said.err))
            answers.append(CancelAnswer(job.job_id, None if fine else _words(said)))
        return answers

    def facts(self, root: str) -> ClusterFacts:
        """What can be learned without submitting."""
        resolved = self._ask.root(root)
        look = 'for name do command -v "$name" >/dev/null || echo "$name"; done'
        missing = tuple(_text(self._ask.run(["sh", "-c", look, "sh", *NEEDED]).out).split())
        if "squeue" in missing:
            error, free = self._folder(resolved)
            return ClusterFacts(None, None, {}, (), None, resolved, error, free, missing)
        ping = self._ask.run(scontrol.ping_argv())
        settings = _parsed(self._ask.run(scontrol.config_argv()), scontrol.parse_config) or {}
        partitions = _parsed(self._ask.run(sinfo.argv()), sinfo.parse) or []
        accounts = self._ask.run(["sacct", "-n", "-X", "-S", "now"])
        version = _text(self._ask.run(["squeue", "--version"]).out).split()
        error, free = self._folder(resolved)
        return ClusterFacts(
            version=version[-1] if version else None,
            controller=None if ping.rc == 0 else _words(ping),
            settings=settings,
            partitions=tuple(partitions),
            accounting=None if accounts.rc == 0 else _words(accounts),
            root=resolved,
            root_error=error,
            free_bytes=free,
            missing=missing,
        )

    def _accounts(self, jobs: Sequence[Job]) -> tuple[Accounts | None, bool | None, str]:
        """sacct's records by job id, whether there are accounts at all, and why it could not be asked."""
        since = min(job.submitted for job in jobs) - CLOCKS_APART
        said = self._ask.run(sacct.argv([job.job_id for job in jobs], since), timeout=MANY_SECONDS)
        if said.rc != 0:
            disabled = _NO_ACCOUNTING in _text(said.err).lower()
            return None, False if disabled else None, "" if disabled else _words(said)
        found: dict[int, list[sacct.AccountRow]] = {}
        try:
            for row in sacct.parse(_text(said.out)):
                found.setdefault(row.job_id, []).append(row)
        except OutputError as error:
            return None, None, error.message  # what squeue said stands, and sacct is asked again
        return found, True, ""

    def _gpus_tracked(self, accounts: Mapping[int, Sequence[sacct.AccountRow]]) -> bool:
        """Whether a record without GPUs means none; asked only where there is such a record."""
        held = [row.alloc_tres for rows in accounts.values() for row in rows if row.alloc_tres]
        try:
            if all(tres.gpus(text) is not None for text in held):
                return False
            said = self._ask.run(scontrol.config_argv())
            return said.rc == 0 and scontrol.tracks_gpus(scontrol.parse_config(_text(said.out)))
        except EndedError:
            raise
        except OutputError:
            return False

    def _records(self, jobs: Sequence[Job], root: str) -> Mapping[int, Sequence[exits.ExitRecord]]:
        """The runs' own exit records, for jobs of which Slurm says nothing any more."""
        found: dict[int, list[exits.ExitRecord]] = {}
        for job in jobs:
            paths = RunPaths(root, job.run)
            names = [name for name in self._ask.list(paths.exits) if name.startswith(f"{job.job_id}.")]
            for name in sorted(
                names, key=lambda one: int(one.rpartition(".")[2]) if one.rpartition(".")[2].isdigit() else -1
            ):
                data = self._ask.read(f"{paths.exits}/{name}", LISTING)
                record = _record(data)
                if record is not None:
                    found.setdefault(job.job_id, []).append(record)
        return found

    def _folder(self, root: str) -> tuple[str | None, int | None]:
        """Whether a folder can be made and written to, and how much is free there."""
        probe = (
            'name=$(mktemp -- "$1/.probe.XXXXXX") && { printf x >"$name"; said=$?; rm -f -- "$name"; (exit "$said"); }'
        )
        said = self._ask.run(["sh", "-c", f'umask 077; mkdir -p -- "$1" && {probe}', "sh", root])
        space = self._ask.run(["df", "-Pk", "--", root])
        lines = _text(space.out).splitlines()
        fields = lines[-1].split() if lines else []
        free = int(fields[3]) * 1024 if space.rc == 0 and len(fields) > 3 and fields[3].isdigit() else None  # noqa: PLR2004 -- POSIX df's column
        return (None if said.rc == 0 else _words(said)), free


def _left_queue(job: Job, queue: Mapping[int, squeue.QueueRow]) -> bool:
    """Whether sacct should be asked: squeue does not list the job, or lists it as ended while its accounts are open."""
    row = queue.get(job.job_id)
    if row is None or not is_ours(row, job):
        return True
    return states.phase(row.state) == "finished" and not accounted(job)


def _record(data: bytes | None) -> exits.ExitRecord | None:
    """An exit record; None where it is not one, since a file on the cluster may hold anything."""
    if data is None:
        return None
    try:
        return exits.parse_exit(data.decode("utf-8", "replace"))
    except OutputError:
        return None


def _parsed(said: Completed, parse: Callable[[str], _T]) -> _T | None:
    return parse(_text(said.out)) if said.rc == 0 else None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _words(said: Completed) -> str:
    """What a command complained of, on one line."""
    text = " ".join(_text(said.err).split()) or " ".join(_text(said.out).split())
    return text or f"exit status {said.rc}"
