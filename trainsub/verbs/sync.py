"""Learn from a cluster itself which runs lie on it, for a machine whose store is lost, or another one.

Reads only: nothing is submitted, cancelled or given up, but for what the settler decides about submissions whose
outcome nobody knows, by the same rules as ever.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from trainsub import poller
from trainsub.errors import ClusterError, OutputError, SlurmSilentError, TrainsubError, TransportError
from trainsub.record.names import is_run_id
from trainsub.record.paths import RunPaths
from trainsub.remote import Completed, strays
from trainsub.remote.inventory import Found, InventoryAsk, ListRuns
from trainsub.restoring import BeingSubmittedError, run_found, stray, tell_unread
from trainsub.scheduler import SlurmCli
from trainsub.session import Session
from trainsub.tracker.merge import contradiction, merge
from trainsub.tracker.values import ACCEPTED, REFUSED, VOID, Run

HISTORY = timedelta(days=90)
"""How far back the accounts are searched for jobs whose runs have no directory any more."""
MANY_SECONDS = 120
"""Patience with questions whose answers may be megabytes on a busy cluster."""

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Synced:
    """What was found on a cluster; each list holds run ids.

    Attributes:
        cluster: Its name.
        root: The absolute path of its remote root.
        restored: Runs that were not known here.
        updated: Runs of which something was not known here.
        known: Runs of which everything was known.
        gone: Runs that have jobs and whose directory on the cluster is gone.
        coming: Runs that are being submitted just now; nothing is said of them.
        unreadable: Runs of which nothing can be said, or nothing that fits what is known here, and why.
        foreign: Names in the directory of runs that are none.
        unasked: Why Slurm could not be asked; None if it answered.
    """

    cluster: str
    root: str = ""
    restored: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    coming: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)
    unasked: TrainsubError | None = None


def sync(session: Session, cluster: str, *, progress: Progress | None = None) -> Synced:
    """Record all runs that lie on a cluster, and what Slurm knows of their jobs.

    Args:
        session: What to work with.
        cluster: The cluster's name in the configuration.
        progress: Called with the number of directories read so far, and of all.

    Raises:
        TransportError: The cluster could not be talked to; what was read before is recorded.
        RemoteFileError: The runs cannot be listed, or belong to another version of trainsub.
    """
    config = session.cluster(cluster)
    done = Synced(cluster)
    with InventoryAsk(session.transport(cluster), config.remote_root, slurm_bin=config.slurm_bin) as ask:
        done.root = ask.root(config.remote_root)
        # Before the directories are listed: a job that is there has had one.
        jobs = _marked(session, ask, done)
        listing = ask.batch(ListRuns())[0]
        if listing is None:
            session.tell(f"there is no {done.root}/runs on cluster {cluster}; remote_root says where runs lie")
        names = () if listing is None else listing.names
        done.coming = sorted(set(() if listing is None else listing.coming))
        done.foreign = [name for name in names if not is_run_id(name)]
        _take_runs(session, ask, [name for name in names if is_run_id(name)], done, progress)
        _take_strays(session, jobs, frozenset(names), done)
        _ask_slurm(session, done, lambda: _update(session, ask, done))
    if session.store.unsettled(cluster):
        _ask_slurm(session, done, lambda: poller.refresh(session, cluster))
    return done


def _take_runs(
    session: Session, ask: InventoryAsk, names: Sequence[str], done: Synced, progress: Progress | None
) -> None:
    """Read the directories, and record what they say, some at a time."""
    known = {run.run: run for run in session.store.runs()}
    complete = {name for name, run in known.items() if run.outcome == ACCEPTED and run.key and run.spec and run.script}
    count = 0
    for texts in (True, False):
        for batch in ask.take([name for name in names if (name in complete) != texts], texts=texts):
            pairs = [pair for found in batch if (pair := _compared(session, done, found, known)) is not None]
            session.store.restore(pairs, session.clock.now())
            count += len(batch)
            if progress is not None:
                progress(count, len(names))


def _compared(
    session: Session, done: Synced, found: Found, all_known: Mapping[str, Run]
) -> tuple[Run | None, Run] | None:
    """A run as it was known and as it is known now; None where that is the same, or nothing can be said."""
    known = all_known.get(found.run)
    try:
        there = run_found(done.cluster, found)
    except BeingSubmittedError:
        done.coming.append(found.run)
        return None
    except OutputError as error:
        done.unreadable[found.run] = error.message
        return None
    tell_unread(session, done.cluster, found)
    if known is None:
        done.restored.append(found.run)
        return None, there
    if known.cluster != done.cluster:
        return _elsewhere(done, known, there)
    if known.outcome != ACCEPTED:
        _claimed(session, done, there)
        return None
    return _merged(done, known, there)


def _claimed(session: Session, done: Synced, there: Run) -> None:
    """Record what became of a submission that was not known to be accepted, unless a command is just at it."""
    with session.store.claims.hold(there.run, wait=False) as held:
        now = session.store.run(there.run) if held else None
        if now is None:
            done.coming.append(there.run)  # by another command on this machine
            return
        pair = _merged(done, now, there)
        if pair is not None:
            session.store.restore([pair], session.clock.now())


def _merged(done: Synced, known: Run, there: Run) -> tuple[Run, Run] | None:
    """What the two make together."""
    if why := contradiction(known, there):
        done.unreadable[known.run] = why
        return None
    after = merge(known, there)
    if after == known:
        done.known.append(known.run)
        return None
    done.updated.append(known.run)
    return known, after


def _elsewhere(done: Synced, known: Run, there: Run) -> tuple[Run, Run] | None:
    """One id on two clusters: the run that was accepted is the run; a store has only one of each id."""
    if known.outcome in {REFUSED, VOID} and there.outcome == ACCEPTED:
        done.updated.append(known.run)
        return known, there
    done.unreadable[known.run] = f"a run of the same id is known here on cluster {known.cluster}"
    return None


def _marked(session: Session, ask: InventoryAsk, done: Synced) -> list[strays.Marked]:
    """The jobs of trainsub that Slurm knows of this account, whatever is known of their runs."""
    now = session.clock.now()
    found: list[strays.Marked] = []
    try:
        found += strays.parse_queue(_text(ask.run(strays.queue_argv(), timeout=MANY_SECONDS), "squeue"))
        found += strays.parse_accounts(_text(ask.run(strays.accounts_argv(now - HISTORY), timeout=MANY_SECONDS), ""))
    except (SlurmSilentError, OutputError) as error:
        done.unasked = error
    return found


def _text(said: Completed, program: str) -> str:
    """What a command printed; nothing where it failed and may, as sacct where there are no accounts.

    Raises:
        SlurmSilentError: It had to answer and did not.
    """
    if said.rc == 0:
        return said.out.decode("utf-8", "replace")
    if program:
        words = " ".join(said.err.decode("utf-8", "replace").split()) or f"exit status {said.rc}"
        raise SlurmSilentError(f"{program} does not answer: {words}", hint="Try again later.")
    return ""


def _take_strays(session: Session, jobs: Sequence[strays.Marked], there: frozenset[str], done: Synced) -> None:
    """Record jobs whose runs have no directory below this root any more, and tell of all such runs."""
    of_run: dict[str, list[strays.Marked]] = {}
    for job in jobs:
        gone = job.run not in there and job.run not in done.coming
        if gone and job.folder == RunPaths(done.root, job.run).work:
            of_run.setdefault(job.run, []).append(job)
    known = {run.run: run for run in session.store.runs()}
    now = session.clock.now()
    pairs: list[tuple[Run | None, Run]] = []
    for run, mine in of_run.items():
        try:
            pairs += [] if run in known else [(None, stray(done.cluster, mine, now))]
        except OutputError as error:
            done.unreadable[run] = error.message
    session.store.restore(pairs, now)
    done.restored += [run.run for _, run in pairs]
    held = [run.run for run in known.values() if run.cluster == done.cluster and run.jobs and run.run not in there]
    done.gone = sorted({*of_run, *held})


def _ask_slurm(session: Session, done: Synced, question: Callable[[], None]) -> None:
    """Ask; what Slurm does not answer now is asked by the next command."""
    try:
        question()
    except (TransportError, ClusterError) as error:
        session.drop(done.cluster)
        done.unasked = error


def _update(session: Session, ask: InventoryAsk, done: Synced) -> None:
    poller.update(session, done.cluster, SlurmCli(ask), root=done.root, everything=True)
