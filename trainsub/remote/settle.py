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
S is told nothing any more (a black hole)             it needs nothing any more either once it has the lock; before, it
                                                      ends after some minutes, and Z has voided
S's sbatch was accepted, S was killed                 the answer is not there; Z finds the job by name in squeue or
                                                      sacct and claims the fence for it
S was killed, slurmctld accepts after Z looked        Z has voided; the job ends at the fence.  Z looks again after
                                                      voiding, some seconds later too if sbatch may have been called,
                                                      and cancels what is there: it need not wait for nodes to end
another remote root has a run of the same name        its jobs work in another folder: they are not taken for ours
the job ran and has left squeue, sacct is down        the job made the fence itself: accepted
the answer is on disk, the fence not yet              Z claims the fence for the job in the answer
sbatch refused, the client is gone                    Z reads the refusal and removes the directory
S gives up while Z voids                              one of them wins the fence: either the directory goes, and Z
                                                      voids in a new one, or it stays with ``void`` in it
the remover died holding the fence                    the directory stays: unknown, or the refusal, for ten minutes;
                                                      then ``gone`` is replaced by ``void`` for good (root.sh, bury).
                                                      A remover whose rename hangs for longer could still take it away
two settlers                                          ``ln -s`` lets one win; both read the same word
the disk is full                                      nobody can void: unknown, until there is space again
====================================================  ===============================================================

Unknown is said if the submit may still be at work, if squeue or sacct could not be asked (a cluster without accounting
has said all it can), or if the fence cannot be written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from trainsub.errors import OutputError
from trainsub.remote.case import Case, submitted
from trainsub.remote.fence import GRACE, Claim, Discard, FenceAsk, Look, State
from trainsub.remote.outcome import GONE, NO_FENCE, Verdict, judge, read_answer
from trainsub.remote.requests import FindRoot, RunCommand
from trainsub.remote.roots import check_root
from trainsub.tracker.values import ACCEPTED, REFUSED, UNKNOWN, VOID
from trainsub.transport.base import Transport

_WAIT = 10
"""Seconds to wait for the answer of a submit that seems to be at work."""
_SILENT = 60
"""Seconds without a sign of life after which a submit is not on its way to the lock any more; it gives one each 10."""
_SENDING = "a submit of it is still sending or unpacking its files"
_LATE = 5
"""Seconds after voiding, when a request that slurmctld had not yet worked off has become a job or never will."""
_HISTORY = timedelta(days=30)
_SKEW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SettleReply(Verdict):
    """What became of a submission; see Verdict.

    Attributes:
        others: More jobs of the run.  They end at the fence, because another job holds it.
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
        return _settle(Case(ask, check_root(remote_root), run, link), begun)


def recall(transport: Transport, remote_root: str, run: str, link: int, *, slurm_bin: str = "") -> tuple[int, ...]:
    """Cancel the jobs of a voided submission that Slurm accepted after all; see ``settle``.

    Returns:
        Their ids; none if it is not void, or if squeue does not answer.

    Raises:
        TransportError: The cluster could not be talked to.
        OutputError: The remote program said something that means nothing.
    """
    with FenceAsk(transport, remote_root, run, link, slurm_bin=slurm_bin) as ask:
        case = Case(ask, check_root(remote_root), run, link)
        base, state, queued = ask.batch(FindRoot(case.root), Look(), case.queue)
        jobs = [job.job_id for job in case.seen(queued, base)] if state.owner == VOID else []
        if jobs:
            case.cancel(jobs)
        return tuple(jobs)


def _settle(case: Case, begun: datetime) -> SettleReply:
    """Look at the run's directory, then at Slurm, then void."""
    ask = case.ask
    state = ask.batch(Look())[0]
    if _undecided(state) and (_at_work(state) or state.owner == GONE or _preparing(state)):
        state = ask.batch(Look(_WAIT))[0]
    if not _undecided(state):
        return _from_directory(case, state)
    if busy := _busy(state):
        return _unknown(busy)
    base, queued, recorded = ask.batch(FindRoot(case.root), case.queue, case.accounts(begun))
    try:
        jobs = case.queued(queued, base) or case.recorded(recorded, base)
    except OutputError as error:
        return _unknown(error.message)
    if jobs:
        ids = [job.job_id for job in jobs]
        reply = _claimed(case, ask.batch(Claim(str(ids[0])))[0], ids)
        return replace(reply, begun=state.begun or submitted(jobs, reply.job_id))
    return _void(case, base, called=state.started is not None)


def _undecided(state: State) -> bool:
    return state.owner in {NO_FENCE, GONE} and read_answer(state.answer).outcome == UNKNOWN


def _busy(state: State) -> str:
    """Say what is still going on, which nobody should interfere with; nothing if the run is left alone."""
    if state.started is None:
        return _SENDING if _preparing(state) else ""
    if state.owner == GONE:
        return "the run's directory is being removed"
    age = state.now - state.started
    return f"the submit began {age} s ago and may still be at work" if _at_work(state) else ""


def _preparing(state: State) -> bool:
    """Whether a submit is on its way to the lock, which nobody has."""
    return state.started is None and _on_its_way(state)


def _on_its_way(state: State) -> bool:
    """Whether a submit, perhaps from another machine, has not come to the lock yet."""
    return state.seen is not None and state.now - state.seen < _SILENT


def _at_work(state: State) -> bool:
    """Whether there may still be an sbatch whose answer will be written.  Voiding then would be safe, but a pity."""
    if state.answer or state.started is None:
        return False
    return state.now - state.started < state.limit + GRACE


def _from_directory(case: Case, state: State) -> SettleReply:
    """Return what the directory has decided, or decide what it says."""
    said = judge(state.owner, state.answer)
    if state.owner == NO_FENCE and said.job_id is not None:
        reply = _claimed(case, case.ask.batch(Claim(str(said.job_id)))[0], [said.job_id], said.cluster)
        return replace(reply, begun=state.begun)
    if said.outcome == REFUSED:
        if _on_its_way(state):
            return _unknown(_SENDING)  # the refusal is another submit's, and this one may still come to the lock
        case.ask.batch(Discard(state.answer))
    if said.outcome == VOID and said.job_id is not None:
        return replace(_too_late(case, [said.job_id], said.cluster), begun=state.begun)
    return _reply(said, state)


def _claimed(case: Case, word: str, jobs: Sequence[int], cluster: str | None = None) -> SettleReply:
    """Return what the fence holds after it was claimed for the first of these jobs."""
    if word == VOID:
        return _too_late(case, jobs, cluster)
    # If the fence cannot be written nobody can void the run either: the job is accepted.
    owner = (None if word.startswith(NO_FENCE) else judge(word, b"").job_id) or jobs[0]
    return SettleReply(ACCEPTED, owner, cluster, others=tuple(job for job in jobs if job != owner))


def _too_late(case: Case, jobs: Sequence[int], cluster: str | None = None) -> SettleReply:
    """Cancel jobs of a voided run: they would end at the fence, and need not wait for nodes to do so."""
    detail = f"job {jobs[0]} came after the run was voided; it will not train ({case.cancel(jobs)})"
    return SettleReply(VOID, jobs[0], cluster, detail, others=tuple(jobs[1:]))


def _void(case: Case, base: str, *, called: bool) -> SettleReply:
    """Say "no job", and look once more; later again, if sbatch may have been called."""
    word, state, queued = case.ask.batch(Claim(VOID), Look(), case.queue)
    if word.startswith(NO_FENCE):
        return _unknown(f"Slurm knows no such job, but this cannot be written down: {word[1:].strip()}")
    said = judge(word, state.answer)
    if word != VOID or said.job_id is not None:
        return _from_directory(case, replace(state, owner=word))
    jobs = case.seen(queued, base)
    if called and not jobs:
        _, queued = case.ask.batch(RunCommand(["sleep", str(_LATE)]), case.queue)
        jobs = case.seen(queued, base)
    if not jobs:
        return _reply(said, state)
    reply = _too_late(case, [job.job_id for job in jobs])
    return replace(reply, begun=state.begun or submitted(jobs, reply.job_id))


def _unknown(detail: str) -> SettleReply:
    return SettleReply(UNKNOWN, detail=detail)


def _reply(said: Verdict, state: State) -> SettleReply:
    return SettleReply(said.outcome, said.job_id, said.cluster, said.detail, said.text, begun=state.begun)
