"""Runs as their directories on a cluster tell of them, for a store that does not know them, or not well.

Decides nothing about a submission: the fence and sbatch's answer are read as they are, and what they leave open is left
to settling.py.
"""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from trainsub import __version__
from trainsub.errors import ClusterError, OutputError, TransportError
from trainsub.record import about
from trainsub.remote.fence import GRACE, REMOVAL, SBATCH_TIMEOUT
from trainsub.remote.inventory import LARGEST, Found, InventoryAsk, TakeRuns
from trainsub.remote.outcome import GONE, NO_FENCE, Verdict, judge
from trainsub.remote.strays import Marked, joined
from trainsub.session import Session
from trainsub.tracker import arrays
from trainsub.tracker.begin import first_job
from trainsub.tracker.merge import merge
from trainsub.tracker.values import ACCEPTED, LINK, OPEN, VOID, Code, Job, Run

SPEC_FILE = "spec.toml"
SCRIPT_FILE = "script.sbatch"
DIGITS = len("-3f9a1c2e")
"""What a run id has behind the run's name."""
_YEARS = (1971, 5000)
"""Years in which runs are submitted; others are no times."""
NO_DIRECTORY = "its directory on the cluster is gone"


class BeingSubmittedError(Exception):
    """A directory is so young that its submit may still be at work: nothing is said of it yet."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """When a submit called sbatch, by the cluster's clock, and the seconds that it gave to it."""

    since: int
    limit: int = SBATCH_TIMEOUT


def about_run(run: Run, host: str) -> bytes:
    """What is left in the run's directory for others to know it by.

    Args:
        run: The intent.
        host: The name of this machine.
    """
    code = None if run.code is None else asdict(run.code)
    said = about.About(run.key, run.created_at.isoformat(), run.plan_hash, code, __version__, host)
    return about.format_about(said).encode()


def run_found(cluster: str, found: Found) -> Run:
    """The run that a directory tells of.

    Args:
        cluster: The cluster's name in the configuration.
        found: What is in the directory.

    Raises:
        OutputError: It cannot be read, or says what cannot be.
        BeingSubmittedError: Nothing can be said of it yet.
    """
    if found.changed is None:
        raise OutputError("it is no directory, or it vanished while it was read")
    if not found.readable:
        raise OutputError("its directory cannot be entered")
    marks = {link: mark for link, data in found.marks.items() if (mark := _mark(data))}
    verdicts = {
        link: judge(found.owners.get(link, NO_FENCE), found.answers.get(link, b""))
        for link in sorted({LINK, *found.owners, *found.answers})
    }
    first = verdicts[LINK]
    if first.outcome not in {ACCEPTED, VOID}:
        _refuse_young(found, marks.get(LINK))
    known = _known(found)
    mark = marks.get(LINK)
    begun = _moment(mark.since if mark else found.changed)
    run = Run(
        run=found.run,
        name=found.run[:-DIGITS],
        key=_plain(known.key) if known else "",
        cluster=cluster,
        created_at=(_time(known.created_at) if known else None) or begun,
        plan_hash=_plain(known.plan_hash) if known else "",
        outcome=first.outcome if first.outcome in {ACCEPTED, VOID} else OPEN,
        script=_text(found.files.get(SCRIPT_FILE, b"")),
        spec=_text(found.files.get(SPEC_FILE, b"")),
        code=_code(known.code) if known else None,
        detail=first.detail or None if first.outcome == VOID else None,
    )
    if run.outcome != ACCEPTED:
        return run
    return replace(run, jobs=tuple(_jobs(run, verdicts, {link: _moment(one.since) for link, one in marks.items()})))


def stray(cluster: str, jobs: list[Marked], now: datetime) -> Run:
    """The run of jobs that Slurm knows and whose directory is gone: little is left to know.

    Args:
        cluster: The cluster's name in the configuration.
        jobs: Its jobs; of several with the same number the oldest one is the run's.
        now: The time, where Slurm does not tell when a job was submitted.

    Raises:
        OutputError: It is not known which tasks an array has: it would be called finished while some go on.
    """
    name = jobs[0].run
    links: dict[int, Marked] = {}
    for one in sorted(jobs, key=lambda job: job.job_id):
        first = links.setdefault(one.link, one)
        if first.job_id == one.job_id:
            links[one.link] = joined(first, one)
    listed = tuple(_stray_job(links[link], now) for link in sorted(links))
    return Run(
        run=name,
        name=name[:-DIGITS],
        key="",
        cluster=cluster,
        created_at=min(job.submitted for job in listed),
        plan_hash="",
        outcome=ACCEPTED,
        script="",
        spec="",
        detail=NO_DIRECTORY,
        jobs=listed,
    )


def _stray_job(one: Marked, now: datetime) -> Job:
    """What is known of such a job before it was ever looked at."""
    if one.array == "":
        raise OutputError(
            f"{NO_DIRECTORY}, and Slurm does not list yet which tasks its array {one.job_id} has",
            hint="Sync again when all of them have begun.",
        )
    job = Job(run=one.run, link=one.link, job_id=one.job_id, submitted=one.submitted or now, array=one.array)
    return arrays.begin(job)


def corrected(session: Session, run: Run) -> Run:
    """A run that was accepted before this machine submitted it, as its directory tells of it: perhaps another plan's.

    What cannot be learned now stays as it is known.
    """
    cluster = session.cluster(run.cluster)
    try:
        with InventoryAsk(session.transport(run.cluster), cluster.remote_root, slurm_bin=cluster.slurm_bin) as ask:
            (found,) = ask.batch(TakeRuns([run.run], texts=True))[0]
        there = run_found(run.cluster, found)
    except (TransportError, ClusterError, BeingSubmittedError):
        return run
    tell_unread(session, run.cluster, found)
    if there.outcome != ACCEPTED:
        return run  # what made it accepted could not be written there
    before = replace(run, outcome=OPEN, jobs=())
    after = merge(before, there)
    # Its jobs, too: there it may be an array, and here none.
    jobs = after.jobs if [job.job_id for job in after.jobs] == [job.job_id for job in run.jobs] else run.jobs
    created = there.created_at if there.plan_hash else min(run.created_at, there.created_at)
    after = replace(after, jobs=jobs, created_at=created)
    if after == run:
        return run
    session.store.restore([(before, after)], session.clock.now())
    return after


def tell_unread(session: Session, cluster: str, found: Found) -> None:
    """Say which of a run's texts were left where they lie; what is known of it stands."""
    for name in found.large:
        session.tell_once(
            f"run {found.run}: its {name} on cluster {cluster} is larger than {LARGEST >> 20} MiB, and is not read"
        )


def _refuse_young(found: Found, mark: _Mark | None) -> None:
    """Leave alone what may still be decided by whoever submits it."""
    since = mark or _Mark(found.changed or found.now)
    patience = REMOVAL if found.owners.get(LINK) == GONE else since.limit + GRACE
    if found.now - since.since < patience:
        raise BeingSubmittedError


def _jobs(run: Run, verdicts: dict[int, Verdict], begun: dict[int, datetime]) -> list[Job]:
    """The jobs that were accepted."""
    return [
        first_job(run, said.job_id, begun.get(link, run.created_at), link=link)
        for link, said in verdicts.items()
        if said.outcome == ACCEPTED and said.job_id is not None
    ]


def _known(found: Found) -> about.About | None:
    """What the submission knew; None where it did not say, or where it cannot be read any more."""
    data = found.files.get(about.FILE)
    try:
        return None if data is None else about.parse_about(_text(data))
    except OutputError:
        return None


def _code(kept: dict[str, object] | None) -> Code | None:
    """The snapshot; None without code, and where what is kept is none."""
    match kept:
        case {"sha256": str(sha256), "size": int(size), "files": int(files), **more}:
            commit, dirty, untracked = more.get("commit"), more.get("dirty"), more.get("untracked")
            listed = [path for path in untracked if isinstance(path, str)] if isinstance(untracked, list) else []
            return Code(
                sha256,
                size,
                files,
                commit if isinstance(commit, str) else None,
                dirty if isinstance(dirty, bool) else None,
                tuple(listed),
            )
        case _:
            return None


def _mark(data: bytes) -> _Mark | None:
    """What the submit wrote before it called sbatch."""
    words = data.split()
    if not words or not all(word.isdigit() and len(word) < 12 for word in words[:2]):  # noqa: PLR2004 -- no time has more
        return None
    return _Mark(*map(int, words[:2]))


def _moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(max(0, min(epoch, 99_999_999_999)), UTC)  # the year 5138


def _time(text: str) -> datetime | None:
    """A time that another client wrote; None if it is none, without a zone, or at an end of the calendar."""
    try:
        time = datetime.fromisoformat(text)
        # What is near the first or the last year is none in another zone, or a day earlier or later.
        return time.astimezone(UTC) if time.tzinfo and _YEARS[0] <= time.year <= _YEARS[1] else None
    except (ValueError, OverflowError):
        return None


def _plain(text: str) -> str:
    """Text that the store can hold: JSON may carry halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
