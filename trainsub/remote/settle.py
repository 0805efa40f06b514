"""Find out what became of a submission whose answer was lost.

The fence is ``runs/<run>/owner.<link>``, a symbolic link made by ``ln -s``: it is created once, with its content, and
never changed.  These create it, and the first one decides:

* the job itself, as the first act of its script (its own id; if another word is there, it exits 0 at once),
* the submitting program, for the job that sbatch has just accepted, before it says "accepted",
* this settler, for a job that it found, before it says "accepted",
* this settler, with ``void``, before it says "no job",
* whoever removes the directory, with ``gone``: the submitting program if it gives up before sbatch, and whoever reads
  a refusal.  Only who wins the fence may remove the directory, so a ``void`` never vanishes.

So two that ask never hear contradicting answers, and "no job" is only said of what cannot happen any more.  Without the
claims made on the job's behalf the submit could say "accepted" and the settler, a moment later, "void": both truthfully
at their time, and a user who acted on the second would have lost the run that the first promised.

The races, S being the submitting program and Z the settler:

====================================================  ===============================================================
what happens                                          why at most one job trains, and what is said is true
====================================================  ===============================================================
S is receiving or unpacking                           its directory ``.new.<nonce>/<run>`` is young: Z says unknown
S never got its input, or died before the lock        Z makes the run's directory with ``void`` in it.  S, if it lives,
                                                      finds the lock taken: void
S is between the lock and sbatch                      the mark is young: Z says unknown.  Once the mark is older than
                                                      sbatch's limit Z voids; S looks at the fence before sbatch
S looked, Z voids, S calls sbatch                     the job ends at the fence; S finds ``void``, says so, and cancels
                                                      the job
S's sbatch was accepted, S was killed                 the answer is not there; Z finds the job by name in squeue or
                                                      sacct and claims the fence for it
S was killed, slurmctld accepts after Z looked        Z has voided; the job ends at the fence.  Z looks once more after
                                                      voiding, and names the job if it is there already
the job ran and has left squeue, sacct is down        the job made the fence itself: accepted
the answer is on disk, the fence not yet              Z claims the fence for the job in the answer
sbatch refused, the client is gone                    Z reads the refusal and removes the directory
S gives up while Z voids                              one of them wins the fence: either the directory goes, and Z
                                                      voids in a new one, or it stays with ``void`` in it
the remover died holding the fence                    the directory stays and blocks: unknown, and void after a while
two settlers                                          ``ln -s`` lets one win; both read the same word
the disk is full                                      nobody can void: unknown, until there is space again
====================================================  ===============================================================

Unknown is said if the submit may still be at work, if squeue or sacct could not be asked (a cluster without accounting
has said all it can), or if the fence cannot be written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from trainsub.errors import OutputError
from trainsub.record.names import Mark, parse_comment
from trainsub.remote.ask import Ask
from trainsub.remote.fence import Claim, Discard, FenceAsk, Look, State
from trainsub.remote.outcome import GONE, NO_FENCE, Verdict, judge, read_answer
from trainsub.remote.requests import Completed, RunCommand
from trainsub.slurm import sacct, squeue
from trainsub.tracker.values import ACCEPTED, REFUSED, UNKNOWN, VOID
from trainsub.transport.base import Transport

_GRACE = 40
"""Seconds beyond that limit until a submit without an answer is given up: ``-k 10``, and a slow file system."""
_WAIT = 10
"""Seconds to wait for the answer of a submit that seems to be at work."""
_ABANDONED = 600
"""Seconds after which nobody is removing a directory any more."""
_SILENT = 60
"""Seconds without a sign of life after which a submit is not on its way to the lock any more; it gives one each 10."""
_HISTORY = timedelta(days=30)
_SKEW = timedelta(days=1)
_NO_ACCOUNTING = b"accounting storage is disabled"
_NO_COMMAND = 127

_Jobs = dict[int, datetime | None]
"""Jobs that Slurm knows, and when it says that they were submitted."""


@dataclass(frozen=True, slots=True)
class SettleReply(Verdict):
    """What became of a submission; see Verdict.

    Attributes:
        others: More jobs of that name.  They end at the fence, because another job holds it.
        begun: When sbatch was called, by the cluster's clock, in UTC; of a job without such a mark, when Slurm says
            that it was submitted.  None if nobody can tell.
    """

    others: tuple[int, ...] = ()
    begun: datetime | None = None


def settle(
    transport: Transport,
    remote_root: str,
    run: str,
    link: int,
    *,
    slurm_bin: str = "",
    since: datetime | None = None,
) -> SettleReply:
    """Find out what became of a submission, and make sure that it stays so.

    Args:
        transport: How to get there.
        remote_root: As configured.
        run: Run id.
        link: The job's number in its run.
        slurm_bin: Where Slurm's commands are, if not on the PATH there.
        since: When the submission was begun, by the client's clock; default: 30 days ago.

    Returns:
        Accepted, refused (the run's directory is then removed), void, or unknown.

    Raises:
        TransportError: The cluster could not be talked to; nothing is known.
        RemoteFileError: The remote root belongs to another version of trainsub.
        OutputError: The remote program said something that means nothing.
    """
    begun = (since or datetime.now(UTC) - _HISTORY) - _SKEW
    with FenceAsk(transport, remote_root, run, link, slurm_bin=slurm_bin) as ask:
        return _settle(ask, run, link, begun)


def _settle(ask: Ask, run: str, link: int, begun: datetime) -> SettleReply:
    """Look at the run's directory, then at Slurm, then void."""
    state = ask.batch(Look())[0]
    if _undecided(state) and (_at_work(state) or state.owner == GONE or _preparing(state)):
        state = ask.batch(Look(_WAIT))[0]
    if not _undecided(state):
        return _from_directory(ask, state)
    if busy := _busy(state):
        return _unknown(busy)
    if state.owner == GONE:
        # Nobody called sbatch in it, or sbatch refused.
        return SettleReply(VOID)
    queue = RunCommand(squeue.by_name_argv(run), timeout=60)
    queued, recorded = ask.batch(queue, RunCommand(sacct.by_name_argv(run, begun), timeout=60))
    try:
        jobs = _queued(queued, run, link) or _recorded(recorded, link)
    except OutputError as error:
        return _unknown(error.message)
    if jobs:
        reply = _claimed(ask.batch(Claim(str(min(jobs))))[0], sorted(jobs))
        return replace(reply, begun=state.begun or jobs.get(reply.job_id or 0))
    return _void(ask, queue, run, link)


def _undecided(state: State) -> bool:
    return state.owner in {NO_FENCE, GONE} and read_answer(state.answer).outcome == UNKNOWN


def _busy(state: State) -> str:
    """Say what is still going on, which nobody should interfere with; nothing if the run is left alone."""
    if state.started is None:
        return "a submit of it is still sending or unpacking its files" if _preparing(state) else ""
    age = state.now - state.started
    if state.owner == GONE:
        return "the run's directory is being removed" if age < _ABANDONED else ""
    return f"the submit began {age} s ago and may still be at work" if _at_work(state) else ""


def _preparing(state: State) -> bool:
    """Whether a submit, perhaps from another machine, is on its way to the lock."""
    return state.started is None and state.seen is not None and state.now - state.seen < _SILENT


def _at_work(state: State) -> bool:
    """Whether there may still be an sbatch whose answer will be written.  Voiding then would be safe, but a pity."""
    if state.answer or state.started is None:
        return False
    return state.now - state.started < state.limit + _GRACE


def _from_directory(ask: Ask, state: State) -> SettleReply:
    """Return what the directory has decided, or decide what it says."""
    said = judge(state.owner, state.answer)
    if state.owner == NO_FENCE and said.job_id is not None:
        reply = _claimed(ask.batch(Claim(str(said.job_id)))[0], [said.job_id], said.cluster)
        return replace(reply, begun=state.begun)
    if said.outcome == REFUSED:
        ask.batch(Discard(state.answer))
    return _reply(said, state)


def _claimed(word: str, jobs: Sequence[int], cluster: str | None = None) -> SettleReply:
    """Return what the fence holds after it was claimed for the first of these jobs."""
    if word == VOID:
        detail = f"job {jobs[0]} came after the run was voided; it will not train"
        return SettleReply(VOID, jobs[0], cluster, detail, others=tuple(jobs[1:]))
    # If the fence cannot be written nobody can void the run either: the job is accepted.
    owner = int(word) if word.isdigit() else jobs[0]
    return SettleReply(ACCEPTED, owner, cluster, others=tuple(job for job in jobs if job != owner))


def _void(ask: Ask, queue: RunCommand, run: str, link: int) -> SettleReply:
    """Say "no job", and look once more."""
    word, state, queued = ask.batch(Claim(VOID), Look(), queue)
    if word.startswith(NO_FENCE):
        return _unknown(f"Slurm knows no such job, but this cannot be written down: {word[1:].strip()}")
    if word != VOID:
        return _reply(judge(word, state.answer), state)
    said = judge(word, state.answer)
    if said.job_id is not None:
        return _reply(said, state)
    try:
        jobs = _queued(queued, run, link)
    except OutputError:
        jobs = {}
    if not jobs:
        return _reply(said, state)
    return replace(_claimed(VOID, sorted(jobs)), begun=state.begun or jobs[min(jobs)])


def _queued(done: Completed, run: str, link: int) -> _Jobs:
    """Return the jobs of this link that squeue knows.

    Raises:
        OutputError: squeue did not answer.
    """
    if done.rc != 0:
        raise OutputError(f"squeue could not be asked (exit status {done.rc}): {_words(done)}")
    rows = squeue.parse(done.out.decode("utf-8", "replace"))
    # A site may rewrite comments, so only a comment that names something else speaks against a job of the right name.
    ours = [row for row in rows if row.name == run and parse_comment(row.comment) in {None, Mark(run, link)}]
    return _earliest((row.array_job_id or row.job_id, row.submit_time) for row in ours)


def _recorded(done: Completed, link: int) -> _Jobs:
    """Return the jobs of this run that the accounting knows.

    Raises:
        OutputError: sacct did not answer, or its records do not tell which link they are.
    """
    if done.rc == _NO_COMMAND or _NO_ACCOUNTING in done.err.lower():
        return {}
    if done.rc != 0:
        raise OutputError(f"sacct could not be asked (exit status {done.rc}): {_words(done)}")
    rows = sacct.parse(done.out.decode("utf-8", "replace"))
    if rows and link != 1:
        raise OutputError("sacct's records do not tell which link of the run a job is")
    return _earliest((row.array_job_id or row.job_id, row.submit) for row in rows)


def _earliest(rows: Iterable[tuple[int, datetime | None]]) -> _Jobs:
    """Return each job with its first submit time: a requeue makes another."""
    jobs: _Jobs = {}
    for job, submitted in rows:
        known = jobs.get(job)
        jobs[job] = min(known, submitted) if known and submitted else known or submitted
    return jobs


def _words(done: Completed) -> str:
    return " | ".join(done.err.decode("utf-8", "replace").strip().splitlines()[-3:]) or "it said nothing"


def _unknown(detail: str) -> SettleReply:
    return SettleReply(UNKNOWN, detail=detail)


def _reply(said: Verdict, state: State) -> SettleReply:
    return SettleReply(said.outcome, said.job_id, said.cluster, said.detail, said.text, begun=state.begun)
