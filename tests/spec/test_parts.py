"""Sweeps of more points than one job array may have."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from spec.test_sweep import SWEEPS

from trainsub.slurm import arrays
from trainsub.spec import JobSpec, parse_spec
from trainsub.spec.parts import split
from trainsub.spec.sweep import Point

HEAD = 'name = "x"\ncommand = ["a"]\n[slurm]\nnodes = 1\ntime = "5"\n'


def spec(tables: str) -> JobSpec:
    """A spec with these tables."""
    return parse_spec(HEAD + tables)


def points(one: JobSpec) -> list[Point]:
    """What a spec trains, in the order of its indices."""
    assert one.sweep is not None
    everything = one.sweep.all_points
    return [everything[index] for index in one.sweep.chosen]


@given(SWEEPS, st.integers(1, 6), st.data())
def test_each_point_is_trained_once_in_order_and_within_the_bounds(
    tables: dict[str, Any], size: int, data: st.DataObject
) -> None:
    """Whatever the sweep, the points chosen of it, and the size of an array; each part is a spec that reads back."""
    given_spec = {"name": "x", "command": ["a"], "slurm": {"nodes": 1, "time": "5"}, "sweep": tables}
    last = len(points(JobSpec.model_validate(given_spec))) - 1
    chosen = data.draw(st.none() | st.sets(st.integers(0, last), min_size=1))
    if chosen is not None:
        tables = {**tables, "indices": arrays.text(chosen)}
    whole = JobSpec.model_validate({**given_spec, "sweep": tables})
    parts = split(whole, size)
    assert [repr(point) for part in parts for point in points(part)] == [repr(point) for point in points(whole)]
    for part in parts:
        assert part.sweep is not None
        assert max(part.sweep.chosen) < size
        again = parse_spec(part.to_toml())
        assert (again.array, again.sweep and again.sweep.parameters()) == (part.array, part.sweep.parameters())
    assert all(len(points(part)) == size for part in parts[:-1])


def test_what_fits_stays_as_it_was_written() -> None:
    """The largest index is one less than the size; and what is no sweep has no parts."""
    sweep = spec("[sweep]\nmatrix = { a = [1, 2, 3] }\n")
    assert split(sweep, 3) == (sweep,)
    assert len(split(sweep, 2)) == 2
    array = spec("array = '0-99'\n")
    assert split(array, 3) == (array,)


def test_what_else_the_sweep_says_is_said_in_each_part() -> None:
    """The limit, the words; of variables those that its points have: in another sweep they would be a mistake."""
    whole = spec(
        '[sweep]\npoints = [{ a = 1, S = 1 }, { a = 2 }, { a = 3 }]\nenv = ["S"]\nmax_running = 2\nappend_args = ["{value}"]\n'
    )
    first, second = split(whole, 2)
    assert (first.array, second.array) == ("0-1%2", "0%2")
    assert first.sweep is not None
    assert second.sweep is not None
    assert (first.sweep.env, second.sweep.env) == (("S",), ())
    assert second.sweep.append_args == ("{value}",)
    assert (first.name, first.slurm, first.command) == (whole.name, whole.slurm, whole.command)


def test_chosen_points_beyond_the_size_get_smaller_numbers() -> None:
    """Slurm would refuse their own."""
    (only,) = split(spec("[sweep]\nmatrix = { a = [0, 1, 2, 3, 4] }\nindices = '3-4'\n"), 2)
    assert (points(only), only.array) == ([{"a": 3}, {"a": 4}], "0-1")
