"""Arrays that this machine did not submit as it knows them: another plan of the same key, or no directory any more."""

import shutil

import pytest
from verbs.desk import Desk, stamp, submitted

from trainsub import Run
from trainsub.errors import ConnectionLostError, UnsettledError

COLUMNS = '{ print $1, $2, $3, $6, $4, $5, $16, $15, "" }'
"""What sync asks squeue for, of a whole row."""


def task(desk: Desk, run: Run, job_id: int, index: str, state: str, *, end: int = 0, work: str = "/w") -> None:
    """Let squeue show a task; the one that starts last has the array's own id."""
    row = (job_id, run.jobs[0].job_id, index, state, "None", stamp(), stamp(), end, 1, 0, "gpu", "gres/gpu=8", "n1")
    desk.alpha.slurm._add("queue", *row, run.run, f"trainsub:{run.run}:1", work)  # noqa: SLF001


def one_trains(desk: Desk, run: Run, work: str = "/w") -> None:
    """The last task, which has the array's id, has ended; the first one trains."""
    desk.alpha.clear()
    task(desk, run, run.jobs[0].job_id + 500, "0", "RUNNING", work=work)
    task(desk, run, run.jobs[0].job_id, "1", "COMPLETED", end=stamp(), work=work)


def squeue_with_folders(desk: Desk) -> None:
    """Let squeue print working directories to who asks for them."""
    awk = "awk -F '\\037' -v OFS='\\037' "
    sync = f"{awk}'NF > 1 {COLUMNS}' \"$state/queue\""
    poll = f'{awk}\'NF > 1 {{ NF = 15; print $0, "" }}\' "$state/queue"'
    desk.alpha.slurm.says("squeue", f'case "$*" in *WorkDir*) {sync} ;; *) {poll} ;; esac')
    desk.alpha.slurm.says("sacct", "")


def test_a_key_that_was_submitted_as_an_array_elsewhere(desk: Desk) -> None:
    """Here it was to be a plain job; what runs is the array, and it has not ended before its last task has."""
    first, second = desk.client(), desk.client(state="other")
    run = submitted(first, "key", slurm__array='"0-1"')
    found = submitted(second, "key")
    assert (found.jobs[0].job_id, found.jobs[0].array) == (run.jobs[0].job_id, "0-1")
    one_trains(desk, run)
    (known,) = second.status([found.run]).runs
    assert (known.jobs[0].state, [one.state for one in known.jobs[0].tasks]) == ("RUNNING", ["RUNNING", "COMPLETED"])


def test_such_an_array_is_known_when_the_answer_was_lost(desk: Desk) -> None:
    """Settling finds the other machine's job, and takes it for what it is."""
    first, second = desk.client(), desk.client(state="other")
    run = submitted(first, "key", slurm__array='"0-1"')
    desk.alpha.road.cuts = [90]
    desk.alpha.road.blocked = [None, ConnectionLostError("no route")]
    with pytest.raises(UnsettledError):
        submitted(second, "key")
    desk.alpha.road.blocked = []
    one_trains(desk, run)
    (known,) = second.status([run.run]).runs
    assert (known.jobs[0].array, known.jobs[0].state) == ("0-1", "RUNNING")


def test_an_array_whose_directory_is_gone(desk: Desk) -> None:
    """sync learns from Slurm's rows which tasks it has."""
    run = submitted(desk.client(), "key", slurm__array='"0-1"')
    folder = desk.alpha.root / "runs" / run.run
    shutil.rmtree(folder)
    one_trains(desk, run, f"{folder}/work")
    squeue_with_folders(desk)
    other = desk.client(state="other")
    assert other.sync("alpha").restored == [run.run]
    (found,) = other.status([run.run]).runs
    assert (found.jobs[0].array, found.jobs[0].state) == ("0,1", "RUNNING")


def test_an_array_of_which_not_all_tasks_are_listed_is_not_guessed(desk: Desk) -> None:
    """It would be called finished while tasks that nobody listed train."""
    run = submitted(desk.client(), "key", slurm__array='"0-99:2"')
    folder = desk.alpha.root / "runs" / run.run
    shutil.rmtree(folder)
    desk.alpha.clear()
    task(desk, run, run.jobs[0].job_id, "0,2,4,6,...", "PENDING", work=f"{folder}/work")
    squeue_with_folders(desk)
    other = desk.client(state="other")
    found = other.sync("alpha")
    assert (found.restored, found.gone) == ([], [run.run])
    assert "does not list yet which tasks its array" in found.unreadable[run.run]
