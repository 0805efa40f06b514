"""One submission, and what Slurm knows of it: the settler's questions by name, and which of the jobs are its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trainsub.errors import OutputError
from trainsub.record.names import Mark
from trainsub.remote import named
from trainsub.remote.ask import Ask
from trainsub.remote.fence import SameFolder
from trainsub.remote.named import NamedJob
from trainsub.remote.requests import Completed, RunCommand
from trainsub.slurm import scancel
from trainsub.tracker.values import LINK

_NO_ACCOUNTING = b"accounting storage is disabled"
_NO_COMMAND = 127


@dataclass(frozen=True, slots=True)
class Case:
    """One submission, and whom to ask about it.

    Attributes:
        ask: The conversation.
        root: The remote root as configured, checked.
        run: Run id.
        link: The job's number in its run.
    """

    ask: Ask
    root: str
    run: str
    link: int

    @property
    def queue(self) -> RunCommand:
        """The question to squeue."""
        return RunCommand(named.queue_argv(self.run), timeout=60)

    def accounts(self, since: datetime) -> RunCommand:
        """The question to sacct."""
        return RunCommand(named.accounts_argv(self.run, since), timeout=60)

    def queued(self, done: Completed, base: str) -> list[NamedJob]:
        """The submission's jobs that squeue knows.

        Args:
            done: What squeue answered.
            base: The remote root's absolute path.

        Raises:
            OutputError: squeue did not answer.
        """
        if done.rc != 0:
            raise OutputError(f"squeue could not be asked (exit status {done.rc}): {_words(done)}")
        return self._ours(named.parse_queue(_text(done.out), self.run), base)

    def recorded(self, done: Completed, base: str) -> list[NamedJob]:
        """The submission's jobs that the accounting knows.

        Raises:
            OutputError: sacct did not answer, or its records do not tell which link they are.
        """
        if done.rc == _NO_COMMAND or _NO_ACCOUNTING in done.err.lower():
            return []
        if done.rc != 0:
            raise OutputError(f"sacct could not be asked (exit status {done.rc}): {_words(done)}")
        jobs = named.parse_accounts(_text(done.out), self.run)
        if self.link != LINK and any(job.mark is None for job in jobs):
            raise OutputError("sacct's records do not tell which link of the run a job is")
        return self._ours(jobs, base)

    def seen(self, done: Completed, base: str) -> list[NamedJob]:
        """The submission's jobs that squeue shows; none if it does not answer, where nothing depends on it."""
        try:
            return self.queued(done, base)
        except OutputError:
            return []

    def cancel(self, jobs: Sequence[int]) -> str:
        """Cancel jobs by id and name, and say in words how that went."""
        said = self.ask.run(scancel.argv(jobs, name=self.run))
        done = said.rc == 0 or scancel.says_ended(_text(said.err))
        return "it is cancelled" if done else f"scancel: {_words(said)}"

    def _ours(self, jobs: Sequence[NamedJob], base: str) -> list[NamedJob]:
        """Those that are this submission's: a comment, or a folder, that names another one speaks against a job."""
        return [job for job in jobs if job.mark in {None, Mark(self.run, self.link)} and self._here(job.folder, base)]

    def _here(self, folder: str, base: str) -> bool:
        """Whether a job's folder may be the run's: one that a site has changed is, one below another root is not."""
        where = f"/runs/{self.run}/work"
        if folder == f"{base}{where}" or not folder.endswith(where):
            return True
        return self.ask.batch(SameFolder(folder))[0]


def submitted(jobs: Sequence[NamedJob], job_id: int | None) -> datetime | None:
    """When Slurm says that a job was submitted."""
    return next((job.submitted for job in jobs if job.job_id == job_id), None)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _words(done: Completed) -> str:
    return " | ".join(_text(done.err).strip().splitlines()[-3:]) or "it said nothing"
