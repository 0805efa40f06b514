"""One trial: a submission that breaks, the next command, and all that was said meanwhile."""

import contextlib
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from faults.world import Job

from trainsub import Client
from trainsub.errors import TrainsubError, UnsettledError
from trainsub.plan import Plan
from trainsub.tracker.values import ACCEPTED, OPEN, REFUSED, UNKNOWN, VOID, Run

NONE = "none"
"""Said: there is no job, because nothing could be sent, or the cluster said no before sbatch."""
NEXT = ("submit", "status", "wait", "other")
"""The next command, in turn; ``other`` is a submit with the same key from a machine that knows nothing."""
TRIES = 40


@dataclass(frozen=True)
class Said:
    """What trainsub said of a run.

    Attributes:
        run: Run id.
        what: Its outcome, or ``none``.
        job_id: With ``accepted``.
    """

    run: str
    what: str
    job_id: int | None = None


@dataclass
class Trial:
    """What happened to one wish.

    Attributes:
        fault: How it was broken, in words.
        group: What it is counted under.
        runs: Ids that the wish may have as a run.
        said: All that was said, in order.
        by: The command that settled it; empty if none did.
        errors: What went wrong beside it.
    """

    fault: str
    group: str
    runs: tuple[str, ...]
    said: list[Said] = field(default_factory=list)
    by: str = ""
    errors: list[str] = field(default_factory=list)

    def hear(self, client: Client, plan: Plan, command: Callable[[], object]) -> None:
        """Run a command, and keep what it said of the wish."""
        try:
            command()
        except UnsettledError:
            pass
        except TrainsubError as error:
            if error.exit_code not in {4, 5}:
                self.errors.append(f"{type(error).__name__}: {error.message}")
            if not any(client_knows(client, run) for run in self.runs):
                self.said.append(Said(plan.run, NONE))
        except Exception:  # noqa: BLE001 - a bug, to be told with its trial
            self.errors.append(traceback.format_exc())
        self.note(client)

    def note(self, client: Client) -> None:
        """Keep what a client's store says now."""
        for run in known(client, self.runs):
            if run.outcome == ACCEPTED:
                self.said += [Said(run.run, ACCEPTED, job.job_id) for job in run.jobs]
            elif run.outcome in {REFUSED, VOID}:
                self.said.append(Said(run.run, run.outcome))

    def settled(self, client: Client) -> bool:
        """Whether the client knows an outcome of all that it has begun."""
        return not any(run.outcome in {OPEN, UNKNOWN} for run in known(client, self.runs))


def known(client: Client, runs: Sequence[str]) -> list[Run]:
    """What a client's store has of some runs."""
    return [run for run in client.status(cached=True).runs if run.run in runs]


def client_knows(client: Client, run: str) -> bool:
    """Whether a run is in the client's store."""
    return any(one.run == run for one in client.status(cached=True).runs)


def run_trial(trial: Trial, plan: Plan, client: Client, other: Client, *, then: str) -> None:
    """Submit over the broken way, then give the next command until it has settled the outcome.

    Args:
        trial: Where it is written down.
        plan: What is wished.
        client: Whose way breaks.
        other: A machine with a way of its own.
        then: The next command.
    """
    trial.hear(client, plan, lambda: client.submit(plan))
    restore_way(client)
    if trial.settled(client) and client_knows(client, plan.run):
        trial.by = "the same command"
    settle(trial, plan, client, other, then=then)


def restore_way(client: Client) -> None:
    """The network is back."""
    transport = client._session.transport("hpc")  # noqa: SLF001 - the client itself must not know
    if hasattr(transport, "away"):
        transport.away = False


def settle(trial: Trial, plan: Plan, client: Client, other: Client, *, then: str) -> None:
    """Give the next command, again where it says that the outcome is not known yet."""
    asked = other if then == "other" else client
    for number in range(TRIES):
        trial.hear(asked, plan, lambda: command(asked, plan, then))
        if trial.settled(asked) and trial.settled(client):
            trial.by = trial.by or (f"the next {then}" if number == 0 else f"a later {then}")
            return
        if then == "other":
            # The other machine's word is in; now that of the first one.
            trial.hear(client, plan, lambda: command(client, plan, "status"))
            if trial.settled(asked) and trial.settled(client):
                trial.by = trial.by or "the next other"
                return
        client._session.clock.sleep(20)  # noqa: SLF001 - as a user would wait


def command(client: Client, plan: Plan, then: str) -> None:
    """One command of a user."""
    if then in {"submit", "other"}:
        client.submit(plan)
        return
    runs = [run.run for run in client.status(cached=True).runs if run.key == plan.key]
    if not runs:
        return
    if then == "status":
        client.status(runs)
        return
    with contextlib.suppress(TrainsubError):
        client.wait(runs, timeout=600)


@dataclass
class Figures:
    """What came out of many trials."""

    trials: Counter[str] = field(default_factory=Counter)
    settled: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    trainings: int = 0
    late: int = 0
    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """All that must not be."""
        return [*self.duplicates, *self.lost, *self.false, *self.unsettled, *self.errors]

    def line(self) -> str:
        """One line of figures."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.trials.items()))
        by = ", ".join(f"{count} by {who}" for who, count in sorted(self.settled.items()))
        return (
            f"{self.trials.total()} trials ({kinds}): {self.jobs} jobs in Slurm, {self.trainings} trainings,"
            f" {len(self.duplicates)} duplicates, {len(self.lost)} lost, {len(self.false)} false statements,"
            f" {len(self.unsettled)} unsettled; settled {by}; {self.late} late jobs ended at the fence or cancelled"
        )


def judge(
    trials: Iterable[Trial], jobs: Sequence[Job], trainings: Sequence[tuple[str, int]], fence: Callable[[str], str]
) -> Figures:
    """Hold what was said against what is there.

    Args:
        trials: All that happened.
        jobs: What Slurm has, after all have ended.
        trainings: What trained.
        fence: The word in a run's fence; empty without one.
    """
    figures = Figures()
    of_run: dict[str, list[Job]] = {}
    for job in jobs:
        of_run.setdefault(job.name, []).append(job)
        if job.comment != f"trainsub:{job.name}:1":
            figures.errors.append(f"job {job.job_id} of {job.name} bears the comment {job.comment!r}")
    for trial in trials:
        figures.trials[trial.group] += 1
        figures.settled[trial.by or "nobody"] += 1
        where = f"{trial.fault}: {[(said.what, said.run[-8:], said.job_id) for said in trial.said]}"
        trained = [one for one in trainings if one[0] in trial.runs]
        there = [job for run in trial.runs for job in of_run.get(run, [])]
        figures.jobs += len(there)
        figures.trainings += len(trained)
        figures.late += len(there) - len(trained)
        figures.errors += [f"{where}: {error}" for error in trial.errors]
        if len(trained) > 1:
            figures.duplicates.append(f"{where}: {trained}")
        if not trial.by:
            figures.unsettled.append(where)
        figures.lost += [f"{where}: {lost}" for lost in _lost(trial, trained)]
        figures.false += [f"{where}: {false}" for false in _false(trial, there, trained, fence)]
    return figures


def _lost(trial: Trial, trained: Sequence[tuple[str, int]]) -> list[str]:
    """What was promised and did not train."""
    promised = {(said.run, said.job_id) for said in trial.said if said.what == ACCEPTED}
    return [f"{one} was accepted and did not train" for one in sorted(promised - set(trained), key=str)]


def _false(
    trial: Trial, there: Sequence[Job], trained: Sequence[tuple[str, int]], fence: Callable[[str], str]
) -> list[str]:
    """What was said and is not so."""
    found = []
    accepted = {said.run for said in trial.said if said.what == ACCEPTED}
    for said in {one for one in trial.said if one.what in {VOID, REFUSED, NONE}}:
        if said.what == NONE and said.run in accepted:
            continue  # it was submitted again afterwards
        if any(run == said.run for run, _ in trained):
            found.append(f"{said.what} was said of {said.run}, which trained")
        if said.what == VOID and fence(said.run) != "void":
            found.append(f"void was said of {said.run}, whose fence holds {fence(said.run)!r}")
    if trained and not accepted:
        found.append(f"{trained} trained, and nobody was told of it")
    if len(accepted) > 1:
        found.append(f"several runs of one key were accepted: {sorted(accepted)}")
    if len({said.job_id for said in trial.said if said.what == ACCEPTED}) > 1:
        found.append("several jobs were told as accepted")
    del there
    return found
