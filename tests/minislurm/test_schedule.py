from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.minislurm import schedule
from trainsub.minislurm.conf import Conf, Node, Partition
from trainsub.minislurm.lifecycle import split, start
from trainsub.minislurm.values import Array, Job, Request, Share

NOW = 1_000
CONF = Conf(
    nodes=tuple(Node(f"n{number}", 4, 1000, (0, 1)) for number in (1, 2, 3)),
    partitions=(Partition("gpu", max_time=86400),),
)


def job(job_id: int, **wants: object) -> Job:
    """Return a job that waits."""
    return Job(job_id, 1000, Request("job", "gpu", **wants), 900)  # type: ignore[arg-type]


def plan(*jobs: Job, conf: Conf = CONF, wait: schedule.Wait = lambda _: "") -> schedule.Plan:
    """Plan now."""
    return schedule.plan(jobs, conf, NOW, wait)


def started(found: schedule.Plan) -> list[tuple[int, str]]:
    """Return which jobs start on which nodes."""
    return [(one.job.job_id, ",".join(share.node for share in one.shares)) for one in found.starts]


def reasons(found: schedule.Plan) -> dict[int, str]:
    """Return what jobs wait for from now on."""
    return {one.job_id: one.reason for one in found.changed}


def test_jobs_start_in_order_on_the_first_nodes_with_room() -> None:
    """CPUs are counted."""
    assert started(plan(job(2, cpus_per_task=2), job(1, cpus_per_task=3))) == [(1, "n1"), (2, "n2")]


def test_gpus_are_counted_and_given_out() -> None:
    """Two jobs on a node get different ones."""
    found = plan(job(1, gpus_per_node=1, nodelist=("n2",)), job(2, gpus_per_node=1, nodelist=("n2",)))
    assert [one.shares for one in found.starts] == [(Share("n2", 1, (0,)),), (Share("n2", 1, (1,)),)]


def test_who_does_not_fit_waits_and_who_is_behind_too() -> None:
    """Nothing is moved ahead."""
    running = start(job(1, nodes=3, ntasks=3), 900, tuple(Share(f"n{n}", 3) for n in (1, 2, 3)), "m")
    found = plan(running, job(2, cpus_per_task=2), job(3))
    assert (started(found), reasons(found)) == ([], {2: "Resources", 3: "Priority"})


def test_who_waits_for_one_node_keeps_only_that_one() -> None:
    """Others may use the rest."""
    running = start(job(1), 900, (Share("n1", 4),), "m")
    found = plan(running, job(2, nodelist=("n1",)), job(3, exclude=("n2",)))
    assert (started(found), reasons(found)[2]) == ([(3, "n3")], "Resources")


@pytest.mark.parametrize(
    ("wants", "cpus"),
    [
        ({"nodes": 2, "ntasks": 5, "ntasks_given": True}, (4, 1)),
        ({"nodes": 2, "ntasks": 4, "ntasks_given": True, "ntasks_per_node": 2}, (2, 2)),
        ({"nodes": 2, "ntasks": 3, "ntasks_given": True, "ntasks_per_node": 2}, (2, 1)),
        ({"nodes": 2, "cpus_per_task": 3}, (3, 3)),
        ({"exclusive": True}, (4,)),
        ({"nodes": 1, "cpus_per_task": 5}, None),
        ({"nodes": 1, "ntasks": 5, "ntasks_given": True}, None),
        ({"nodes": 4}, None),
        ({"gpus_per_node": 3}, None),
        ({"memory": 1001}, None),
        ({"nodelist": ("n9",)}, None),
    ],
)
def test_what_a_job_gets_of_an_empty_cluster(wants: dict[str, object], cpus: tuple[int, ...] | None) -> None:
    """The first nodes get as many tasks as they can hold but one for each of the rest."""
    shares = schedule.place(job(1, **wants).request, list(schedule.free((), CONF).values()))
    assert (None if shares is None else tuple(share.cpus for share in shares)) == cpus
    assert schedule.fits(job(1, **wants).request, CONF) == (cpus is not None)


def test_nodes_with_more_room_are_taken_where_the_first_ones_do_not_do() -> None:
    """One CPU is left on the first node."""
    running = start(job(1), 900, (Share("n1", 3),), "m")
    assert started(plan(running, job(2, ntasks=3, ntasks_given=True))) == [(2, "n2")]


def test_the_batch_host_is_a_node_that_can_be_one() -> None:
    """Where only one address can be listened at."""
    nodes = tuple(replace(node, first=node.name == "n2") for node in CONF.nodes)
    conf = replace(CONF, nodes=nodes)
    assert started(plan(job(1, nodes=2, ntasks=2), conf=conf)) == [(1, "n2,n1")]
    assert started(plan(job(1), conf=conf)) == []


def test_what_jobs_wait_for() -> None:
    """Each for its own thing, and resources come last."""
    jobs = [
        replace(job(1), held="user", reason="None"),
        replace(job(2), not_before=NOW + 60),
        job(3, dependency="afterok:1"),
        replace(job(4), held="user", reason="launch failed requeued held"),
    ]
    found = plan(*jobs, wait=lambda one: "Dependency" if one.request.dependency else "")
    assert reasons(found) == {1: "JobHeldUser", 2: "BeginTime", 3: "Dependency"}
    assert [one.eligible for one in found.changed] == [None, NOW + 60, None]


def test_jobs_that_never_will_run_are_given_up() -> None:
    """If it is wanted of a dependency, and at a deadline."""
    jobs = [job(1, kill_on_invalid_dependency=True), job(2), job(3, deadline=NOW + 100, time_limit=200)]
    found = plan(*jobs, wait=lambda one: "DependencyNeverSatisfied" if one.job_id < 3 else "")
    states = {one.job_id: (one.state, one.reason) for one in found.changed}
    never = "DependencyNeverSatisfied"
    assert states == {1: ("CANCELLED", never), 2: ("PENDING", never), 3: ("DEADLINE", "DeadLine")}


def test_an_array_starts_as_many_tasks_as_fit_and_may() -> None:
    """%2 means two at a time."""
    row = replace(job(1, cpus_per_task=4), array=Array(1, pending=(0, 1, 2, 3)))
    found = plan(row)
    assert [one.task for one in found.starts] == [0, 1, 2]
    assert reasons(found) == {1: "Resources"}
    limited = replace(row, array=Array(1, pending=(0, 1, 2, 3), limit=2))
    assert [one.task for one in plan(limited).starts] == [0, 1]
    first, rest = split(limited, 0, 7)
    assert rest is not None
    found = plan(start(first, 900, (Share("n1", 4),), "m"), rest)
    assert ([one.task for one in found.starts], reasons(found)) == ([1], {1: "JobArrayTaskLimit"})


def test_tasks_that_wait_for_the_task_of_the_same_number() -> None:
    """With aftercorr each task waits for another one."""
    row = replace(job(9, dependency="aftercorr:1"), array=Array(9, pending=(1, 2)))
    found = plan(row, wait=lambda one: "" if one.array is not None and one.array.task == 1 else "Dependency")
    assert ([one.task for one in found.starts], reasons(found)) == ([1], {9: "Dependency"})


def test_a_job_is_eligible_since_it_could_start() -> None:
    """Not since its submission, if something else kept it."""
    free = replace(job(1), reason="Dependency")
    assert plan(free, job(2)).starts[0].job.eligible == NOW
    assert plan(job(1)).starts[0].job.eligible == 900


def test_when_a_new_job_would_start() -> None:
    """At the end of what runs, if that uses all of its time."""
    running = start(job(1, time_limit=500), 900, tuple(Share(f"n{n}", 4) for n in (1, 2, 3)), "m")
    assert schedule.estimate(job(2).request, [], CONF, NOW) == (NOW, (Share("n1", 1),))
    assert schedule.estimate(job(2).request, [running], CONF, NOW) == (1400, (Share("n1", 1),))
    assert schedule.estimate(job(2, nodes=9).request, [], CONF, NOW) is None
    unlimited = replace(running, request=replace(running.request, time_limit=None))
    assert schedule.estimate(job(2).request, [unlimited, job(3)], CONF, NOW) == (900 + 86400, (Share("n1", 1),))


WANTS = st.fixed_dictionaries(
    {
        "nodes": st.integers(1, 3),
        "ntasks": st.integers(1, 6),
        "ntasks_given": st.booleans(),
        "cpus_per_task": st.sampled_from([None, 1, 2, 4]),
        "gpus_per_node": st.integers(0, 2),
        "exclusive": st.booleans(),
        "exclude": st.sampled_from([(), ("n1",)]),
    }
)


@given(st.lists(WANTS, max_size=8))
def test_nothing_is_given_out_twice(wants: Sequence[dict[str, object]]) -> None:
    """Whatever jobs want."""
    found = plan(*(job(number, **one) for number, one in enumerate(wants, 1)))
    shares = [share for one in found.starts for share in one.shares]
    for node in CONF.nodes:
        held = [share for share in shares if share.node == node.name]
        gpus = [gpu for share in held for gpu in share.gpus]
        assert sum(share.cpus for share in held) <= node.cpus
        assert len(set(gpus)) == len(gpus)
    assert all(len(one.shares) >= one.job.request.nodes for one in found.starts)
