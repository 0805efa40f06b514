"""Submit a plan, exactly once.

The order of things is the protocol (docs/explanation/exactly-once.md): settle what is open, record the intent, one
exec on the cluster, record the outcome. What is not known is called unknown and is never answered by sending again.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from trainsub import outcomes, parts
from trainsub.errors import ClusterError, StoreError, TrainsubError, TransportError, UsageError
from trainsub.plan import Plan
from trainsub.record import about
from trainsub.remote import Progress, SubmitReply, SubmitRequest
from trainsub.remote import submit as send
from trainsub.restoring import SCRIPT_FILE, SPEC_FILE, about_run, corrected
from trainsub.session import Session
from trainsub.settling import PATIENCE, settle_run, settle_soon
from trainsub.spec.own import FILE as OWN_FILE
from trainsub.spec.sweep import FILE as POINTS_FILE
from trainsub.tracker.begin import first_job, has_secrets
from trainsub.tracker.values import ACCEPTED, LINK, OPEN, REFUSED, UNKNOWN, VOID, Run

_TRIES = 3
"""How often a plan is sent that meets the refusal of somebody else's submission."""


def submit(session: Session, plan: Plan, *, progress: Progress | None = None) -> Run:
    """Submit a plan, or find the run that it already is.

    Args:
        session: What to work with.
        plan: What is to be submitted.
        progress: Called with the bytes of the code sent so far, and their total.

    Returns:
        The run, with its job.

    Raises:
        RefusedError: The cluster said no; there is no job.
        UsageError: A secret is not in the environment; nothing was sent.
        UnsettledError: It is not known whether there is a job, and a minute was not enough to find out; the next
            command tries again.
        TransportError: The cluster could not be reached, or the connection broke before it had everything: there is no
            job, and there will be none.
    """
    number = 1
    while (run := _submit(session, plan.renewed(number), progress)) is None:
        number += 1
    return run


def _submit(session: Session, plan: Plan, progress: Progress | None) -> Run | None:
    """Submit a plan as one run of its key; None if that run was given up before, so that it can never be."""
    with _claimed(session, plan.run):
        former = session.store.run(plan.run)
        if former is not None and former.outcome in {OPEN, UNKNOWN}:
            former = _settled(session, former)  # wherever it went, which need not be where this plan goes
        if former is not None and former.outcome == ACCEPTED:
            _tell_former(session, plan, former)
            return former
        if former is not None and former.outcome == VOID:
            return None
        secrets = _secrets(plan)
        run = _begun(session, plan)
        if run.outcome == ACCEPTED:
            return run
        request = _request(session, plan, run, secrets)
        tries = 0
        while True:
            tries += 1
            reply = _sent(session, former, run, request, progress)
            after = _recorded(session, plan, run, reply)
            if after.outcome == VOID and reply.existing:
                return None
            if after.outcome != REFUSED or reply.called or tries == _TRIES:
                return outcomes.told(plan, reply, after)
            # It is the answer to somebody else's submission of the key, perhaps with another spec, or may be. It is no
            # job, and whoever reads it removes it: so this plan is submitted after it.
            session.tell(f"run {run.run}: another submission of it was refused ({after.detail}); submitting this one")
            session.clock.sleep(1)
            session.store.reopen(run)


def _sent(
    session: Session, former: Run | None, run: Run, request: SubmitRequest, progress: Progress | None
) -> SubmitReply:
    """What the cluster says. An error is raised only while nothing had been sent: then there is nothing to settle."""
    try:
        return send(session.transport(run.cluster), request, progress, session.tell)
    except TrainsubError:
        if former is None:
            session.store.forget(run.run)
        else:
            session.store.reopen(former)
        raise


@contextmanager
def _claimed(session: Session, run: str) -> Iterator[None]:
    """Hold the claim on a run; whoever has it is waited for, and the user told so."""
    with session.store.claims.hold(run, wait=False) as held:
        if held:
            yield
            return
    session.tell(f"run {run} is being submitted by another trainsub on this machine; waiting for its outcome")
    with session.store.claims.hold(run):
        yield


def _tell_former(session: Session, plan: Plan, former: Run) -> None:
    """Say that this key has a run already."""
    where = f" on cluster {former.cluster}" if former.cluster != plan.cluster else ""
    other = outcomes.other_plan(plan, former)
    session.tell(f"run {former.run} was submitted before{where}{other}; that run stands, and nothing was sent")


def _begun(session: Session, plan: Plan) -> Run:
    """The recorded intent; or the accepted run of a twin.

    A twin is a run whose outcome is open, of a key that was drawn for just what this plan is: the same command typed
    again after a lost connection, or at once in two terminals. Its outcome is waited for, and is the answer. So is the
    first part of a sweep that was broken off before all of it was submitted.
    """
    while True:
        # Looking for twins and recording the intent is one thing: else two could begin at once and not see each other.
        with session.store.claims.hold(f"plan-{plan.plan_hash}"):
            twins = [run for run in session.store.unsettled(plan.cluster) if _is_twin(run, plan)]
            twins = twins or parts.begun(session, plan)
            if not twins:
                return _intent(session, plan)
        for run in twins:
            with _claimed(session, run.run):
                now = session.store.run(run.run)
                # None: nothing of it could be sent, and it was taken back.
                settled = None if now is None else _settled(session, now)
            if settled is not None and settled.outcome == ACCEPTED:
                job_id = settled.jobs[-1].job_id
                session.tell(f"an earlier submission of this was accepted as job {job_id}; not sent again")
                return settled


def _is_twin(run: Run, plan: Plan) -> bool:
    return plan.key_drawn and run.plan_hash == plan.plan_hash and run.run != plan.run


def _settled(session: Session, run: Run) -> Run:
    """The run with its outcome.

    Raises:
        UnsettledError: It is still not known.
    """
    settled = settle_run(session, run) if run.outcome in {OPEN, UNKNOWN} else run
    if settled.outcome in {OPEN, UNKNOWN}:
        raise outcomes.unsettled(settled)
    return settled


def _intent(session: Session, plan: Plan) -> Run:
    """Record what is about to be sent."""
    run = Run(
        run=plan.run,
        name=plan.spec.name,
        key=plan.key,
        cluster=plan.cluster,
        created_at=session.clock.now(),
        plan_hash=plan.plan_hash,
        outcome=OPEN,
        script=plan.script,
        spec=plan.spec.to_toml(),
        code=plan.code,
    )
    if not session.store.add_run(run):
        session.store.reopen(run)
    return run


def _secrets(plan: Plan) -> dict[str, str]:
    """The values of the plan's secrets, from this process's environment.

    Raises:
        UsageError: One is not set, or is empty, as a CI system leaves one that it does not know.
    """
    lacking = [name for name in plan.spec.secret_names if not os.environ.get(name)]
    if lacking:
        raise UsageError(
            f"secrets.names: {', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not set, or empty, here",
            hint="Export what [secrets] names, and submit again. Nothing was sent.",
        )
    return {name: os.environ[name] for name in plan.spec.secret_names}


def _request(session: Session, plan: Plan, run: Run, secrets: dict[str, str]) -> SubmitRequest:
    """What goes over the wire."""
    cluster = session.cluster(plan.cluster)
    packed = plan.snapshot
    return SubmitRequest(
        remote_root=cluster.remote_root,
        run=plan.run,
        link=LINK,
        files={
            SCRIPT_FILE: run.script.encode(),
            SPEC_FILE: run.spec.encode(),
            about.FILE: about_run(run, socket.gethostname()),
            **({} if plan.own is None else {OWN_FILE: plan.own.text.encode()}),
            **({} if plan.spec.sweep is None else {POINTS_FILE: plan.spec.sweep.parameters()}),
        },
        archive=packed.archive if packed else None,
        sha256=packed.sha256 if packed else "",
        size=packed.size if packed else 0,
        slurm_bin=cluster.slurm_bin,
        # Where a run is repeated, the code may be on the cluster only.
        send_archive_first=packed is not None
        and not session.store.was_sent(plan.cluster, packed.sha256)
        and packed.archive.exists(),
        secrets=secrets,
    )


def _recorded(session: Session, plan: Plan, run: Run, reply: SubmitReply) -> Run:
    """The run with its outcome, recorded. If the answer was lost, it is asked for."""
    now = session.clock.now()
    for note in reply.notes:
        session.tell(note)
    if reply.outcome == ACCEPTED and reply.job_id is not None:
        return _accepted(session, plan, run, reply, reply.job_id)
    if reply.outcome in {REFUSED, VOID}:
        session.store.settle(run.run, reply.outcome, reply.detail or None, now)
        if reply.kept and has_secrets(run):
            _cleared(session, run, reply)
        elif reply.kept and not reply.existing:
            session.tell("the refused run's directory may still be there")
        return replace(run, outcome=reply.outcome, detail=reply.detail)
    session.store.settle(run.run, UNKNOWN, reply.detail or None, now)
    session.tell(f"{reply.detail}; finding out what became of run {run.run}, for {PATIENCE:.0f} s at most")
    after = settle_soon(session, replace(run, outcome=UNKNOWN, detail=reply.detail))
    if after.outcome == ACCEPTED:
        session.tell(f"run {run.run} was accepted as job {after.jobs[-1].job_id}")
        if plan.snapshot is not None:
            session.store.sent(plan.cluster, plan.snapshot.sha256, session.clock.now())
    return after


def _accepted(session: Session, plan: Plan, run: Run, reply: SubmitReply, job_id: int) -> Run:
    """The run with its job, or with that of whoever submitted it before."""
    now = session.clock.now()
    job = first_job(run, job_id, reply.begun or now)
    try:
        session.store.settle(run.run, ACCEPTED, None, now, job)
    except StoreError as error:
        raise outcomes.unrecorded(plan, job, error) from error
    accepted = replace(run, outcome=ACCEPTED, jobs=(job,))
    if reply.existing:
        accepted = corrected(session, accepted)
        other = outcomes.other_plan(plan, accepted)
        session.tell(f"run {run.run} was submitted before, as job {job_id}{other}; that run stands")
    elif plan.snapshot is not None:
        session.store.sent(plan.cluster, plan.snapshot.sha256, now)
    return accepted


def _cleared(session: Session, run: Run, reply: SubmitReply) -> None:
    """Remove what is left of a refused submission with secrets over a new connection; else the next command does that.

    While its outcome counts as unknown, each command looks there.
    """
    session.drop(run.cluster)
    try:
        settle_run(session, run)
    except (TransportError, ClusterError) as error:
        session.store.settle(run.run, UNKNOWN, reply.detail or None, session.clock.now())
        session.tell(f"the secrets of run {run.run} may still be there; the next command looks: {error.message}")
