"""A model of Slurm for the tracker's tests: what is true of a job or an array, and what each command says of it.

Not a fake of the commands: values only, as the parsers give them. It may be silent, late, forgetful, or lose its queue.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from trainsub.record.exits import ExitRecord
from trainsub.slurm.sacct import AccountRow
from trainsub.slurm.squeue import QueueRow
from trainsub.slurm.values import ExitCode

RUN = "demo-00c0ffee"
ARRAY = 100
GPUS = 8
T0 = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
NEVER = datetime(8831, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Period:
    """One record: from a submission or a requeue to an end."""

    submit: datetime
    start: datetime | None = None
    end: datetime | None = None
    state: str = "PENDING"
    code: int = 0

    @property
    def seconds(self) -> int:
        """How long it held nodes; 0 while it does, as nobody has counted yet."""
        return int((self.end - self.start).total_seconds()) if self.start and self.end else 0


@dataclass
class Truth:
    """One job, or one task.

    Attributes:
        index: Of a task; None for a plain job.
        periods: Oldest first; the last one is now.
        accounts: What the database has of them.
        listed: squeue still has it.
        records: What the script itself wrote, one for each period that ended by itself.
        dropped: It was cancelled alone while it waited, which leaves no trace.
        together: It was cancelled with all others that waited: their shared row ends.
    """

    index: int | None
    periods: list[Period]
    accounts: list[Period] = field(default_factory=list)
    listed: bool = True
    records: list[ExitRecord] = field(default_factory=list)
    dropped: bool = False
    together: bool = False

    @property
    def now(self) -> Period:
        """The newest period."""
        return self.periods[-1]

    @property
    def job_id(self) -> int:
        """Slurm's own id of it."""
        return ARRAY if self.index is None else ARRAY + 1 + self.index

    @property
    def sharing(self) -> bool:
        """Whether it waits in the row of its array."""
        return self.index is not None and len(self.periods) == 1 and self.now.start is None and self.alive

    @property
    def alive(self) -> bool:
        """Whether it waits or runs."""
        return self.now.end is None


class Slurm:
    """A cluster with one job or one array of ours on it.

    Args:
        tasks: Number of tasks of an array; None for a plain job.
    """

    def __init__(self, tasks: int | None) -> None:
        self.time = T0
        indices = [None] if tasks is None else range(tasks)
        self.truths = [Truth(index, [Period(T0)]) for index in indices]
        self.nameless = False
        """sacct's shared record names no index once it has ended, as on 22.05."""
        self.late = False
        """slurmdbd is behind: what happens does not reach the accounts."""
        self.sync()

    def sync(self) -> None:
        """The accounts catch up."""
        for truth in self.truths:
            known = {(one.submit, one.start): one for one in truth.periods}
            purged = bool(truth.accounts) and truth.accounts[0].submit != truth.periods[0].submit
            if truth.dropped:
                truth.accounts = []
                continue
            truth.accounts = [one for one in known.values() if not purged or one.submit >= truth.accounts[0].submit]

    def tick(self, seconds: int) -> None:
        """Time passes."""
        self.time += timedelta(seconds=seconds)

    def change(self, truth: Truth, **values: object) -> None:
        """Something happens to the newest period, and to the accounts if they are not late."""
        truth.periods[-1] = replace(truth.now, **values)  # type: ignore[arg-type]
        if not self.late:
            self.sync()

    def start(self, truth: Truth) -> None:
        """It is given nodes."""
        self.change(truth, start=self.time, state="RUNNING")

    def end(self, truth: Truth, state: str, code: int, *, record: bool) -> None:
        """It ends, and the script may write its record first."""
        begun = truth.now.start
        if record and begun is not None:
            own = ExitRecord(code, int(begun.timestamp()), int(self.time.timestamp()), "n1")
            truth.records.append(own if truth.index is None else own._replace(array=ARRAY, task=truth.index))
        self.change(truth, end=self.time, state=state, code=code)

    def requeue(self, truth: Truth, state: str, *, late: bool = False) -> None:
        """It goes back to the queue; the record that it had is closed, and the new one may be late."""
        if truth.alive:
            self.change(truth, end=self.time, state=state)
        self.late = self.late or late
        truth.periods.append(Period(self.time))
        truth.listed = True
        self.change(truth)

    def drop(self, truth: Truth) -> None:
        """A task that shares its array's row is cancelled: the row goes on without it."""
        truth.dropped, truth.listed = True, False
        self.change(truth, end=self.time, state="CANCELLED")

    def cancel_waiting(self) -> None:
        """All tasks that share the array's row are cancelled: the row itself ends."""
        for truth in self.truths:
            if truth.listed and truth.sharing:
                truth.together = True
                self.change(truth, end=self.time, state="CANCELLED")

    def lose_queue(self) -> None:
        """The controller starts with an empty state directory: nobody will ever close the records."""
        for truth in self.truths:
            truth.listed = False

    def purge(self, truth: Truth) -> None:
        """The site removes records of what ended more than a week ago; the shared one is of all who share it."""
        for one in self.truths:
            if one is truth or (one.together and truth.together):
                one.accounts = [old for old in one.accounts if old.end is None or self.time - old.end < WEEK]

    # -- what the commands say ----------------------------------------------------------------------------------

    def squeue(self, *, hidden: frozenset[int | None] = frozenset(), apart: bool = False) -> list[QueueRow]:
        """Rows of squeue.

        Args:
            hidden: Indices whose rows are missing.
            apart: Tasks that wait after a requeue have rows of their own; else they share that of the others.
        """
        shown = [truth for truth in self.truths if truth.listed and truth.index not in hidden]
        shared = [
            truth
            for truth in shown
            if truth.index is not None
            and truth.alive
            and truth.now.start is None
            and not (apart and len(truth.periods) > 1)
        ]
        together = [truth for truth in shown if truth.together and not truth.alive]
        rows = [self._queue_row(truth) for truth in shown if truth not in shared and truth not in together]
        if together:
            row = self._queue_row(together[0])
            rows.append(replace(row, job_id=ARRAY, array_job_id=None, array_task=None))
        if shared:
            listed = ",".join(str(truth.index) for truth in shared)
            row = self._queue_row(shared[0])
            rows.append(replace(row, job_id=ARRAY, array_task=None, array_pending=f"{listed}%2"))
        return rows

    def _queue_row(self, truth: Truth) -> QueueRow:
        one = truth.now
        return QueueRow(
            job_id=truth.job_id, array_job_id=None if truth.index is None else ARRAY, array_task=truth.index,
            array_pending=None, state=one.state, reason="", name=RUN, comment=f"trainsub:{RUN}:1", partition="gpu",
            submit_time=one.submit, start_time=one.start or NEVER, end_time=one.end, nodes=1, nodelist="",
            restarts=len(truth.periods) - 1, tres=f"gres/gpu={GPUS}",
        )  # fmt: skip

    def sacct(self) -> list[AccountRow]:
        """Records of sacct; tasks that never started share one."""
        rows = [
            self._account_row(truth, one)
            for truth in self.truths
            for one in truth.accounts
            if truth.index is None or one.start is not None or one.submit != T0 or (one.end and not truth.together)
        ]
        waiting = [
            (truth, one)
            for truth in self.truths
            for one in truth.accounts
            if truth.index is not None and one.start is None and one.end is None and one.submit == T0
        ]
        if waiting:
            listed = ",".join(str(truth.index) for truth, _ in waiting)
            shared = self._account_row(*waiting[0])
            rows.append(replace(shared, job_id=ARRAY, array_task=None, array_pending=f"{listed}%2"))
        ended = [truth for truth in self.truths if truth.together and truth.accounts and truth.accounts[0].end]
        if ended:
            shared = self._account_row(ended[0], ended[0].accounts[0])
            listed = ",".join(str(truth.index) for truth in ended)
            named = {"array_job_id": None} if self.nameless else {"array_pending": f"{listed}%2"}
            rows.append(replace(shared, job_id=ARRAY, array_task=None, **named))
        return rows

    def _account_row(self, truth: Truth, one: Period) -> AccountRow:
        word = "CANCELLED by 1000" if one.state == "CANCELLED" else one.state
        running = one.start is not None and one.end is None
        seconds = int((self.time - one.start).total_seconds()) if running and one.start else one.seconds
        return AccountRow(
            job_id=truth.job_id, array_job_id=None if truth.index is None else ARRAY, array_task=truth.index,
            array_pending=None, state=word, submit=one.submit, eligible=one.submit, start=one.start, end=one.end,
            elapsed=seconds, suspended=0, alloc_tres=f"gres/gpu={GPUS}" if one.start else "", nodes=1, nodelist="n1",
            partition="gpu", account="research", exit_code=ExitCode(one.code, 0), name=RUN,
        )  # fmt: skip

    def exit_records(self) -> dict[int, list[ExitRecord]]:
        """The records in the run's directory, by job id."""
        return {truth.job_id: truth.records for truth in self.truths if truth.records}
