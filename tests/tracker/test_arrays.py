"""Arrays, task by task: which row speaks of which, and what follows for the array."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tracker.test_track import RUN, T0, at, queue, queued, record

from trainsub.record.exits import ExitRecord
from trainsub.slurm.sacct import AccountRow
from trainsub.slurm.squeue import QueueRow
from trainsub.slurm.values import ExitCode
from trainsub.tracker import allocations, arrays, dropped
from trainsub.tracker.begin import first_job, has_secrets
from trainsub.tracker.failed import failed
from trainsub.tracker.outcome import exit_code
from trainsub.tracker.poll import Poll
from trainsub.tracker.questions import asks_accounts, asks_records
from trainsub.tracker.single import RUNAWAY_PATIENCE
from trainsub.tracker.track import accounted, finished, observe
from trainsub.tracker.values import ACCEPTED, Job, Run

RUNS = Run(RUN, "demo", "k", "c", T0, "h", ACCEPTED, "", '[slurm]\narray = "0-3%2"\n')
ARRAY = first_job(RUNS, 7, T0)


def task(index: int, state: str, **more: object) -> QueueRow:
    """A row of a task's own."""
    return queued(state, job_id=8 + index, array_job_id=7, array_task=index, **more)


def shared(indices: str | None, state: str = "PENDING", **more: object) -> QueueRow:
    """The row of the tasks that wait; without indices once they were cancelled."""
    return queued(state, array_job_id=7 if indices else None, array_pending=indices, reason="JobArrayTaskLimit", **more)


def kept(index: int, state: str, **more: object) -> AccountRow:
    """A task's record."""
    return record(state, job_id=8 + index, array_job_id=7, array_task=index, **more)


def accounts(*rows: AccountRow) -> dict[int, list[AccountRow]]:
    """sacct's answer."""
    return {row.job_id: [other for other in rows if other.job_id == row.job_id] for row in rows}


def words(job: Job) -> list[str | None]:
    """The states of the tasks."""
    return [one.state for one in job.tasks]


@pytest.mark.parametrize(
    ("spec", "array"),
    [
        ('[slurm]\narray = "0-9%2"', "0-9%2"),
        ("[slurm]\nnodes = 1", None),
        ("[slurm]\narray = 5", None),
        ('[slurm]\narray = "x"', None),
        ("[sweep]\nmatrix = { a = [1, 2], b = [1, 2, 3, 4, 5] }\nmax_running = 3", "0-9%3"),
        ("[sweep]\nmatrix = 3", None),
        ("[chain]\nlinks = 10", "1-10%1"),
        ("[chain]\nlinks = 0", None),
        ("slurm = 1", None),
        ("not toml", None),
        ("", None),
    ],
)
def test_the_spec_says_whether_a_job_is_an_array(spec: str, array: str | None) -> None:
    """What another version wrote may be anything; then it is not known here, and taken for a plain job."""
    made = first_job(replace(RUNS, spec=spec), 7, T0, link=2)
    assert (made.array, made.link, len(made.tasks)) == (array, 2, 10 if array else 0)


@pytest.mark.parametrize("spec", ["", "not toml", '[grid]\npoints = "as a later version has them"'])
@pytest.mark.parametrize(
    ("lines", "array"),
    [
        ("#SBATCH --nodes=1\n#SBATCH --array=0-9%2\n", "0-9%2"),
        ("#SBATCH -N 1 -a 3,5 # some\n", "3,5"),
        ("#SBATCH 'left open\n#SBATCH --array=0-9%2\n", "0-9%2"),
        ("#SBATCH --array=x\n", None),
        ("#SBATCH --nodes=1\necho\n#SBATCH --array=0-9\n", None),
        ("", None),
    ],
)
def test_the_script_says_it_where_the_spec_does_not(spec: str, lines: str, array: str | None) -> None:
    """sbatch read the script and no spec: it was told what stands above the first command."""
    script = f"#!/bin/bash\n{lines}"
    assert first_job(replace(RUNS, spec=spec, script=script), 7, T0).array == array


@pytest.mark.parametrize(("spec", "travelled"), [('[secrets]\nnames = ["A"]', True), ("", False), ("not toml", False)])
def test_the_spec_says_whether_secrets_travelled(spec: str, *, travelled: bool) -> None:
    """They are removed once the run has ended."""
    assert has_secrets(replace(RUNS, spec=spec)) is travelled


def test_an_array_runs_while_a_task_does() -> None:
    """Tasks that wait share a row; the array holds what its tasks hold together."""
    seen = observe(ARRAY, Poll(queue(task(0, "COMPLETING", tres="gres/gpu=8"), task(1, "RUNNING", tres="gres/gpu=8"), shared("2-3%2")), clock=at(9)), at(10))  # fmt: skip
    assert words(seen) == ["COMPLETING", "RUNNING", "PENDING", "PENDING"]
    assert (seen.state, seen.nodes, seen.gpus, seen.start_time, seen.seen_there) == ("RUNNING", 4, 16, at(5), at(9))
    assert [one.job_id for one in seen.tasks] == [8, 9, 7, 7]
    assert [one.job_id for one in arrays.writers(seen)] == [8, 9]
    assert arrays.writers(ARRAY) == (ARRAY,)
    assert not finished(seen)
    unknown = observe(ARRAY, Poll(queue(task(0, "RUNNING"))), at(10))
    assert (unknown.gpus, unknown.state) == (None, "RUNNING")


def test_an_array_waits_between_its_tasks() -> None:
    """None runs and one waits: its reason is the array's."""
    poll = Poll(queue(shared("1-3%2")), accounts(kept(0, "COMPLETED")), accounting=True)
    seen = observe(ARRAY, poll, at(70))
    assert (seen.state, seen.reason, seen.expected_start) == ("PENDING", "JobArrayTaskLimit", at(5))
    assert words(seen) == ["COMPLETED", "PENDING", "PENDING", "PENDING"]
    assert (seen.start_time, seen.nodes) == (at(5), 2)


def test_an_array_ends_with_its_last_task_as_the_worst_of_them() -> None:
    """A failure counts before a time limit, that before a cancellation; a roll call is no failure of the training."""
    rows = [kept(0, "COMPLETED"), kept(1, "TIMEOUT"), kept(2, "CANCELLED by 1000")]
    most = observe(ARRAY, Poll({}, accounts(*rows), accounting=True), at(70))
    assert (most.state, finished(most), accounted(most, at(70))) == (None, False, False)
    ended = observe(most, Poll({}, accounts(*rows, kept(3, "FAILED", exit_code=ExitCode(3, 0)))), at(80))
    assert (ended.state, ended.exit_code, ended.end_time, ended.observed_at) == (
        "FAILED",
        ExitCode(3, 0),
        at(65),
        at(80),
    )
    assert accounted(ended, at(80))
    assert ended.tasks[2].reason == "CANCELLED by 1000"
    assert exit_code([replace(RUNS, jobs=(ended,))]) == 10
    nodes = observe(most, Poll({}, accounts(*rows, kept(3, "FAILED", exit_code=ExitCode(76, 0)))), at(80))
    assert exit_code([replace(RUNS, jobs=(nodes,))]) == 12


def test_an_array_of_which_one_task_is_lost_is_unknown() -> None:
    """The others have ended; of one nobody tells."""
    seen = observe(ARRAY, Poll(queue(*(task(index, "RUNNING") for index in range(4)))), at(10))
    rows = accounts(*(kept(index, "COMPLETED") for index in range(3)), kept(3, "RUNNING", end=None))
    lost = observe(seen, Poll({}, rows, accounting=True), at(80))
    assert (lost.state, lost.missing_since, finished(lost)) == ("RUNNING", at(80), False)


def test_tasks_that_were_cancelled_together_end_in_a_row_without_indices() -> None:
    """Those that never began; one that did has a row or a record of its own, or at least wrote one."""
    rows = queue(shared(None, "CANCELLED", end_time=at(60)))
    silent = observe(ARRAY, Poll(rows), at(70))
    assert words(silent) == [None] * 4
    known = accounts(kept(0, "COMPLETED"), record("CANCELLED by 1000", start=None, alloc_tres=""))
    told = observe(ARRAY, Poll(rows, known, accounting=True), at(70))
    assert words(told) == ["COMPLETED", "CANCELLED", "CANCELLED", "CANCELLED"]
    assert (finished(told), told.state) == (True, "CANCELLED")
    forgot = observe(told, Poll({}, known, accounting=True), at(700))
    assert [one.source for one in forgot.tasks] == ["sacct"] * 4
    assert forgot.tasks[1].reason == "CANCELLED by 1000"
    wrote = ExitRecord(0, int(at(5).timestamp()), int(at(9).timestamp()), "n1", array=7, task=0)
    bare = observe(
        ARRAY, Poll(rows, None, accounting=False, records={8: [wrote], 9: [wrote._replace(array=None)]}), at(70)
    )
    assert words(bare) == ["COMPLETED", "CANCELLED", "CANCELLED", "CANCELLED"]


def test_a_task_that_was_cancelled_alone_leaves_no_trace() -> None:
    """It is told after a quarter of an hour of both saying nothing of it, and only if it cannot have begun."""
    seen = observe(ARRAY, Poll(queue(task(0, "RUNNING"), shared("1-3%2"))), at(10))
    rows = queue(task(0, "RUNNING"), task(1, "RUNNING"), shared("3%2"))
    poll = Poll(rows, accounts(kept(0, "RUNNING", end=None)), accounting=True, records={})
    assert asks_accounts(seen, poll, at(20))
    gone = observe(seen, poll, at(20))
    assert (gone.tasks[2].state, gone.tasks[2].missing_since, gone.state) == ("PENDING", at(20), "RUNNING")
    assert asks_records(gone, poll, at(21))
    later = at(20) + RUNAWAY_PATIENCE
    assert observe(gone, poll, later - timedelta(seconds=1)).tasks[2].state == "PENDING"
    assert observe(gone, replace(poll, records=None), later).tasks[2].state == "PENDING"
    assert observe(gone, replace(poll, accounts={}), later).tasks[2].state == "PENDING"
    told = observe(gone, poll, later)
    assert (told.tasks[2].state, told.tasks[2].reason) == ("CANCELLED", dropped.REASON)
    assert told.tasks[2].source == "store", "neither squeue nor sacct said so"
    long_ago = observe(gone, poll, at(20) + dropped.RETENTION)
    assert long_ago.tasks[2].state == "PENDING"


def test_what_silence_told_of_a_task_is_corrected_by_late_records() -> None:
    """Slurm's accounts were hours behind: the task had trained, and is billed."""
    first = Poll(
        {}, accounts(kept(0, "COMPLETED"), kept(1, "COMPLETED"), kept(3, "COMPLETED")), accounting=True, records={}
    )
    told_at = at(70) + RUNAWAY_PATIENCE
    told = observe(observe(ARRAY, first, at(70)), first, told_at)
    assert (words(told)[2], finished(told)) == ("CANCELLED", True)
    assert not accounted(told, told_at)
    assert asks_accounts(told, Poll({}), told_at + timedelta(hours=20))
    assert accounted(told, told_at + dropped.LATE_RECORDS)
    late = accounts(*(kept(index, "NODE_FAIL" if index == 2 else "COMPLETED") for index in range(4)))
    corrected = observe(told, replace(first, accounts=late), told_at + timedelta(hours=20))
    assert (corrected.tasks[2].state, corrected.tasks[2].source, corrected.tasks[2].reason) == (
        "NODE_FAIL",
        "sacct",
        None,
    )
    assert len(corrected.tasks[2].allocations) == 1
    assert accounted(corrected, told_at + timedelta(hours=20))


def test_rows_that_cannot_be_read_or_are_not_ours_say_nothing() -> None:
    """An expression that was cut off, an index that was never asked for, another's array."""
    rows = queue(shared("0,1..."), task(9, "RUNNING"), task(1, "RUNNING", name="other", comment=""))
    assert observe(ARRAY, Poll(rows), at(10)) == ARRAY


def test_a_row_of_its_own_says_more_than_the_shared_one() -> None:
    """Whichever comes first; sacct's shared record may be older, too."""
    both = queue(shared("0-3%2"), task(0, "RUNNING"))
    assert words(observe(ARRAY, Poll(both), at(10)))[0] == "RUNNING"
    assert words(observe(ARRAY, Poll(dict(reversed(both.items()))), at(10)))[0] == "RUNNING"


def test_a_record_of_those_that_wait_is_no_allocation() -> None:
    """On 22.05 it bears a start for a moment, when a task has just taken it over to begin."""
    moment = record("PENDING", array_job_id=7, array_pending="2-3%2", start=at(1), end=None, elapsed=1, nodes=0)
    seen = observe(ARRAY, Poll(queue(task(0, "RUNNING"), shared("1-3%2")), accounts(moment)), at(2))
    assert [one.allocations for one in seen.tasks] == [(), (), (), ()]


def test_a_silent_squeue_concludes_nothing() -> None:
    """What sacct adds goes to the bill, and to nothing else."""
    known = accounts(*(kept(index, "COMPLETED") for index in range(4)))
    seen = observe(ARRAY, Poll(None, known), at(70))
    assert (seen.state, words(seen), len(seen.tasks[0].allocations)) == (None, [None] * 4, 1)


def test_an_array_from_elsewhere_gets_its_tasks() -> None:
    """A job that only says that it is an array."""
    bare = Job(RUN, 1, 7, T0, array="0-3%2")
    assert observe(bare, Poll(queue(task(3, "RUNNING"))), at(10)).tasks[3].state == "RUNNING"
    assert asks_accounts(bare, Poll({}), at(10))


def test_records_are_read_late_where_there_are_accounts() -> None:
    """And at once where there are none, or where that is not known."""
    seen = observe(first_job(replace(RUNS, spec=""), 7, T0), Poll(queue(queued("RUNNING"))), at(10))
    gone = Poll({}, accounting=True)
    assert not asks_records(seen, gone, at(20))
    assert asks_records(seen, gone, at(10) + timedelta(minutes=5))
    assert asks_records(seen, Poll({}), at(20))
    assert not asks_records(seen, Poll(queue(queued("RUNNING"))), at(20))
    ended = Poll(queue(queued("COMPLETED")), accounting=True)
    assert not asks_records(seen, ended, at(900))
    assert asks_records(seen, replace(ended, accounting=False), at(900))
    assert not asks_records(replace(seen, state="FAILED", exit_code=ExitCode(1, 0)), Poll({}), at(900))


PLAIN = first_job(replace(RUNS, spec=""), 7, T0)
"""What is an array in truth, and was taken for none, because nobody could tell what had been submitted."""
LAST = replace(task(3, "COMPLETED"), job_id=7)
"""The task that began last, which was given the array's own id."""


def test_a_row_of_a_task_does_not_speak_for_a_whole_job() -> None:
    """Neither squeue's, nor sacct's, nor the task's own record: what is known of the rest is nothing."""
    wrote = {7: [ExitRecord(code=0, start=5, end=65, node="n1", array=7, task=3)]}
    for told in (
        Poll(queue(task(0, "RUNNING"), LAST)),
        Poll(queue(shared("0-3%2"))),
        Poll(queue(task(0, "RUNNING"), shared(None, "CANCELLED"))),
        Poll(queue(LAST), accounting=False, records=wrote),
        Poll({}, accounting=False, records=wrote),
    ):
        seen = observe(PLAIN, told, at(70))
        assert (seen.state, seen.allocations, finished(seen)) == (None, (), False)
        assert asks_accounts(PLAIN, told, at(70))


def test_slurm_tells_that_a_job_is_an_array() -> None:
    """squeue lists the tasks that live, and sacct those that have ended; what was said of it as a plain job is void."""
    mistaken = replace(PLAIN, state="COMPLETED", end_time=at(60), seen_row=5)
    shows = queue(task(1, "RUNNING"), shared("2-3%2"))
    seen = observe(mistaken, Poll(shows, accounts(kept(0, "FAILED")), accounting=True), at(70))
    assert (seen.array, words(seen), seen.state) == ("0-3", ["FAILED", "RUNNING", "PENDING", "PENDING"], "RUNNING")
    assert (seen.end_time, seen.seen_row, seen.job_id, seen.submitted) == (None, None, 7, T0)
    rows = accounts(
        kept(0, "FAILED"), *(kept(index, "COMPLETED") for index in (1, 2)), replace(kept(3, "COMPLETED"), job_id=7)
    )
    over = observe(seen, Poll({}, rows, accounting=True), at(90))
    assert (over.state, finished(over)) == ("FAILED", True)


@pytest.mark.parametrize(
    "told",
    [
        Poll(None, accounts(kept(0, "COMPLETED"))),
        Poll(queue(task(0, "RUNNING"), shared("1,3,5...")), {}, accounting=True),
        Poll(queue(task(0, "RUNNING")), None, accounting=False, records={}),
    ],
)
def test_which_tasks_an_array_has_is_not_guessed(told: Poll) -> None:
    """Where squeue or the accounts did not answer, or a list was cut off, some may be left out."""
    seen = observe(PLAIN, told, at(70))
    assert (seen.array, seen.state) == (None, None)


def test_another_array_of_the_same_id_is_not_taken_for_it() -> None:
    """Its rows bear another name: the job is what it was."""
    theirs = task(0, "RUNNING", name="other", comment="")
    seen = observe(PLAIN, Poll(queue(theirs), accounts(kept(0, "FAILED", name="other")), accounting=True), at(70))
    assert (seen.array, seen.missing_since) == (None, at(70))
    assert observe(PLAIN, Poll(queue(queued("RUNNING"))), at(70)).state == "RUNNING"


CHAIN = first_job(replace(RUNS, spec="[chain]\nlinks = 3\n"), 7, T0)


def link(index: int, state: str, minutes: int, code: int = 0) -> AccountRow:
    """The record of a link that began after some minutes."""
    return kept(index, state, start=at(minutes), end=at(minutes + 1), exit_code=ExitCode(code, 0))


@pytest.mark.parametrize(
    ("ends", "waiting", "state", "code"),
    [
        ([("TIMEOUT", 0), ("FAILED", 85), ("COMPLETED", 0)], "", "COMPLETED", 0),
        ([("TIMEOUT", 0), ("COMPLETED", 0)], "3", "COMPLETED", 0),
        ([("NODE_FAIL", 0), ("FAILED", 1)], "3", "FAILED", 10),
        ([("FAILED", 1), ("FAILED", 85), ("TIMEOUT", 0)], "", "TIMEOUT", 12),
        ([("FAILED", 85), ("FAILED", 85), ("FAILED", 85)], "", "FAILED", 12),
        ([("FAILED", 85)], "2-3", "CANCELLED", 11),
        ([("CANCELLED", 0)], "2-3", "CANCELLED", 11),
        ([], "1-3", "CANCELLED", 11),
    ],
)
def test_a_chain_is_as_its_last_link(ends: list[tuple[str, int]], waiting: str, state: str, code: int) -> None:
    """Not as the worst; where that one would have been followed and was not, somebody has cancelled the chain."""
    rows = [link(index, word, index, own) for index, (word, own) in enumerate(ends, start=1)]
    if waiting:
        rows.append(record("CANCELLED", array_pending=waiting, start=None, end=at(5), alloc_tres=""))
    seen = observe(CHAIN, Poll({}, accounts(*rows)), at(10))
    assert (seen.state, exit_code([replace(RUNS, jobs=(seen,))])) == (state, code)
    assert CHAIN.chain
    assert not any(task.chain for task in CHAIN.tasks)


def test_a_link_that_was_requeued_speaks_last_if_it_began_last() -> None:
    """The order is that of time, not of the index."""
    rows = [link(1, "COMPLETED", 5), link(2, "FAILED", 1, 1), link(3, "FAILED", 2, 1)]
    assert observe(CHAIN, Poll({}, accounts(*rows)), at(10)).state == "COMPLETED"


def test_a_link_that_was_cancelled_in_the_queue_never_began() -> None:
    """On 22.05 the only task that still waits has a row of its own, and its cancellation gives that a start, its end."""
    over = replace(task(3, "CANCELLED"), job_id=7, start_time=at(6), end_time=at(6), nodelist="")
    ended = [task(1, "TIMEOUT"), task(2, "COMPLETED", start_time=at(6)), over]
    seen = observe(CHAIN, Poll(queue(*ended)), at(10))
    assert (words(seen), seen.state) == (["TIMEOUT", "COMPLETED", "CANCELLED"], "COMPLETED")
    assert [one.start_time for one in seen.tasks] == [at(5), at(6), None]


def test_links_whose_shared_record_bears_a_start_never_began() -> None:
    """On 22.05 sacct, too, may give those that were cancelled together their end for a start; nodes they had none."""
    together = record("CANCELLED by 1000", start=at(6), end=at(6), alloc_tres="", nodelist="")
    poll = Poll({}, accounts(link(1, "TIMEOUT", 1), link(2, "COMPLETED", 5), together))
    seen = observe(CHAIN, poll, at(10))
    assert (words(seen), seen.state) == (["TIMEOUT", "COMPLETED", "CANCELLED"], "COMPLETED")
    assert seen.tasks[2].start_time is None


def test_tasks_that_failed() -> None:
    """Those that ended, and not well; nothing is said of those whose end is not known."""
    rows = [kept(0, "COMPLETED"), kept(1, "TIMEOUT"), kept(2, "CANCELLED by 1000")]
    assert failed(observe(ARRAY, Poll({}, accounts(*rows)), at(10))) == (1, 2)
    assert failed(ARRAY) == ()


def test_a_task_that_was_requeued_is_billed_for_what_it_held_before() -> None:
    """On 22.05 that record names no nodes."""
    before = record("REQUEUED", start=at(5), end=at(65), nodelist="")
    assert allocations.start(before) == at(5)
    assert allocations.start(replace(before, end=at(5))) is None
