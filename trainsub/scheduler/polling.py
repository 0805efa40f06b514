"""One poll: squeue for all jobs, sacct and the runs' own records for those that left the queue, in two round trips."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from trainsub.errors import OutputError
from trainsub.record import exits
from trainsub.remote import (
    Ask,
    Completed,
    EndedError,
    ExitFile,
    FindRoot,
    ReadClock,
    ReadExits,
    Request,
    RunCommand,
    check_root,
)
from trainsub.scheduler.base import Before, Reply
from trainsub.scheduler.said import text, words
from trainsub.slurm import sacct, scontrol, squeue, tres
from trainsub.slurm.limits import says_too_often
from trainsub.tracker.poll import Poll
from trainsub.tracker.questions import asks_accounts, asks_records
from trainsub.tracker.schedule import accounts_due
from trainsub.tracker.values import Job

MANY_SECONDS = 120
"""Patience with questions whose answers may be megabytes on a busy cluster."""
CLOCKS_APART = timedelta(days=1)
"""How much earlier than a job's submission sacct's window begins: clocks differ, and a wider window costs nothing."""
LONGEST_ARGUMENT = 120_000
"""Bytes of job ids in one call of sacct: Linux takes no argument of 128 KiB or more (execve(2))."""
_NO_ACCOUNTING = "accounting storage is disabled"
Accounts = Mapping[int, Sequence[sacct.AccountRow]]


def poll(ask: Ask, jobs: Sequence[Job], before: Before, *, root: str, everything: bool = False) -> Reply:
    """Ask about jobs; see ``Scheduler.poll``.

    Raises:
        TransportError: The conversation broke.
        OutputError: squeue said something that cannot be read.
    """
    base, seconds, said = ask.batch(
        FindRoot(check_root(root)), ReadClock(), RunCommand(squeue.argv(), timeout=MANY_SECONDS)
    )
    held = says_too_often(text(said.err))
    if said.rc != 0:
        return Reply(Poll(queue=None, silence=words(said)), questions=1, held=held)
    clock = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    # Whose accounts are wanted is looked at anew.
    marks = {} if everything else {job.job_id: job.seen_row for job in jobs if job.seen_row is not None}
    news = squeue.parse_news(text(said.out), marks)
    jobs = [job for job in jobs if job.seen_row is None or job.job_id not in news.known]
    queue = {row.job_id: row for row in news.rows}
    first = Poll(queue=queue, accounting=before.accounting, clock=clock)
    gone = [job for job in jobs if everything or asks_accounts(job, first, before.now)]
    due = any(accounts_due(job, before.now, clock=clock, asked_at=before.accounts_at) for job in gone)
    if not gone or not (due or everything):
        reply = Reply(first, questions=1, held=held)
    else:
        reply = _with_accounts(ask, gone, before, base, first, held=held)
    return replace(reply, known=news.known, marks=news.marks)


def _with_accounts(ask: Ask, gone: Sequence[Job], before: Before, root: str, first: Poll, *, held: bool) -> Reply:
    """Ask sacct, and read the runs' own records, in one round trip."""
    calls = [RunCommand(argv, timeout=MANY_SECONDS) for argv in _sacct_calls(gone)]
    silent = sorted({job.run for job in gone if asks_records(job, first, before.now)})
    requests: list[Request[Completed | list[ExitFile]]] = [*calls, *([ReadExits(root, silent)] if silent else [])]
    answers = ask.batch(*requests)
    said = [one for one in answers if isinstance(one, Completed)]
    files = [file for one in answers if isinstance(one, list) for file in one]
    accounts, accounting, silence = _accounts(said)
    tracked, asked = _gpus_tracked(ask, accounts or {}, before)
    return Reply(
        Poll(
            queue=first.queue,
            accounts=accounts,
            accounting=accounting,
            gpus_tracked=bool(tracked),
            silence=silence,
            records=_records(files) if silent else None,
            clock=first.clock,
        ),
        questions=1 + len(calls) + asked,
        accounts=True,
        gpus_tracked=tracked if asked else None,
        held=held or any(says_too_often(text(one.err)) for one in said),
    )


def _sacct_calls(jobs: Sequence[Job]) -> Iterator[list[str]]:
    """sacct for all jobs: one call, or more if their ids are too long for one argument."""
    since = min(job.submitted for job in jobs) - CLOCKS_APART
    ids = sorted({job.job_id for job in jobs})
    room = LONGEST_ARGUMENT // (len(str(ids[-1])) + 1)
    for at in range(0, len(ids), room):
        yield sacct.argv(ids[at : at + room], since)


def _accounts(answers: Sequence[Completed]) -> tuple[Accounts | None, bool | None, str]:
    """sacct's records by job id, whether there are accounts at all, and why it could not be asked."""
    found: dict[int, list[sacct.AccountRow]] = {}
    for said in answers:
        if said.rc != 0:
            disabled = _NO_ACCOUNTING in text(said.err).lower()
            return None, False if disabled else None, "" if disabled else words(said)
        try:
            for row in sacct.parse(text(said.out)):
                found.setdefault(row.job_id, []).append(row)
        except OutputError as error:
            return None, None, error.message  # what squeue said stands, and sacct is asked again
    return found, True, ""


def _gpus_tracked(ask: Ask, accounts: Accounts, before: Before) -> tuple[bool | None, int]:
    """Whether a record without GPUs means none, and how many questions that took: it is asked where it matters."""
    held = [row.alloc_tres for rows in accounts.values() for row in rows if row.alloc_tres]
    try:
        if before.gpus_tracked is not None or all(tres.gpus(text) is not None for text in held):
            return before.gpus_tracked, 0
    except OutputError:
        return None, 0
    said = ask.run(scontrol.config_argv())
    try:
        return said.rc == 0 and scontrol.tracks_gpus(scontrol.parse_config(text(said.out))), 1
    except EndedError:
        raise
    except OutputError:
        return False, 1


def _records(files: Sequence[ExitFile]) -> Mapping[int, Sequence[exits.ExitRecord]]:
    """The runs' own exit records by job id, by the number of the restart."""
    found: dict[int, list[tuple[int, exits.ExitRecord]]] = {}
    for file in files:
        job_id, _, restart = file.name.partition(".")
        if not (job_id.isdecimal() and restart.isdecimal()):
            continue
        try:
            found.setdefault(int(job_id), []).append((int(restart), exits.parse_exit(file.text)))
        except OutputError:
            continue  # a file on the cluster may hold anything
    return {job_id: [record for _, record in sorted(ones)] for job_id, ones in found.items()}
