from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.minislurm import dependency
from trainsub.minislurm.values import Array, Job, Request

NOW = 10_000
OK, BAD, LONG, HELD, GONE = 351, 352, 353, 356, 1
ARRAY, OK_ARRAY = 354, 355


def job(job_id: int, state: str = "PENDING", *, name: str = "job", wants: str = "") -> Job:
    """Make a job; one that runs began a minute ago."""
    start = None if state == "PENDING" else NOW - 60
    return Job(job_id, 1000, Request(name, "gpu", dependency=wants), NOW - 100, start=start, state=state)


def tasks(array_id: int, states: Sequence[str]) -> list[Job]:
    """Make an array with tasks 1, 2 and so on."""
    return [
        replace(job(array_id + 1000 + index, state), array=Array(array_id, task=index))
        for index, state in enumerate(states, 1)
    ]


JOBS = [
    job(OK, "COMPLETED"),
    job(BAD, "FAILED"),
    job(LONG, "RUNNING", name="long"),
    job(HELD),
    *tasks(ARRAY, ["RUNNING", "RUNNING", "RUNNING"]),
    *tasks(OK_ARRAY, ["COMPLETED", "COMPLETED", "COMPLETED"]),
]


def find(job_id: int) -> list[Job]:
    """Return all rows of a job."""
    return [one for one in JOBS if job_id in {one.job_id, one.array_job_id}]


def fate(text: str, *, name: str = "job", now: int = NOW) -> tuple[str, str]:
    """Return why a new job waits, and what squeue shows."""
    try:
        kept = dependency.text(dependency.check(dependency.parse(text), find))
    except dependency.DependencyError:
        return "refused", ""
    new = job(900, name=name, wants=kept)
    others = [one for one in JOBS if not one.ended] + [new]
    return dependency.waits(new, find, others, now), dependency.show(new, find, others, now)


WAITS, NEVER = "Dependency", "DependencyNeverSatisfied"


# Recorded from Slurm 24.11.
@pytest.mark.parametrize(
    ("text", "reason", "shown"),
    [
        ("", "", ""),
        ("after:1", "", ""),
        ("after:351", "", ""),
        ("after:353", "", ""),
        ("after:354", "", ""),
        ("after:356", WAITS, "after:356(unfulfilled)"),
        ("after:354_1", "", ""),
        ("after:354_9", "", ""),
        ("after:353+5", WAITS, "after:353+5(unfulfilled)"),
        ("after:353+1", "", ""),
        ("afterok:1", "refused", ""),
        ("afterok:999999", "refused", ""),
        ("afterok:351", "", ""),
        ("afterok:352", NEVER, "afterok:352(failed)"),
        ("afterok:353", WAITS, "afterok:353(unfulfilled)"),
        ("afterok:354", WAITS, "afterok:354_*(unfulfilled)"),
        ("afterok:355", "", ""),
        ("afterok:354_1", WAITS, "afterok:354_1(unfulfilled)"),
        ("afterok:355_2", "", ""),
        ("afterok:354_9", "refused", ""),
        ("AFTEROK:356", WAITS, "afterok:356(unfulfilled)"),
        ("afternotok:1", "refused", ""),
        ("afternotok:351", NEVER, "afternotok:351(failed)"),
        ("afternotok:352", "", ""),
        ("afternotok:355", NEVER, "afternotok:355_*(failed)"),
        ("afterany:1", "", ""),
        ("afterany:352", "", ""),
        ("afterany:353", WAITS, "afterany:353(unfulfilled)"),
        ("356", WAITS, "afterany:356(unfulfilled)"),
        ("aftercorr:352", NEVER, "aftercorr:352(failed)"),
        ("aftercorr:354", WAITS, "aftercorr:354_*(unfulfilled)"),
        ("afterok: 351", "", ""),
        ("afterok:353,afterany:351", WAITS, "afterok:353(unfulfilled)"),
        ("afterok:356:353", WAITS, "afterok:356(unfulfilled),afterok:353(unfulfilled)"),
        ("afterok:356:351:352", NEVER, "afterok:356(unfulfilled),afterok:352(failed)"),
        ("afterok:353?afterany:356", WAITS, "afterok:353(unfulfilled)?afterany:356(unfulfilled)"),
        ("afterok:352?afterany:356", WAITS, "afterok:352(failed)?afterany:356(unfulfilled)"),
        ("afterok:352?afterany:351", "", ""),
        ("afterok:352?afternotok:351", NEVER, "afterok:352(failed)?afternotok:351(failed)"),
        ("afterok:352,afterany:356", NEVER, "afterok:352(failed),afterany:356(unfulfilled)"),
        ("singleton", WAITS, "singleton(unfulfilled)"),
        ("singleton,afterany:356", WAITS, "singleton(unfulfilled),afterany:356(unfulfilled)"),
        ("singleton?afterany:351", "", ""),
    ],
)
def test_what_becomes_of_a_job(text: str, reason: str, shown: str) -> None:
    """Its reason, and the conditions that are left."""
    assert fate(text, name="long") == (reason, shown)


def test_a_singleton_is_alone() -> None:
    """With another name it waits for nobody; nor for jobs that were submitted after it."""
    assert fate("singleton", name="uniq") == ("", "")
    early = job(100, name="long", wants="singleton")
    assert dependency.waits(early, find, JOBS, NOW) == ""
    other = replace(job(900, name="long", wants="singleton"), uid=1001)
    assert dependency.waits(other, find, JOBS, NOW) == ""


def test_after_some_minutes() -> None:
    """They count from the start of the other job."""
    assert fate("after:353+5", now=NOW + 239)[0] == WAITS
    assert fate("after:353+5", now=NOW + 240)[0] == ""


def test_each_task_for_its_own() -> None:
    """With aftercorr; and a row of tasks that have not begun counts for each of them."""
    rows = {
        7: [
            replace(job(8, "COMPLETED"), array=Array(7, task=1)),
            replace(job(9, "FAILED"), array=Array(7, task=2)),
            replace(job(7), array=Array(7, pending=(3,))),
        ]
    }

    def waits(task: int) -> str:
        mine = replace(job(900 + task, wants="aftercorr:7"), array=Array(900, task=task))
        return dependency.waits(mine, lambda job_id: rows.get(job_id, []), [], NOW)

    assert [waits(task) for task in (1, 2, 3)] == ["", NEVER, WAITS]
    third = job(950, wants="afterok:7_3")
    assert dependency.waits(third, lambda job_id: rows.get(job_id, []), [], NOW) == WAITS


@pytest.mark.parametrize(
    "text",
    [
        "afterparty:1",
        "afterok",
        "afterok:",
        "afterok:x",
        "afterok:0",
        "afterok:-1",
        "afterok:1,",
        ",afterok:1",
        "afterok:1 ",
        "after:1+x",
        "1:2",
        "none",
        "singleton:1",
        "singletonx",
        "afterok:1_[1-3]",
    ],
)
def test_what_cannot_be_read(text: str) -> None:
    """Slurm calls it a dependency problem."""
    with pytest.raises(dependency.DependencyError):
        dependency.parse(text)


parts = st.one_of(
    st.just(dependency.Part("singleton")),
    st.builds(
        dependency.Part,
        st.sampled_from(["after", "afterany", "aftercorr", "afternotok", "afterok"]),
        st.integers(1, 10**9),
        st.none() | st.integers(0, 1000),
        st.integers(0, 1000),
    ),
)


@given(st.lists(parts, min_size=2), st.booleans())
def test_the_text_is_read_back(found: list[dependency.Part], any_will_do: bool) -> None:  # noqa: FBT001
    """Whatever the conditions."""
    whole = dependency.Dependency(tuple(found), any_will_do)
    assert dependency.parse(dependency.text(whole)) == whole


@given(st.text(alphabet="afterok:1,?_+ singleton") | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else happens."""
    try:
        found = dependency.parse(text)
    except dependency.DependencyError:
        return
    assert dependency.parse(dependency.text(found)) == found
