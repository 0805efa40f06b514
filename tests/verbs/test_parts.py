"""Sweeps that need several arrays: their parts, each exactly once, however often the way there breaks."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from standins import wait_until
from verbs.desk import Desk, Elsewhere, spec, stamp
from verbs.test_arrays_elsewhere import task

from trainsub import Client, Run
from trainsub.cli.describe import plan_document
from trainsub.errors import (
    RefusedError,
    SpecError,
    TrainsubError,
    TransportError,
    UnreachableError,
    UnsettledError,
    UsageError,
)
from trainsub.plan import Plan
from trainsub.spec import JobSpec, parse_spec
from trainsub.spec.sweep import Point

FIVE = '[{a = 1}, {a = 2.5}, {a = "3"}, {a = true}, {a = 5}]'


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """Two clusters whose arrays have two tasks at most."""
    desk.configure(alpha="max_array_size = 2\n", beta="max_array_size = 2\n")
    return desk


def down() -> UnreachableError:
    """A new one each time: hints are added to what is raised."""
    return UnreachableError("no route to host", hint="Find one.")


def five(**sets: object) -> JobSpec:
    """A sweep of five points."""
    return spec(**{"launch__kind": "srun", "sweep__points": FIVE, **sets})


def plans(client: Client, key: str | None = None, **sets: object) -> tuple[Plan, ...]:
    """What would be submitted of it."""
    return client.plans(five(**sets), key=key)


def submit(client: Client, key: str | None = None, **sets: object) -> list[Run]:
    """Submit the sweep, as the same command does each time."""
    return client.submit_all(plans(client, key, **sets))


def jobs(runs: list[Run]) -> list[int]:
    """Their jobs."""
    return [run.jobs[0].job_id for run in runs]


def count(desk: Desk) -> int:
    """How often sbatch was called."""
    return len(desk.alpha.slurm.calls("sbatch"))


def folder(desk: Desk, run: Run) -> Path:
    """A run's directory on the cluster."""
    return desk.alpha.root / "runs" / run.run


def trained(desk: Desk, runs: list[Run]) -> list[Point]:
    """The points of all runs in their order, from the specs that were sent."""
    found: list[Point] = []
    for run in runs:
        sweep = parse_spec((folder(desk, run) / "spec.toml").read_bytes()).sweep
        assert sweep is not None
        assert (folder(desk, run) / "sweep.points").read_bytes() == sweep.parameters()
        found += [sweep.all_points[index] for index in sweep.chosen]
    return found


def waits(desk: Desk, run: Run) -> list[str]:
    """What its script says that it waits for."""
    lines = (folder(desk, run) / "script.sbatch").read_text().split("\n")
    assert lines[0].startswith("#!")
    return [line for line in lines[1:] if "dependency" in line]


def break_at(desk: Desk, part: int, how: str) -> type[TrainsubError]:
    """Let the submission of a part fail in one way or another; what is raised then."""
    before: list[Any] = [None] * (part - 1)
    if how == "nothing sent":
        desk.alpha.road.blocked = [*before, down()]
        return UnreachableError
    if how == "answer lost":
        desk.alpha.road.cuts = [*before, 90]
        desk.alpha.road.blocked = [*before, None, down()]
        return UnsettledError
    if how == "given up":
        desk.alpha.road.sends = [*before, 500]
        return TransportError
    gate = f'[ "$(ls "$state" | grep -c "^sbatch[.]argv")" -lt {part} ] || '
    desk.alpha.slurm.before("sbatch", gate + '{ echo "sbatch: error: Invalid job array specification" >&2; exit 1; }')
    return RefusedError


def mend(desk: Desk) -> None:
    """Let everything work again."""
    desk.alpha.road.blocked, desk.alpha.road.cuts, desk.alpha.road.sends = [], [], []
    desk.alpha.slurm.before("sbatch", "")


def test_each_part_is_a_run_and_each_point_is_in_one(desk: Desk) -> None:
    """In order, with the indices and the file that belong to it; they go side by side where nothing limits them."""
    client = desk.client()
    accepted: list[Run] = []
    runs = client.submit_all(plans(client), accepted=accepted.append)
    assert runs == accepted
    assert [str(point["a"]) for point in trained(desk, runs)] == ["1", "2.5", "3", "True", "5"]
    assert [run.jobs[0].array for run in runs] == ["0-1", "0-1", "0"]
    assert [waits(desk, run) for run in runs] == [[], [], []]
    assert (count(desk), desk.alpha.road.execs, len({run.run for run in runs})) == (3, 3, 3)
    assert "3 parts" in desk.told[0]


def test_a_limit_holds_for_all_parts_together(desk: Desk) -> None:
    """Slurm counts in each array, so each waits until the one before has ended, however it ends."""
    runs = submit(desk.client(), sweep__max_running=1)
    assert [run.jobs[0].array for run in runs] == ["0-1%1", "0-1%1", "0%1"]
    assert [waits(desk, run) for run in runs] == [
        [],
        *([f"#SBATCH --dependency=afterany:{job}"] for job in jobs(runs)[:2]),
    ]


@pytest.mark.parametrize(("part", "key"), [(1, None), (2, None), (2, "k"), (3, None)])
@pytest.mark.parametrize("how", ["nothing sent", "answer lost", "given up", "refused"])
def test_the_same_command_goes_on_where_it_broke_off(desk: Desk, how: str, part: int, key: str | None) -> None:
    """With a key or without one: what is there stays, what is missing follows, and nothing is there twice."""
    expected = break_at(desk, part, how)
    with pytest.raises(expected) as caught:
        submit(desk.client(), key, sweep__max_running=1)
    said = "the same command goes on with the next" in str(caught.value.hint)
    assert said == (part > 1)
    mend(desk)
    client = desk.client()
    before = {run.run: run for run in client.status(cached=True).runs if run.outcome == "accepted"}
    assert len(before) == part - 1
    runs = submit(client, key, sweep__max_running=1)
    assert set(before) <= {run.run for run in runs}
    assert [str(point["a"]) for point in trained(desk, runs)] == ["1", "2.5", "3", "True", "5"]
    assert len(set(jobs(runs))) == 3
    assert count(desk) == 3 + (how == "refused")
    assert [waits(desk, run) for run in runs][1:] == [
        [f"#SBATCH --dependency=afterany:{job}"] for job in jobs(runs)[:2]
    ]


def test_another_machine_goes_on_with_the_key(desk: Desk) -> None:
    """Its store knows nothing of the first part; the cluster does."""
    break_at(desk, 2, "nothing sent")
    with pytest.raises(UnreachableError):
        submit(desk.client(), "k")
    mend(desk)
    runs = submit(desk.client(state="other machine"), "k")
    assert jobs(runs) == [1000, 1001, 1002]
    assert jobs(submit(desk.client(state="third"), "k")) == [1000, 1001, 1002]
    assert count(desk) == 3


def test_a_whole_sweep_is_not_gone_on_with(desk: Desk) -> None:
    """Without a key the same command is a new wish then; and what was cancelled is given up."""
    client = desk.client()
    first = submit(client)
    assert not {run.run for run in submit(client)} & {run.run for run in first}
    assert count(desk) == 6


def broken_off(desk: Desk, client: Client) -> Run:
    """The first part of a sweep whose second was not sent."""
    break_at(desk, 2, "nothing sent")
    with pytest.raises(UnreachableError):
        submit(client)
    mend(desk)
    (first,) = client.status(cached=True).runs
    return first


def test_a_sweep_that_was_cancelled_is_not_gone_on_with(desk: Desk) -> None:
    """Broken off, cancelled, and typed again: all of it is meant."""
    client = desk.client()
    before = broken_off(desk, client)
    desk.alpha.ended(before, "CANCELLED")
    assert client.wait([before.run], timeout=60)[0].jobs[0].state == "CANCELLED"
    assert before.run not in {run.run for run in submit(client)}
    assert count(desk) == 4


@pytest.mark.parametrize("by", ["squeue", "sacct"])
def test_nor_is_one_of_which_a_task_had_failed_before(desk: Desk, by: str) -> None:
    """The array failed, for that is the worst of its ends; it was cancelled all the same."""
    client = desk.client()
    before = broken_off(desk, client)
    array = before.jobs[0].job_id
    desk.alpha.clear()
    task(desk, before, array + 500, "0", "FAILED", end=stamp())
    if by == "squeue":
        task(desk, before, array, "1", "CANCELLED", end=stamp())
    else:
        times = (stamp(), 0, stamp(), stamp(), 0, "00:00:00")
        row = (array, f"{array}_1", "CANCELLED by 1000", "0:0", *times, "cpu=1", 1, "n1", "gpu", "a", before.run)
        desk.alpha.slurm._add("accounting", *row)  # noqa: SLF001
    desk.clock.skip(minutes=5)
    (ended,) = client.status([before.run]).runs
    assert (ended.jobs[0].state, [one.state for one in ended.jobs[0].tasks]) == ("FAILED", ["FAILED", "CANCELLED"])
    assert before.run not in {run.run for run in submit(client)}
    assert count(desk) == 4


def test_one_more_point_is_another_sweep(desk: Desk) -> None:
    """The first part has the same points, and was broken off; without a key it is none of the new sweep's."""
    client = desk.client()
    break_at(desk, 2, "nothing sent")
    with pytest.raises(UnreachableError):
        submit(client)
    mend(desk)
    runs = submit(client, sweep__points=FIVE[:-1] + ", {a = 6}]")
    assert count(desk) == 4
    assert len(trained(desk, runs)) == 6


@pytest.mark.parametrize(
    ("points", "size"),
    [
        ("[{a = 7}, {a = 8}, {a = 9}]", 2),
        (FIVE, 3),
        (FIVE.replace("1", "1.0"), 2),
        ('[{a = 1}, {a = 2.5}, {a = "3"}]', 2),
    ],
)
def test_a_key_is_not_shared_by_two_sweeps(desk: Desk, points: str, size: int) -> None:
    """Other points, or parts of another size: some would be trained twice, others never. Nothing is sent."""
    client = desk.client()
    client.submit_all(client.plans(five(), key="k")[:2])
    desk.configure(alpha=f"max_array_size = {size}\n")
    for other in (desk.client(), desk.client(state="other machine")):
        with pytest.raises(SpecError, match="with other points"):
            submit(other, "k", sweep__points=points)
    assert count(desk) == 2


def test_a_sweep_is_of_one_kind(desk: Desk) -> None:
    """Whoever goes on with another time limit, or mended code, is told before anything is sent."""
    (desk.folder / "code").mkdir()
    (desk.folder / "code" / "a.py").write_text("1\n")
    client = desk.client()
    with_code = {"code": '{path = "code"}'}
    client.submit_all(client.plans(five(**with_code), key="k", base=desk.folder)[:2])
    with pytest.raises(SpecError, match="with other settings"):
        client.submit_all(client.plans(five(slurm__time='"2:00:00"', **with_code), key="k", base=desk.folder))
    (desk.folder / "code" / "a.py").write_text("2\n")
    with pytest.raises(SpecError, match="with other code") as caught:
        client.submit_all(client.plans(five(**with_code), key="k", base=desk.folder))
    assert "Give another --key" in str(caught.value.hint)
    assert count(desk) == 2


def test_a_sweep_stays_on_its_cluster(desk: Desk) -> None:
    """Where a part of the key is elsewhere, nothing is sent: no job waits for another cluster's."""
    client = desk.client()
    break_at(desk, 2, "nothing sent")
    with pytest.raises(UnreachableError):
        submit(client, "k")
    with pytest.raises(UsageError, match="on cluster alpha already") as caught:
        client.submit_all(client.plans(five(), key="k", cluster="beta"))
    assert "--cluster alpha" in str(caught.value.hint)
    assert desk.beta.road.execs == 0


def test_the_same_command_in_two_terminals_at_once(desk: Desk) -> None:
    """The second finds the first one's run under way, and the parts are those of both."""
    go = desk.alpha.holds("sbatch")
    one, other = desk.client(), desk.client()
    first = Elsewhere(lambda: submit(one))
    desk.alpha.met("sbatch")
    second = Elsewhere(lambda: submit(other))
    wait_until(lambda: any("another trainsub" in line for line in desk.told))
    go()
    assert jobs(first.result()) == jobs(second.result()) == [1000, 1001, 1002]
    assert count(desk) == 3


def test_a_single_plan_is_not_part_of_a_sweep_by_mistake(desk: Desk) -> None:
    """Who asks for one plan gets all points, or is told how to."""
    client = desk.client()
    with pytest.raises(SpecError, match="not as many points") as caught:
        client.plan(five())
    assert "submit_all" in str(caught.value.hint)
    assert client.plan(five(sweep__indices="0-1")).tasks == 2
    assert client.render(five()) == plans(client)[0].script


def test_the_ceiling_is_that_of_all_parts(desk: Desk) -> None:
    """2 + 2 + 1 tasks of an hour on eight GPUs at 2.00."""
    desk.configure(alpha='max_array_size = 2\n[clusters.alpha.price]\ncurrency = "EUR"\ngpu_hour = "2"\n')
    made = plans(desk.client())
    assert [plan.ceiling for plan in made] == [Decimal(32), Decimal(32), Decimal(16)]
    told = plan_document(made)
    assert (told.tasks, told.ceiling_gpu_seconds, told.ceiling and told.ceiling.amount) == (5, 5 * 8 * 3600, "80.00")
    assert [(part.run, part.tasks, part.waits) for part in told.parts] == [
        (plan.run, tasks, False) for plan, tasks in zip(made, (2, 2, 1), strict=True)
    ]
    assert [part.waits for part in plan_document(plans(desk.client(), sweep__max_running=1)).parts] == [
        False,
        True,
        True,
    ]
    endless = plan_document(plans(desk.client(), slurm__time="UNLIMITED"))
    assert (endless.ceiling_gpu_seconds, endless.ceiling) == (None, None)


def test_a_refusal_of_the_indices_says_which_key_to_set(desk: Desk) -> None:
    """The cluster takes smaller arrays than the configuration says."""
    break_at(desk, 1, "refused")
    with pytest.raises(RefusedError, match=r"\(sweep\)") as caught:
        submit(desk.client())
    assert "clusters.NAME.max_array_size" in str(caught.value.hint)
