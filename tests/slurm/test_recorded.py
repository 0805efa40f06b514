"""The parsers, fed with what three real versions of Slurm answered: tests/data/slurm/, recorded by tests/recorded/."""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from recorded.answers import VERSIONS, Recorded, load
from recorded.scenes import SCENES, TEXTS, unaccounted
from recorded.stage import SINCE, run_of

from trainsub.record.names import Mark, parse_comment
from trainsub.remote import named, strays
from trainsub.slurm import hostlist, sacct, sbatch, scancel, scontrol, sinfo, squeue, states, tres
from trainsub.slurm.values import ExitCode

answers = cache(load)


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """Each version of Slurm."""
    return str(request.param)


def said(version: str, name: str) -> Recorded:
    """One answer."""
    return answers(version)[name]


def queue(version: str, name: str) -> list[squeue.QueueRow]:
    """squeue's rows in a scene, those of an array by their index."""
    rows = squeue.parse(said(version, f"{name}.squeue").out)
    return sorted(rows, key=lambda row: (row.array_task is None, row.array_task or 0, row.job_id))


def accounts(version: str, name: str) -> list[sacct.AccountRow]:
    """sacct's records in a scene, as printed."""
    return sacct.parse(said(version, f"{name}.sacct").out)


def test_every_scene_is_recorded_with_the_commands_of_today(version: str) -> None:
    """A command that trainsub asks otherwise now must be recorded anew."""
    recorded = answers(version).values()
    assert {one.scene for one in recorded} == {scene.__name__ for scene in (*SCENES, unaccounted)}
    known = {
        "squeue": squeue.argv(),
        "sacct": sacct.argv([1], SINCE)[:-1],
        "sinfo": sinfo.argv(),
        "squeue-named": named.queue_argv(run_of("named")),
        "sacct-named": named.accounts_argv(run_of("named"), SINCE),
        "squeue-strays": strays.queue_argv(),
        "sacct-strays": strays.accounts_argv(SINCE),
        "scontrol-ping": scontrol.ping_argv(),
        "scontrol-config": scontrol.config_argv(),
    }
    for one in recorded:
        argv = known.get(one.file.split(".")[1])
        assert argv is None or list(one.argv[: len(argv)]) == argv, one.file


def test_every_answer_that_was_given_can_be_read(version: str) -> None:
    """All rows of all scenes, and every state in them has a meaning."""
    for name, one in answers(version).items():
        if one.rc:
            continue
        if name.endswith(".squeue"):
            for row in squeue.parse(one.out):
                assert states.phase(row.state) != states.UNKNOWN, row
                assert tres.gpus(row.tres, tracked=True) is not None
                hostlist.expand(row.nodelist)
        elif name.endswith(".sacct"):
            for record in sacct.parse(one.out):
                assert states.phase(record.state) != states.UNKNOWN, record
                assert len(hostlist.expand(record.nodelist)) in {0, record.nodes}
                tres.gpus(record.alloc_tres)


@pytest.mark.parametrize(
    ("scene", "state", "reason", "nodes", "gpus"),
    [
        ("running", "RUNNING", "", 2, 6),
        ("completed", "COMPLETED", "", 1, 1),
        ("failed", "FAILED", "NonZeroExitCode", 1, None),
        ("cancelled-by-user", "CANCELLED", "", 1, None),
        ("cancelled-by-root", "CANCELLED", "", 1, None),
        ("cancelled-pending", "CANCELLED", "JobHeldUser", 1, None),
        ("timeout", "TIMEOUT", "TimeLimit", 1, 1),
        ("requeued-waiting", "PENDING", "BeginTime", 1, 2),
        ("requeued-running", "RUNNING", "", 1, 2),
        ("requeued", "COMPLETED", "", 1, 2),
        ("held", "PENDING", "JobHeldUser", 1, None),
        ("held-by-root", "PENDING", "JobHeldAdmin", 1, None),
        ("resized-running", "RUNNING", "", 1, 4),
        ("resized", "CANCELLED", "", 1, 4),
        ("suspended", "SUSPENDED", "", 1, 1),
        ("completing", "COMPLETING", "", 1, None),
        ("preempted", "PREEMPTED", "", 4, 32),
        ("preempted-requeued", "PENDING", "BeginTime", 4, 32),
        ("waits-resources", "PENDING", "Resources", 4, 32),
        ("waits-priority", "PENDING", "Priority", 4, 32),
        ("waits-dependency", "PENDING", "Dependency", 1, None),
        ("waits-begin", "PENDING", "BeginTime", 1, None),
        ("waits-limit", "PENDING", "AssocGrpGRES", 2, 16),
        ("never", "PENDING", "DependencyNeverSatisfied", 1, None),
        ("never-killed", "CANCELLED", "DependencyNeverSatisfied", 1, None),
        ("node-fail", "NODE_FAIL", "NodeDown", 1, 1),
        ("node-fail-requeued", "PENDING", "BeginTime", 1, 1),
        ("dbd-down", "RUNNING", "", 1, None),
    ],
)
def test_the_queue_says(version: str, scene: str, state: str, reason: str, nodes: int, gpus: int | None) -> None:
    """State, reason and resources of one job, whose name and comment are its run's."""
    (row,) = queue(version, scene)
    assert (row.state, row.reason, row.nodes) == (state, reason, nodes)
    assert tres.gpus(row.tres) == gpus
    assert (row.array_job_id, row.array_task, row.array_pending) == (None, None, None)
    mark = parse_comment(row.comment)
    assert mark is not None
    assert (mark.run, mark.link) == (row.name, 1)
    assert row.submit_time is not None
    assert row.restarts == (1 if "requeued" in scene else 0)
    waits = states.phase(state) == states.PENDING
    assert (row.nodelist == "") == (waits or scene in {"cancelled-pending", "never-killed"})
    assert waits or (row.start_time is not None and row.end_time is not None)


def test_a_script_that_was_killed(version: str) -> None:
    """The oldest version knows no better reason."""
    (row,) = queue(version, "signalled")
    assert row.state == "FAILED"
    assert row.reason == ("JobLaunchFailure" if version == "22.05" else "RaisedSignal:9(Killed)")


def test_a_reason_may_be_a_sentence(version: str) -> None:
    """With blanks and commas, and the nodes in it."""
    assert [row.reason.partition(",")[0] for row in queue(version, "waits-node")] == ["ReqNodeNotAvail"]
    assert [row.reason.partition(",")[0] for row in queue(version, "waits-drained")] == ["ReqNodeNotAvail"]
    (held,) = queue(version, "requeue-held")
    assert (held.state, held.restarts) == ("PENDING", 1)
    assert held.reason in {"job requeued in held state", "JobHeldAdmin"}


def test_behind_a_job_without_a_limit_the_expected_start_is_a_year_away(version: str) -> None:
    """Slurm counts such a job as one of 365 days."""
    (endless,) = queue(version, "without-limit")
    assert endless.end_time is None
    (waits,) = queue(version, "waits-resources")
    assert endless.start_time is not None
    assert waits.start_time is not None
    assert waits.start_time - endless.start_time == timedelta(days=365)
    (dependent,) = queue(version, "waits-dependency")
    assert dependent.start_time is None


def test_a_begin_in_the_future_is_the_expected_start(version: str) -> None:
    """An hour later than the submission."""
    (row,) = queue(version, "waits-begin")
    assert row.submit_time is not None
    assert row.start_time is not None
    assert abs(row.start_time - row.submit_time - timedelta(hours=1)) <= timedelta(seconds=1)


def test_an_array_in_the_queue(version: str) -> None:
    """Tasks that have begun are rows of their own; the others share one."""
    first, second, rest = queue(version, "array")
    assert [(one.state, one.array_task, one.array_pending) for one in (first, second)] == [
        ("RUNNING", 0, None),
        ("RUNNING", 1, None),
    ]
    assert (rest.state, rest.reason, rest.array_task) == ("PENDING", "JobArrayTaskLimit", None)
    assert rest.array_pending == "2-4,9%2"
    assert {one.array_job_id for one in (first, second, rest)} == {rest.job_id}
    assert first.job_id != rest.job_id
    ended = queue(version, "array-ended")
    assert [(one.array_task, one.state) for one in ended] == [
        (index, "FAILED" if index == 2 else "COMPLETED") for index in (0, 1, 2, 3, 4, 9)
    ]
    (held,) = queue(version, "array-held")
    assert held.array_pending == "1-100:3"


def test_an_array_in_the_accounts(version: str) -> None:
    """The same: one record for those that wait, one for each that has begun."""
    records = sorted(accounts(version, "array"), key=lambda one: (one.array_task is None, one.array_task or 0))
    assert [(one.array_task, one.state) for one in records] == [(0, "RUNNING"), (1, "RUNNING"), (None, "PENDING")]
    assert len({one.array_job_id for one in records}) == 1
    ended = {one.array_task: one for one in accounts(version, "array-ended")}
    assert sorted(index for index in ended if index is not None) == [0, 1, 2, 3, 4, 9]
    assert (ended[2].state, ended[2].exit_code) == ("FAILED", ExitCode(5, 0))
    assert {one.job_id for one in ended.values()} == {one.job_id for one in queue(version, "array-ended")}


@pytest.mark.parametrize(
    ("scene", "words", "code"),
    [
        ("running", ["RUNNING"], (0, 0)),
        ("completed", ["COMPLETED"], (0, 0)),
        ("without-gpus", ["COMPLETED"], (0, 0)),
        ("failed", ["FAILED"], (7, 0)),
        ("signalled", ["FAILED"], (0, 9)),
        ("cancelled-by-user", ["CANCELLED by 2001"], (0, 0)),
        ("cancelled-by-root", ["CANCELLED by 0"], (0, 0)),
        ("cancelled-pending", ["CANCELLED by 2001"], (0, 0)),
        ("timeout", ["TIMEOUT"], (0, 0)),
        ("requeued-waiting", ["REQUEUED", "PENDING"], (0, 0)),
        ("requeued-running", ["REQUEUED", "RUNNING"], (0, 0)),
        ("requeued", ["REQUEUED", "COMPLETED"], (0, 0)),
        ("requeue-held", ["REQUEUED", "PENDING"], (0, 0)),
        ("held", ["PENDING"], (0, 0)),
        ("resized-running", ["RESIZING", "RUNNING"], (0, 0)),
        ("resized", ["RESIZING", "CANCELLED by 2001"], (0, 0)),
        ("suspended-ended", ["COMPLETED"], (0, 0)),
        ("preempted", ["PREEMPTED"], (0, 0)),
        ("preempted-requeued", ["PREEMPTED", "PENDING"], (0, 0)),
        ("never", ["PENDING"], (0, 0)),
        ("never-killed", ["CANCELLED"], (0, 0)),
        ("node-fail-requeued", ["NODE_FAIL", "PENDING"], (0, 0)),
        ("cold-start", ["CANCELLED"], (0, 0)),
        ("runaway", ["RUNNING"], (0, 0)),
        ("ctld-frozen", ["RUNNING"], (0, 0)),
        ("ctld-down", ["RUNNING"], (0, 0)),
    ],
)
def test_the_accounts_say(version: str, scene: str, words: list[str], code: tuple[int, int]) -> None:
    """Each record's state, the last one's exit code, and times that fit each other."""
    records = accounts(version, scene)
    told = [one.state for one in records]
    # The record that a requeue begins may come some seconds late.
    assert told == words or (told == words[:-1] and words[-1] == "PENDING")
    assert records[-1].exit_code == ExitCode(*code) or told != words
    for one in records:
        ended = states.phase(one.state) == states.FINISHED or one.state in states.RECORD_ONLY
        if one.start is not None and one.end is not None and scene != "suspended-ended":
            assert one.elapsed == (one.end - one.start).total_seconds()
        assert one.end is None or ended
        assert (one.nodelist == "") == (not one.alloc_tres or one.state == "PENDING")


def test_a_requeue_makes_a_record_of_each_allocation(version: str) -> None:
    """The submission of the second one is the end of the first."""
    first, second = accounts(version, "requeued")
    assert (first.job_id, tres.gpus(first.alloc_tres)) == (second.job_id, 2)
    assert first.submit is not None
    assert second.submit is not None
    assert second.start is not None
    assert first.submit < second.submit <= second.start
    (row,) = queue(version, "requeued")
    assert (row.submit_time, row.start_time, row.end_time) == (second.submit, second.start, second.end)


def test_a_resized_job_has_a_record_for_each_size(version: str) -> None:
    """Eight GPUs, then four; where the second one begins differs by version."""
    larger, smaller = accounts(version, "resized")
    assert (tres.gpus(larger.alloc_tres), tres.gpus(smaller.alloc_tres)) == (8, 4)
    assert (larger.nodes, smaller.nodes) == (2, 1)
    assert smaller.start in {larger.start, larger.end}


def test_the_exit_code_of_a_job_whose_node_died(version: str) -> None:
    """It is not the job's own."""
    (record,) = accounts(version, "node-fail")
    assert (record.state, record.exit_code) == ("NODE_FAIL", ExitCode(0 if version == "22.05" else 1, 0))


def test_suspended_time_is_told_apart(version: str) -> None:
    """Three seconds or so, which are not in Elapsed."""
    (one,) = accounts(version, "suspended-ended")
    assert one.start is not None
    assert one.end is not None
    assert one.suspended is not None
    assert 2 <= one.suspended <= 6
    assert one.elapsed + one.suspended == (one.end - one.start).total_seconds()


def test_a_job_that_the_controller_lost(version: str) -> None:
    """squeue has never heard of it; the accounts call it running where they were not told, and cancelled where they were."""
    for scene in ("cold-start", "runaway"):
        assert queue(version, scene) == []
        assert said(version, f"{scene}.squeue").rc == 0
    (cold,) = accounts(version, "cold-start")
    assert cold.end is not None
    (runaway,) = accounts(version, "runaway")
    assert (runaway.state, runaway.end) == ("RUNNING", None)


def test_hostile_names_and_comments(version: str) -> None:
    """Whatever a user writes stays in its own row."""
    rows = sorted(queue(version, "hostile"), key=lambda row: row.job_id)
    assert [row.state for row in rows] == ["PENDING"] * len(TEXTS)
    for row, text in zip(rows, TEXTS, strict=True):
        mark = parse_comment(row.comment)
        assert mark is not None
        assert mark.run == run_of("hostile")
        if "\x1f" not in text:
            assert (row.name, row.comment) == (text, f"trainsub:{mark.run}:1 {text}")
    records = sorted(accounts(version, "hostile"), key=lambda row: row.job_id)
    assert [one.job_id for one in records] == [row.job_id for row in rows]


def test_what_is_unknown_is_no_error_and_no_row(version: str) -> None:
    """A name, an id; an unknown id beside a known one hides nothing."""
    assert queue(version, "unknown") == []
    assert accounts(version, "unknown") == []
    assert [one.name for one in accounts(version, "unknown-and-known")] == [run_of("known")]
    assert [one.name for one in accounts(version, "by-name")] == [run_of("completed")]
    for name in ("unknown.scancel", "ended.scancel"):
        one = said(version, name)
        assert one.rc == 0 or scancel.says_ended(one.err), one


@pytest.mark.parametrize("fault", ["ctld-frozen", "ctld-down"])
def test_a_controller_that_does_not_answer(version: str, fault: str) -> None:
    """Every command says so by its exit code; sacct answers; a submission is refused, or its outcome is unclear."""
    for command in ("squeue", "scontrol-config", "sinfo", "scancel"):
        one = said(version, f"{fault}.{command}")
        assert one.rc != 0, one
        assert not one.out.strip(), one
        assert not scancel.says_ended(one.err)
    (controller,) = scontrol.parse_ping(said(version, f"{fault}.scontrol-ping").out)
    assert not controller.up
    one = said(version, f"{fault}.sbatch")
    answer = sbatch.parse_answer(one.rc, one.out, one.err)
    assert isinstance(answer, sbatch.Unclear if fault == "ctld-frozen" else sbatch.Refused), one


def test_a_database_that_does_not_answer(version: str) -> None:
    """sacct says so, and never that there are no accounts; sbatch goes on."""
    for name in ("dbd-down.sacct", "dbd-down.sacct-now"):
        one = said(version, name)
        assert one.rc != 0
        assert not one.out
        assert "disabled" not in one.err
    one = said(version, "dbd-down.sbatch")
    assert isinstance(sbatch.parse_answer(one.rc, one.out, one.err), sbatch.Accepted)


def test_a_cluster_without_accounting(version: str) -> None:
    """sacct says that it is disabled, and the configuration says it, too; the comment is the site's."""
    for name in ("unaccounted.sacct", "unaccounted.sacct-now"):
        one = said(version, name)
        assert one.rc != 0
        assert "accounting storage is disabled" in one.err.lower()
    assert not scontrol.has_accounting(scontrol.parse_config(said(version, "unaccounted.scontrol-config").out))
    (row,) = queue(version, "unaccounted")
    assert (row.name, row.comment) == (run_of("unaccounted"), "site:2001")


def test_sbatch_refuses(version: str) -> None:
    """With its reason, and never in a way that leaves open whether there is a job."""
    refused = {name: one for name, one in answers(version).items() if name.startswith("refused-")}
    assert len(refused) > 20
    for name, one in refused.items():
        answer = sbatch.parse_answer(one.rc, one.out, one.err)
        if (name, version) == ("refused-dependency.sbatch", "22.05"):
            assert isinstance(answer, sbatch.Accepted)  # it takes a dependency on a job that there never was
            continue
        assert isinstance(answer, sbatch.Refused), one
        assert answer.reason
    one = said(version, "accepted.sbatch")
    assert isinstance(sbatch.parse_answer(one.rc, one.out, one.err), sbatch.Accepted)


def test_jobs_of_one_name(version: str) -> None:
    """What a settler reads: an array is one job, and its comment is found in the accounts, too."""
    run = run_of("named")
    (queued,) = named.parse_queue(said(version, "named.squeue-named").out, run)
    (accounted,) = named.parse_accounts(said(version, "named.sacct-named").out, run)
    assert queued == accounted
    assert queued.mark == Mark(run, 1)
    assert queued.folder.endswith(f"/runs/{run}/work")


def test_jobs_that_bear_our_mark(version: str) -> None:
    """Whatever their names, and whatever stands beside them; a job that was never eligible only the queue shows."""
    queued = strays.parse_queue(said(version, "named.squeue-strays").out)
    accounted = strays.parse_accounts(said(version, "named.sacct-strays").out)
    assert {one.run for one in queued} == {run_of("named"), run_of("stray"), run_of("hostile")}
    assert [one for one in queued if one.run == run_of("named")] == accounted


def test_orders(version: str) -> None:
    """Taken or not, and why not."""
    taken = ("holds", "releases", "holds-again")
    for name in (*taken, "requeues-waiting", "requeues-never", "holds-unknown", "releases-denied"):
        one = said(version, f"{name}.scontrol-order")
        order = scontrol.parse_order(one.rc, one.err or one.out)
        assert order.taken == (name in taken), one
        assert bool(order.complaint) != order.taken, one


def test_the_cluster_is_described(version: str) -> None:
    """Version, accounting, GPUs, partitions, nodes that are down."""
    settings = scontrol.parse_config(said(version, "up.scontrol-config").out)
    major, minor, _ = scontrol.version(settings["SLURM_VERSION"])
    assert f"{major}.{minor:02d}" == version
    assert scontrol.version(said(version, "up.squeue-version").out)[:2] == (major, minor)
    assert scontrol.tracks_gpus(settings)
    assert scontrol.has_accounting(settings)
    (controller,) = scontrol.parse_ping(said(version, "up.scontrol-ping").out)
    assert (controller.role, controller.host, controller.up) == ("primary", "controller", True)
    for name, down in (("up", 0), ("node-down", 1), ("node-drained", 1)):
        partitions = {one.name: one for one in sinfo.parse(said(version, f"{name}.sinfo").out)}
        gpu, debug = partitions["gpu"], partitions["debug"]
        assert (gpu.default, gpu.up, gpu.nodes, gpu.down, gpu.gpus_per_node) == (True, True, 4, down, 8)
        assert (debug.time_limit, debug.default_time) == (600, 300)


def test_hostnames(version: str) -> None:
    """Slurm means by a hostlist what we mean."""
    for number in (1, 2, 3):
        one = said(version, f"hostnames-{number}.scontrol-hostnames")
        # The oldest version knows no names that go on behind the brackets.
        assert hostlist.expand(one.argv[-1]) == one.out.split() or (number, version) == (2, "22.05")


def test_times_are_epoch_seconds(version: str) -> None:
    """Whatever the login node's time zone is; a job's times lie in the window that was asked for."""
    (row,) = queue(version, "completed")
    (record,) = accounts(version, "completed")
    assert (row.submit_time, row.start_time, row.end_time) == (record.submit, record.start, record.end)
    assert record.submit is not None
    assert SINCE < record.submit < datetime(2100, 1, 1, tzinfo=UTC)
