"""The tracker beside a model of Slurm, under any interleaving of what happens there and of what is heard of it."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tracker.world import ARRAY, GPUS, RUN, T0, Slurm, Truth

from trainsub.documents.build import job_phase
from trainsub.slurm import states
from trainsub.slurm.sacct import AccountRow
from trainsub.slurm.squeue import QueueRow
from trainsub.tracker import allocations, arrays
from trainsub.tracker.poll import REQUEUED_WITHIN, Poll
from trainsub.tracker.single import RUNAWAY_PATIENCE
from trainsub.tracker.track import accounted, finished, observe
from trainsub.tracker.values import Job

ENDS = st.sampled_from([("COMPLETED", 0), ("FAILED", 3), ("CANCELLED", 0), ("TIMEOUT", 0), ("NODE_FAIL", 1)])
REQUEUES = ("REQUEUED", "NODE_FAIL", "PREEMPTED")
MOSTLY = st.sampled_from([True, True, True, False])
WHICH = st.integers(0, 2)
LATER = timedelta(days=40)


class Machine(RuleBasedStateMachine):
    """One run of ours on a cluster; a laptop whose clock is off asks now and then."""

    @initialize(tasks=st.none() | st.just(3), skew=st.sampled_from([0, -7200, 7200]))
    def submit(self, tasks: int | None, skew: int) -> None:
        """sbatch has answered."""
        self.slurm = Slurm(tasks)
        self.skew = timedelta(seconds=skew)
        plain = Job(RUN, 1, ARRAY, T0, array=None if tasks is None else "0-2%2")
        self.job = arrays.begin(plain)
        self.words: dict[int | None, set[str]] = {truth.index: set() for truth in self.slurm.truths}
        self.ends: dict[int | None, bool] = dict.fromkeys(self.words, False)
        self.shown: dict[int | None, datetime] = {}
        self.told: dict[int | None, dict[tuple[datetime, datetime], int]] = {index: {} for index in self.words}
        self.lost_since: datetime | None = None

    # -- what happens there -------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([70, 400, 1200, 90_000]))
    def time_passes(self, seconds: int) -> None:
        """Seconds, or a day."""
        self.slurm.tick(seconds)

    @rule(
        which=WHICH,
        end=ENDS,
        record=st.booleans(),
        requeued=st.sampled_from(["", "", *REQUEUES]),
        late=st.sampled_from([False, False, True]),
    )
    def life_goes_on(self, which: int, end: tuple[str, int], requeued: str, *, record: bool, late: bool) -> None:
        """What waits starts; what runs ends, or is put back; even what has just ended may be."""
        truth = self.truth(which)
        self.slurm.tick(10)
        if not truth.listed:
            return
        if truth.alive and truth.now.start is None:
            self.slurm.start(truth)
        elif requeued and (truth.now.end is None or self.slurm.time - truth.now.end < REQUEUED_WITHIN):
            if truth.now.start is not None:
                self.slurm.requeue(truth, requeued, late=late)
        elif truth.alive:
            self.slurm.end(truth, *end, record=record)

    @rule(which=WHICH)
    def cancel_what_was_requeued(self, which: int) -> None:
        """It waits again, with a row of its own, and is cancelled there."""
        truth = self.truth(which)
        if truth.alive and truth.listed and truth.now.start is None and not truth.sharing:
            self.slurm.tick(10)
            self.slurm.end(truth, "CANCELLED", 0, record=False)

    @rule(which=WHICH)
    def cancel_one_that_waits(self, which: int) -> None:
        """scancel 100_2: it is gone without a trace."""
        if self.truth(which).sharing and self.truth(which).listed:
            self.slurm.drop(self.truth(which))

    @rule(nameless=st.booleans())
    def cancel_all_that_wait(self, *, nameless: bool) -> None:
        """scancel --state=PENDING: their shared row ends, and 22.05 names no index then."""
        if not any(truth.together for truth in self.slurm.truths):
            self.slurm.nameless = nameless
            self.slurm.cancel_waiting()

    @rule(which=WHICH)
    def queue_forgets(self, which: int) -> None:
        """squeue forgets what ended minutes ago."""
        truth = self.truth(which)
        truth.listed = truth.listed and truth.alive

    @rule()
    def controller_loses_its_state(self) -> None:
        """A cold start: runaway records."""
        self.slurm.lose_queue()

    @rule()
    def accounts_fall_behind(self) -> None:
        """Slurmdbd cannot be reached by slurmctld."""
        self.slurm.late = True

    @rule()
    def accounts_catch_up(self) -> None:
        """It can again."""
        self.slurm.late = False
        self.slurm.sync()

    @rule(which=WHICH)
    def records_are_purged(self, which: int) -> None:
        """A week passes; retention is over for what ended before."""
        self.slurm.tick(8 * 86_400)
        self.slurm.purge(self.truth(which))

    # -- what is heard of it ------------------------------------------------------------------------------------

    @rule(accounts=st.booleans())
    def squeue_is_silent(self, *, accounts: bool) -> None:
        """A failed question changes nothing but what sacct adds to the bill."""
        before = self.job
        self.ask(None, self.slurm.sacct() if accounts else None)
        bare = {"allocations": (), "tasks": ()}
        assert replace(self.job, **bare) == replace(before, **bare)  # type: ignore[arg-type]
        for one, other in zip(parts(self.job), parts(before), strict=True):
            assert replace(one, **bare) == replace(other, **bare)  # type: ignore[arg-type]

    @rule(
        hidden=st.sampled_from([frozenset[int | None]()] * 5 + [frozenset([index]) for index in (None, 0, 1, 2)]),
        apart=st.booleans(),
        accounts=MOSTLY,
        accounting=MOSTLY,
        records=st.booleans(),
        stranger=st.sampled_from(["", "", "", "named", "earlier"]),
    )
    def cluster_answers(
        self,
        hidden: frozenset[int | None],
        stranger: str,
        *,
        apart: bool,
        accounts: bool,
        accounting: bool,
        records: bool,
    ) -> None:
        """Squeue answers; sacct may be silent or not there; another's job may bear our id."""
        # A row that names no index is of all that never began: squeue hides none of the others then.
        nameless = any(truth.together for truth in self.slurm.truths)
        queue = self.slurm.squeue(hidden=frozenset() if nameless else hidden, apart=apart)
        rows = self.slurm.sacct() if accounts and accounting else None
        taken = {row.job_id for row in queue}
        queue += [other for row in self.others(stranger) if (other := self.strange(row, stranger)).job_id not in taken]
        if rows is not None and stranger:
            rows = [*rows, *(strange_record(row, stranger) for row in self.slurm.sacct())]
        self.ask(queue, rows, accounting=accounting, records=records)

    def others(self, stranger: str) -> list[QueueRow]:
        """Rows of jobs that were given our ids."""
        ours = Slurm(len(self.words) if None not in self.words else None)
        for truth in ours.truths if stranger else ():
            ours.start(truth)
            ours.end(truth, "DEADLINE", 0, record=False)
        return ours.squeue() if stranger else []

    @staticmethod
    def strange(row: QueueRow, stranger: str) -> QueueRow:
        """The row of somebody else's job, or of one of the same name of long ago."""
        if stranger == "named":
            return replace(row, name="other", comment="")
        return replace(row, submit_time=T0 - LATER)

    def ask(
        self,
        queue: list[QueueRow] | None,
        rows: list[AccountRow] | None,
        *,
        accounting: bool = True,
        records: bool = False,
    ) -> None:
        """One poll, and what must be true of what came of it."""
        by_id: dict[int, list[AccountRow]] = {}
        for row in rows or ():
            by_id.setdefault(row.job_id, []).append(row)
        poll = Poll(
            queue=None if queue is None else {row.job_id: row for row in queue},
            accounts=None if rows is None else by_id,
            accounting=accounting if rows is not None or not accounting else None,
            records=self.slurm.exit_records() if records else None,
            clock=self.slurm.time,
        )
        before, now = self.job, self.slurm.time + self.skew
        self.note(queue, rows, records=records and queue is not None)
        self.job = observe(self.job, poll, now)
        both = queue is not None and (rows is not None or (not accounting and records))
        for one, was in zip(parts(self.job), parts(before), strict=True):
            if one.missing_since is not None and was.missing_since is None:
                assert both, "missing only where both could be asked"
            if one.runaway and not was.runaway and not finished(one):
                assert both
                assert one.missing_since is not None
                assert now - one.missing_since >= RUNAWAY_PATIENCE
        self.look(queue)

    def note(self, queue: list[QueueRow] | None, rows: list[AccountRow] | None, *, records: bool) -> None:
        """Keep what was said of ours."""
        for truth in self.slurm.truths:
            words = self.words[truth.index]
            for row in queue or ():
                if row.name == RUN and row.submit_time != T0 - LATER and covers(row, truth):
                    words.add(row.state)
                    self.ends[truth.index] |= row.state in states.TERMINAL
            for record in rows or ():
                if record.name == RUN and record.submit != T0 - LATER and covers(record, truth):
                    words.add(states.base_word(record.state))
                    self.ends[truth.index] |= states.base_word(record.state) in states.TERMINAL
                    if record.start and record.end and record.submit:
                        key = (record.submit, record.start)
                        self.told[truth.index][key] = record.elapsed * GPUS
            if records and truth.records:
                words |= {"COMPLETED", "FAILED"}
                self.ends[truth.index] = True

    def look(self, queue: list[QueueRow] | None) -> None:
        """What squeue shows alive is so, and an end is of no start before the one that it showed."""
        for one, truth in zip(parts(self.job), self.slurm.truths, strict=True):
            rows = [
                row for row in queue or () if row.name == RUN and row.submit_time != T0 - LATER and covers(row, truth)
            ]
            if rows and truth.alive:
                assert (one.state, one.source, one.missing_since) == (truth.now.state, "squeue", None)
                own = any(row.array_pending is None for row in rows)
                if len(truth.periods) > 1 and own:
                    self.shown[truth.index] = truth.now.submit
            again = self.shown.get(truth.index)
            if finished(one) and one.source in {"sacct", "record"} and again is not None and one.start_time is not None:
                assert one.start_time >= again, "an end from before the requeue that squeue showed"

    def truth(self, which: int) -> Truth:
        """One of them."""
        return self.slurm.truths[which % len(self.slurm.truths)]

    # -- always -------------------------------------------------------------------------------------------------

    @invariant()
    def an_end_was_told(self) -> None:
        """Finished means that Slurm, or the run's own record, said so of each; no word is invented."""
        for one, truth in zip(parts(self.job), self.slurm.truths, strict=True):
            words = self.words[truth.index] | ({"CANCELLED"} if truth.dropped else set())
            assert one.state is None or one.state in words
            assert not finished(one) or self.ends[truth.index] or truth.dropped
            assert not finished(one) or one.missing_since is None
            assert one.source not in {"sacct", "record"} or finished(one), "accounts and records tell ends only"
        assert finished(self.job) == all(finished(one) for one in parts(self.job))
        assert not accounted(self.job, self.slurm.time + self.skew) or finished(self.job)
        assert (job_phase(self.job) == "finished") == finished(self.job)

    @invariant()
    def no_gpu_second_is_lost(self) -> None:
        """What sacct once told of a period that had ended stays on the bill, once."""
        for one, truth in zip(parts(self.job), self.slurm.truths, strict=True):
            known = {
                (period.submit, period.start): period.elapsed * (period.gpus or 0)
                for period in one.allocations
                if period.start and period.end
            }
            for key, seconds in self.told[truth.index].items():
                assert known[key] == seconds
            assert len(known) == sum(1 for period in one.allocations if period.start and period.end)

    @invariant()
    def a_runaway_is_not_billed_beyond_its_life(self) -> None:
        """It counts until the last sign of life, and no longer."""
        for one in parts(self.job):
            if one.runaway:
                last = allocations.billed(one)[-1]
                signs = [time for time in (one.seen_there, one.end_time, last.start) if time is not None]
                assert last.end is not None
                assert last.end <= max(signs)


def parts(job: Job) -> tuple[Job, ...]:
    """The tasks of an array; a plain job itself."""
    return job.tasks or (job,)


def covers(row: QueueRow | AccountRow, truth: Truth) -> bool:
    """Whether a row speaks of a job."""
    if row.array_job_id is None and truth.index is not None:
        return truth.together and row.job_id == ARRAY
    if row.array_pending is not None:
        return str(truth.index) in row.array_pending.partition("%")[0].split(",")
    return row.array_task == truth.index


def strange_record(row: AccountRow, stranger: str) -> AccountRow:
    """The record of somebody else's job, or of one of the same name of long ago."""
    gone = replace(row, state="DEADLINE", start=T0 - LATER, end=T0 - LATER + timedelta(hours=1), elapsed=3600)
    # It was given the id before ours was; while ours is there, nobody is.
    return replace(gone, submit=T0 - LATER, name="other" if stranger == "named" else row.name)


TestTracker = Machine.TestCase
TestTracker.settings = settings(max_examples=1000, stateful_step_count=50, deadline=None)
