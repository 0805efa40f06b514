"""The accounts: periods of jobs and their steps, as rows of sacct. Pure.

A period begins with a submission, a requeue or a resize, and ends with the next one, or with the job.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from trainsub.minislurm.selection import JobName, SelectionError
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Job, Record

_OWN_CODE = frozenset({"COMPLETED", "FAILED", "OUT_OF_MEMORY"})
_BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of sacct: a period, or a step in it.

    Attributes:
        record: The period.
        step: The step, or None for the period itself.
        derived: Exit code and signal of the step of the period that ended with the highest code.
        tasks: Of the row of an array: the tasks that are told of.
    """

    record: Record
    step: Step | None = None
    derived: tuple[int, int] = (0, 0)
    tasks: tuple[int, ...] = ()

    @property
    def started(self) -> int | None:
        """When it began to hold nodes."""
        if self.step is not None:
            return self.step.start
        # Slurm notes a start, too, of a job that was cancelled before it had any; sacct tells it only of one that
        # nobody cancelled, because its dependency can never be satisfied.
        return self.record.start if self.record.shares or self._given_up else None

    @property
    def ended(self) -> int | None:
        """When it ended; of a job that its dependency has ended 24.11 does not say."""
        if self.step is not None:
            return self.step.end
        return None if self._given_up else self.record.end

    @property
    def _given_up(self) -> bool:
        return self.record.state == "CANCELLED" and self.record.stop_by is None and not self.record.shares

    @property
    def exit_code(self) -> tuple[int, int]:
        """Code and signal; what was stopped from outside has none."""
        if self.step is not None:
            return self.step.exit_code, self.step.exit_signal
        own = self.record.state in _OWN_CODE
        return (self.record.exit_code, self.record.exit_signal) if own else (0, 0)

    def elapsed(self, now: int) -> int:
        """Return for how many seconds it has held nodes."""
        if self.started is None or self._given_up:
            return 0
        return max(0, (now if self.ended is None else self.ended) - self.started)


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows sacct is asked for.

    Attributes:
        since: Not what ended before.
        until: Not what could not start before.
        jobs: By id; these are told of even if they could never start.
        states: In one of these states in that time.
        names: By name.
        users: Numbers of users.
        partitions: Names.
        accounts: Names.
        qos: Names.
        nodes: Those that held one of these.
    """

    since: int
    until: int
    jobs: tuple[JobName, ...] = ()
    states: frozenset[str] | None = None
    names: frozenset[str] | None = None
    users: frozenset[int] | None = None
    partitions: frozenset[str] | None = None
    accounts: frozenset[str] | None = None
    qos: frozenset[str] | None = None
    nodes: frozenset[str] | None = None

    def holds(self, record: Record) -> bool:
        """Whether a period is asked for."""
        ask = record.request
        wanted = (
            (self.names, ask.name),
            (self.partitions, ask.partition),
            (self.accounts, ask.account),
            (self.qos, ask.qos),
            (self.users, record.uid),
        )
        return (
            all(some is None or value in some for some, value in wanted)
            and (self.nodes is None or any(share.node in self.nodes for share in record.shares))
            and (not self.jobs or any(_meant(record, name) for name in self.jobs))
            and (self._in_time(record) if self.states is None else any(self._was(record, one) for one in self.states))
        )

    def _in_time(self, record: Record) -> bool:
        could = bool(self.jobs) if record.eligible is None else record.eligible <= self.until
        return could and (record.end is None or record.end >= self.since)

    def _was(self, record: Record, state: str) -> bool:
        start = record.start if record.shares else None
        lasts = record.end is None or record.end >= self.since
        if state == "PENDING":
            could = record.eligible is not None and record.eligible <= self.until
            return could and lasts and (start is None or start >= self.since)
        if state == "RUNNING":
            return start is not None and start <= self.until and lasts
        return record.state == state and record.end is not None and self.since <= record.end <= self.until


def rows(jobs: Iterable[Job], closed: Iterable[Record], steps: Iterable[Step], window: Window) -> list[Row]:
    """Return the periods that are asked for, each with its steps, in sacct's order."""
    records = sorted([*closed, *map(_record, jobs)], key=_place)
    of_job: dict[int, list[Step]] = {}
    for step in steps:
        of_job.setdefault(step.job_id, []).append(step)
    first: dict[tuple[int, int], Record] = {}
    found: list[Row] = []
    for record in records:
        # What begins before the resize belongs to the period before it.
        former = first.get((record.job_id, record.restarts))
        first[record.job_id, record.restarts] = record
        if not window.holds(record):
            continue
        since = former.end if former is not None and former.end is not None else -1
        own = [step for step in of_job.get(record.job_id, ()) if _is_in(step, record, since)]
        codes = [(step.exit_code, step.exit_signal) for step in own if step.name != _BATCH]
        array = record.array
        tasks = array.pending or array.cancelled if array is not None and array.task is None else ()
        found.append(Row(record, derived=max(codes, default=(0, 0)), tasks=tasks))
        found += [Row(record, _cut(step, record)) for step in sorted(own, key=_step_place)]
    return found


def newest(found: Sequence[Row]) -> list[Row]:
    """Return the rows without the periods that a later one of the same job follows; a resize is no such thing."""
    last = {row.record.job_id: row.record for row in found}
    return [row for row in found if row.record is last[row.record.job_id] or row.record.state == "RESIZING"]


def chosen(found: Iterable[Row], names: Sequence[JobName]) -> list[Row]:
    """Return the rows that the ids mean: ``12.0`` means the step alone, and leaves out those that nobody names."""
    if not names:
        return list(found)
    return [row for row in found if _chosen(row, [name for name in names if _meant(row.record, name)])]


def _chosen(row: Row, names: Sequence[JobName]) -> bool:
    steps = {name.step for name in names if name.step}
    if row.step is None:
        return any(not name.step for name in names)
    return bool(names) and (not steps or row.step.name in steps)


def spread(found: Iterable[Row]) -> list[Row]:
    """Return one row for each task of an array."""
    return [
        one
        for row in found
        for one in ([replace(row, tasks=(task,)) for task in row.tasks] if row.step is None and row.tasks else [row])
    ]


def check_step(name: JobName) -> JobName:
    """Return the name if its step can be one.

    Raises:
        SelectionError: It cannot.
    """
    if name.step and name.step not in {_BATCH, "extern", "interactive"} and not name.step.isdecimal():
        raise SelectionError(str(name.job_id))
    return name


def _record(job: Job) -> Record:
    record = job.record()
    # The accounts know at once what a job is stopped for, and nothing of its last seconds.
    return replace(record, state=job.stop or "RUNNING") if job.state == "COMPLETING" else record


def _place(record: Record) -> tuple[int, int, int, int]:
    array = record.array
    if array is None:
        return record.submit, 0, record.job_id, record.restarts
    return record.submit, array.job_id, record.job_id if array.task is None else array.task, record.restarts


def _step_place(step: Step) -> int:
    return int(step.name) if step.name.isdecimal() else -1


def _is_in(step: Step, record: Record, since: int) -> bool:
    if step.restarts != record.restarts or not record.shares:
        return False
    return step.start > since and (record.state != "RESIZING" or record.end is None or step.start <= record.end)


def _cut(step: Step, record: Record) -> Step:
    if record.state == "RESIZING" and record.end is not None and (step.end is None or step.end > record.end):
        return replace(step, state="RESIZING", end=record.end, exit_code=0, exit_signal=0)
    return step


def _meant(record: Record, name: JobName) -> bool:
    array = record.array
    array_id = array.job_id if array is not None else record.job_id
    return name.means(record.job_id, array_id, None if array is None else array.task)
