"""The store keeps what it is given, explains what it cannot, and survives others at the same file."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trainsub.errors import AmbiguousRunError, StoreError, UnknownRunError
from trainsub.slurm.values import ExitCode
from trainsub.store import Event, Store, find_run, find_runs
from trainsub.store.claims import Claims
from trainsub.store.migrations import RUNS, STEPS
from trainsub.tracker.arrays import begin, summed
from trainsub.tracker.values import ACCEPTED, OPEN, REFUSED, UNKNOWN, Allocation, Code, Job, Run

T0 = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)
CODE = Code("a" * 64, 10, 2, commit="c0ffee", dirty=True, untracked=("ä b", "c\nd"))
ALLOCATION = Allocation("COMPLETED", T0, T0, T0 + timedelta(seconds=60), 60, 2, 16, "n[1-2]", "gpu", ExitCode(0, 9))
OPEN_ALLOCATION = Allocation("PENDING", T0, None, None, 0, 0, None, "", "gpu", None)


def run(name: str = "demo", cluster: str = "hpc", suffix: str = "00c0ffee", outcome: str = OPEN) -> Run:
    """A run without jobs."""
    return Run(f"{name}-{suffix}", name, "key", cluster, T0, "hash", outcome, "#!/bin/bash\n", 'name = "demo"\n', CODE)


def job(of: Run, job_id: int = 7) -> Job:
    """A job of a run, with everything that can be known of it."""
    return Job(
        of.run,
        1,
        job_id,
        T0,
        "COMPLETED",
        "None",
        "sacct",
        T0,
        T0,
        T0,
        2,
        16,
        ExitCode(0, 9),
        T0,
        (ALLOCATION, OPEN_ALLOCATION),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new store."""
    with Store(tmp_path / "state" / "store.sqlite") as made:
        yield made


def test_what_is_put_in_comes_out(store: Store) -> None:
    """A run, its job and its allocations are the same values afterwards."""
    one = run()
    assert store.add_run(one)
    assert store.run(one.run) == one
    store.settle(one.run, ACCEPTED, None, T0, job(one))
    assert store.run(one.run) == replace(one, outcome=ACCEPTED, jobs=(job(one),))
    assert store.runs() == store.by_job(7, None) == store.by_job(7, "hpc")
    assert store.by_job(7, "other") == []


def test_an_intent_is_recorded_once(store: Store) -> None:
    """The second intent of the same run changes nothing."""
    one = run()
    assert store.add_run(one)
    assert not store.add_run(replace(one, script="other"))
    found = store.run(one.run)
    assert found is not None
    assert found.script == one.script


def test_open_and_unknown_runs_are_unsettled(store: Store) -> None:
    """They are found until they have an outcome."""
    one, two = run(), run(suffix="00000001", outcome=UNKNOWN)
    store.add_run(one)
    store.add_run(two)
    assert [found.run for found in store.unsettled("hpc")] == [two.run, one.run]
    assert store.unsettled("other") == []
    store.settle(one.run, REFUSED, "no such partition", T0)
    assert [found.run for found in store.unsettled()] == [two.run]


def test_a_refused_run_can_be_tried_again(store: Store) -> None:
    """The same key with another plan takes its place."""
    one = run()
    store.add_run(one)
    store.settle(one.run, REFUSED, "no", T0)
    again = replace(one, script="better", plan_hash="other")
    store.reopen(again)
    assert store.run(one.run) == again


def test_an_intent_of_which_nothing_was_sent_is_forgotten(store: Store) -> None:
    """Nothing stays of it."""
    store.add_run(run())
    store.forget(run().run)
    assert store.runs() == []
    assert store.events(run().run) == []


def test_polls_keep_changes_events_and_what_is_known_of_accounting(store: Store) -> None:
    """A poll that does not know about accounting does not unlearn it."""
    one = run()
    store.add_run(one)
    before = Job(one.run, 1, 7, T0)
    store.settle(one.run, ACCEPTED, None, T0, before)
    assert store.last_poll("hpc") is None
    store.observe("hpc", [(before, job(one))], T0, accounting=True)
    store.observe("hpc", [], T0 + timedelta(seconds=5), accounting=None)
    assert store.last_poll("hpc") == T0 + timedelta(seconds=5)
    assert store.events(one.run)[-1] == Event(one.run, 1, T0, "COMPLETED", "sacct", "None")
    found = store.run(one.run)
    assert found is not None
    assert found.jobs == (job(one),)


def test_events_and_archives_are_remembered(store: Store) -> None:
    """Notes join the history; an archive is known on the cluster that has it."""
    store.add_run(run())
    store.note(Event(run().run, None, T0, "cancel ordered", "trainsub", "by hand"))
    assert [event.what for event in store.events(run().run)] == ["intent recorded", "cancel ordered"]
    store.sent("hpc", "a" * 64, T0)
    assert store.was_sent("hpc", "a" * 64)
    assert not store.was_sent("other", "a" * 64)


def test_run_by_id_prefix_job_and_cluster(store: Store) -> None:
    """RUN is what a person types."""
    one, two = run(), run(name="other", cluster="abc", suffix="00000002")
    for number, made in enumerate((one, two)):
        store.add_run(made)
        store.settle(made.run, ACCEPTED, None, T0, job(made, 7 + number))
    assert find_run(store, one.run).run == one.run
    assert find_run(store, "oth").run == two.run
    assert find_run(store, "8").run == two.run
    assert find_run(store, "abc:8").run == two.run
    assert [found.run for found in find_runs(store, ["7", one.run, "8"])] == [one.run, two.run]
    for nonsense in ("", "nope", "99", "hpc:8", "9" * 40, "²"):
        with pytest.raises(UnknownRunError):
            find_run(store, nonsense)


@pytest.mark.parametrize(("text", "meant"), [("12_0", "id 12."), ("hpc:12_7", "id hpc:12.")])
def test_a_task_is_not_a_run(store: Store, text: str, meant: str) -> None:
    """Slurm's name of a task leads to its array."""
    with pytest.raises(UnknownRunError) as caught:
        find_runs(store, [text])
    assert caught.value.hint is not None
    assert meant in caught.value.hint


def test_an_ambiguous_run_is_refused_with_its_candidates(store: Store) -> None:
    """A prefix of several runs, or a job id on several clusters, is no RUN; a reused id means the newest."""
    for number in range(10):
        store.add_run(run(suffix=f"0000000{number}"))
    with pytest.raises(AmbiguousRunError, match="and 2 more"):
        find_run(store, "demo-")
    here, there = run(suffix="a0000000"), run(suffix="b0000000", cluster="abc")
    later = replace(run(suffix="c0000000"), created_at=T0 + timedelta(days=1))
    for made in (here, there, later):
        store.add_run(made)
        store.settle(made.run, ACCEPTED, None, T0, job(made))
    with pytest.raises(AmbiguousRunError, match="abc"):
        find_run(store, "7")
    assert find_run(store, "hpc:7").run == later.run


def test_files_are_private(tmp_path: Path) -> None:
    """Folder and file are readable by their owner only."""
    path = tmp_path / "deep" / "store.sqlite"
    Store(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    """What a newer trainsub wrote is left alone."""
    path = tmp_path / "store.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO migrations VALUES ('9999 from the future', '')")
    db.close()
    with pytest.raises(StoreError, match="newer trainsub"):
        Store(path)


def test_a_damaged_store_is_explained(tmp_path: Path) -> None:
    """The error names the file and says what to do."""
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"this is no database, by no means" * 64)
    with pytest.raises(StoreError, match="not a database") as caught:
        Store(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE jobs SET start_time = 'garbage'",
        "UPDATE jobs SET submitted = 5",
        "UPDATE runs SET created_at = ''",
        "UPDATE runs SET code = '[]'",
        "DROP TABLE jobs",
    ],
)
def test_damage_inside_is_explained(tmp_path: Path, damage: str) -> None:
    """Whoever reads it: one run, all of them, or a list."""
    path = tmp_path / "store.sqlite"
    with closing(Store(path)) as store:
        store.add_run(run())
        store.settle("demo-00c0ffee", ACCEPTED, None, T0, Job("demo-00c0ffee", 1, 7, T0))
    with closing(sqlite3.connect(path)) as db:
        db.execute(damage)
        db.commit()
    with closing(Store(path)) as store:
        for read in (store.runs, store.lists.all, lambda: store.run("demo-00c0ffee")):
            with pytest.raises(StoreError, match=r"malformed|no such table") as caught:
                read()
            assert "damaged" in (caught.value.hint or "")


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    """A file in the way gives an error with a way on."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "file" / "state" / "store.sqlite")


def test_a_store_that_another_command_holds_is_waited_for_then_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait is bounded and the error says why."""
    monkeypatch.setattr("trainsub.store.files.BUSY_SECONDS", 0.05)
    path = tmp_path / "store.sqlite"
    with Store(path) as one:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked") as caught:
            one.add_run(run())
        other.close()
    assert "Another trainsub" in (caught.value.hint or "")


def test_two_processes_migrate_and_write_at_once(tmp_path: Path) -> None:
    """Nothing is lost when many begin with no store at all."""
    path = tmp_path / "store.sqlite"
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with Store(path) as mine:
                for count in range(10):
                    mine.add_run(run(suffix=f"{number:04x}{count:04x}"))
        except BaseException as error:  # noqa: BLE001 -- handed to the test
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Store(path) as made:
        assert len(made.runs()) == 80
    assert len(STEPS) >= 1


def test_a_store_of_the_first_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    """What an older trainsub wrote is all there afterwards."""
    path = tmp_path / "store.sqlite"
    one, moment = run(), T0.isoformat()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE migrations (name TEXT PRIMARY KEY, at TEXT NOT NULL)")
        db.executescript(RUNS)
        db.execute("INSERT INTO migrations VALUES (?, ?)", (STEPS[0][0], moment))
        db.execute(
            "INSERT INTO runs VALUES (?, ?, 'key', 'hpc', ?, 'hash', ?, NULL, ?, ?, NULL)",
            (one.run, one.name, moment, ACCEPTED, one.script, one.spec),
        )
        db.execute(
            "INSERT INTO jobs VALUES (?1, 1, 'hpc', 7, ?2, 'COMPLETED', 'None', 'sacct', ?2, ?2, ?2, 2, 16, 0, 9, ?2)",
            (one.run, moment),
        )
        for number, two in enumerate((ALLOCATION, OPEN_ALLOCATION)):
            code = (two.exit_code.code, two.exit_code.signal) if two.exit_code else (None, None)
            times = [None if time is None else time.isoformat() for time in (two.submit, two.start, two.end)]
            db.execute(
                "INSERT INTO allocations VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    one.run,
                    number,
                    two.state,
                    *times,
                    two.elapsed,
                    two.nodes,
                    two.gpus,
                    two.nodelist,
                    two.partition,
                    *code,
                ),
            )
        db.execute("INSERT INTO events (run, link, at, what) VALUES (?, 1, ?, 'job 7')", (one.run, moment))
    with Store(path) as migrated:
        assert migrated.run(one.run) == replace(one, outcome=ACCEPTED, code=None, jobs=(job(one),))
        assert [event.what for event in migrated.events(one.run)] == ["job 7"]
        assert migrated.by_job(7, "hpc") == migrated.runs()
        task = replace(job(one), array_task=0, allocations=(ALLOCATION,))
        migrated.observe("hpc", [(job(one), replace(job(one), array="0", tasks=(task,)))], T0, accounting=None)
    with Store(path) as again:
        assert again.runs()[0].jobs[0].tasks == (task,)


def test_an_array_is_kept_with_its_tasks(store: Store) -> None:
    """Tasks, with their own allocations and ids, come out in the order of their indices; any of their ids finds the run."""
    one = run()
    store.add_run(one)
    tasks = tuple(replace(job(one, 7 + index), array_task=index, allocations=(ALLOCATION,)) for index in (0, 2, 10))
    whole = replace(
        job(one),
        array="0,2,10%2",
        tasks=tasks,
        allocations=(),
        expected_start=T0,
        seen_there=T0,
        runaway=True,
        chain=True,
    )
    store.settle(one.run, ACCEPTED, None, T0, whole)
    assert store.run(one.run) == replace(one, outcome=ACCEPTED, jobs=(whole,))
    assert [found.run for found in store.by_job(17, "hpc")] == [one.run]
    other = run("other")
    store.add_run(other)
    store.settle(other.run, ACCEPTED, None, T0, job(other, 99))
    assert [len(found.jobs[0].tasks) for found in store.runs()] == [3, 0]


def test_a_failed_step_leaves_nothing_half_done(store: Store) -> None:
    """A transaction that breaks is rolled back."""
    one = run()
    store.add_run(one)
    broken = replace(job(one), allocations=(replace(ALLOCATION, state=None),))  # type: ignore[arg-type]
    with pytest.raises(StoreError):
        store.settle(one.run, ACCEPTED, None, T0, broken)
    assert store.run(one.run) == one


def is_free(claims: Claims, run: str) -> bool:
    """Whether nobody holds a run."""
    with claims.hold(run, wait=False) as held:
        return held


def test_a_claim_is_seen_by_others_and_ends_with_its_holder(store: Store) -> None:
    """Another process sees it, waits for it, and nothing of it stays."""
    order: list[str] = []

    def second() -> None:
        with store.claims.hold("demo-00c0ffee"):
            order.append("second")

    assert is_free(store.claims, "demo-00c0ffee")
    with store.claims.hold("demo-00c0ffee"):
        assert not is_free(store.claims, "demo-00c0ffee")
        assert is_free(store.claims, "demo-00000001")
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.2)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]
    assert list((store.path.parent / "claims").iterdir()) == []


def test_a_claim_whose_holder_was_killed_is_free(store: Store) -> None:
    """SIGKILL leaves the file and no lock."""
    code = "import sys, time; from pathlib import Path; from trainsub.store.claims import Claims\nwith Claims(Path(sys.argv[1])).hold('r'):\n print('held', flush=True); time.sleep(60)"
    folder = store.path.parent / "claims"
    with subprocess.Popen([sys.executable, "-c", code, folder], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert not is_free(store.claims, "r")
        process.kill()
    assert is_free(store.claims, "r")
    with store.claims.hold("r"):
        pass


def test_a_claim_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    """A file in the way of the folder."""
    (tmp_path / "claims").write_text("")
    with pytest.raises(StoreError, match="cannot be made"), Claims(tmp_path / "claims").hold("r"):
        pass


def test_what_was_learned_later_stands(store: Store) -> None:
    """A slow, older poll of another process does not overwrite a newer one."""
    one = run()
    store.add_run(one)
    before = Job(one.run, 1, 7, T0)
    store.settle(one.run, ACCEPTED, None, T0, before)
    newer = replace(before, state="COMPLETED", observed_at=T0 + timedelta(seconds=9))
    older = replace(before, state="RUNNING", observed_at=T0 + timedelta(seconds=3))
    store.observe("hpc", [(before, newer)], T0, accounting=None)
    store.observe("hpc", [(before, older)], T0, accounting=None)
    found = store.run(one.run)
    assert found is not None
    assert found.jobs[0].state == "COMPLETED"


def test_an_outcome_of_a_run_that_is_gone_is_an_error_not_a_guess(store: Store) -> None:
    """Nothing is recorded for a run that the store does not have."""
    with pytest.raises(StoreError, match="vanished"):
        store.settle("demo-00c0ffee", ACCEPTED, None, T0, job(run()))


def test_any_thread_may_ask(store: Store) -> None:
    """As a notebook does."""
    store.add_run(run())
    found: list[Run] = []
    thread = threading.Thread(target=lambda: found.extend(store.runs()))
    thread.start()
    thread.join()
    assert [one.run for one in found] == [run().run]


def test_an_array_is_as_new_as_the_newest_of_its_tasks(store: Store) -> None:
    """One of which nobody tells speaks for it, with an old time; the end of the others is kept all the same."""
    one = run()
    store.add_run(one)
    array = begin(Job(one.run, 1, 7, T0, array="0-1"))
    store.settle(one.run, ACCEPTED, None, T0, array)
    first, lost = (replace(task, state="PENDING", observed_at=T0, missing_since=T0) for task in array.tasks)
    at, later = T0 + timedelta(seconds=10), T0 + timedelta(seconds=20)
    seen = summed(array, [replace(first, state="RUNNING", observed_at=at, missing_since=None), lost])
    store.observe("hpc", [(array, seen)], at, accounting=True)
    ended = summed(seen, [replace(seen.tasks[0], state="COMPLETED", observed_at=later), lost])
    assert ended.observed_at == T0
    store.observe("hpc", [(seen, ended)], later, accounting=True)
    (kept,) = store.lists.open_jobs("hpc", None)
    assert [task.state for task in kept.tasks] == ["COMPLETED", "PENDING"]
