import threading
from pathlib import Path

import pytest

from trainsub.minislurm import folder

VARIABLES = {b"A": b"1", b"ODD": b"\xff=\n", b"EMPTY": b""}


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """Return the folder of all jobs."""
    path = tmp_path / "jobs"
    path.mkdir()
    return path


def names(jobs: Path) -> list[str]:
    """Return what is in it."""
    return sorted(path.name for path in jobs.iterdir())


def submit(jobs: Path, job_id: int) -> None:
    """Make a job's folder."""
    with folder.prepared(jobs, b"#!/bin/sh\n", {}) as path:
        folder.settle(path, job_id)


def test_a_folder(jobs: Path) -> None:
    """Its files are as given, and nobody else may read them."""
    with folder.prepared(jobs, b"#!/bin/sh\r\xff", VARIABLES) as path:
        assert len(names(jobs)) == 1
        folder.settle(path, 7)
    assert names(jobs) == ["7"]
    made = jobs / "7"
    assert (made / "script").read_bytes() == b"#!/bin/sh\r\xff"
    assert folder.read_environment(made / "environment") == VARIABLES
    modes = [path.stat().st_mode & 0o777 for path in (made, made / "script", made / "environment")]
    assert modes == [0o700, 0o700, 0o600]


def test_nothing_stays_of_a_submission_that_fails(jobs: Path) -> None:
    """Nor of one that was not settled."""
    with pytest.raises(RuntimeError, match="no"), folder.prepared(jobs, b"", {}):
        raise RuntimeError("no")
    with folder.prepared(jobs, b"", {}):
        pass
    assert names(jobs) == []


def test_the_next_one_removes_what_a_killed_one_left(jobs: Path) -> None:
    """But not what a living one is at work on."""
    left = jobs / ".new.0123456789abcdef"
    left.mkdir()
    (left / "script").write_text("half")
    with folder.prepared(jobs, b"", {}) as living:
        submit(jobs, 8)
        assert names(jobs) == sorted([living.name, "8"])


def test_an_id_that_the_queue_gives_again(jobs: Path) -> None:
    """After a kill between the folder and the queue."""
    submit(jobs, 7)
    (jobs / "7" / "old").touch()
    with folder.prepared(jobs, b"new", {}) as path:
        folder.settle(path, 7)
    assert (jobs / "7" / "script").read_bytes() == b"new"
    assert not (jobs / "7" / "old").exists()
    submit(jobs, 8)
    assert names(jobs) == ["7", "8"]


def test_jobs_that_are_over_for_good(jobs: Path) -> None:
    """Their folders lose their names at once, and go with the next submission."""
    for job_id in (5, 6, 7):
        submit(jobs, job_id)
    (jobs / "not-ours").mkdir()
    folder.put_aside(jobs, {6})
    assert [name for name in names(jobs) if not name.startswith(".")] == ["6", "not-ours"]
    submit(jobs, 8)
    assert names(jobs) == ["6", "8", "not-ours"]


def test_many_at_once(jobs: Path) -> None:
    """None is taken for what a killed one left."""
    errors: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for job_id in range(first, first + 20):
                submit(jobs, job_id)
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(100 * number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(names(jobs)) == 120


def test_no_place_for_jobs(tmp_path: Path) -> None:
    """It is the system's own error."""
    with pytest.raises(FileNotFoundError), folder.prepared(tmp_path / "jobs", b"", {}):
        pass
