"""``[sweep]`` and ``[chain]``: which points and links there are, and what each adds to the command."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.errors import SpecError
from trainsub.slurm import arrays
from trainsub.spec import JobSpec, Sweep, options, parse_spec
from trainsub.spec.sources import sources
from trainsub.spec.sweep import LARGEST

HEAD = 'name = "x"\ncommand = ["python", "a.py"]\n[slurm]\nnodes = 1\ntime = "5"\n'
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUE = st.one_of(
    TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
KEY = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,10}", fullmatch=True)
VALUES = st.lists(VALUE, min_size=1, max_size=4, unique_by=lambda value: (type(value), value))
SWEEPS = st.one_of(
    st.fixed_dictionaries({"matrix": st.dictionaries(KEY, VALUES, min_size=1, max_size=3)}),
    st.fixed_dictionaries(
        {
            "points": st.lists(
                st.dictionaries(KEY, VALUE, min_size=1, max_size=3),
                min_size=1,
                max_size=4,
                unique_by=lambda point: frozenset((key, type(value), value) for key, value in point.items()),
            )
        }
    ),
)


def spec(tables: str) -> JobSpec:
    """A spec with these tables."""
    return parse_spec(HEAD + tables)


def sweep(more: str) -> Sweep:
    """A sweep."""
    found = spec(f"[sweep]\n{more}\n").sweep
    assert found is not None
    return found


def entries(parameters: bytes) -> list[tuple[int, str, str]]:
    """What the file says: index, kind and text of each entry."""
    *parts, rest = parameters.decode().split("\0")
    assert rest == ""
    return [(int(index), kind, text) for index, kind, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)]


def test_the_last_parameter_changes_fastest() -> None:
    """The order is that of the file, so that an index means the same point for ever."""
    found = sweep("matrix = { lr = [1e-4, 3e-4], seed = [2, 1] }").all_points
    assert found == (
        {"lr": 1e-4, "seed": 2},
        {"lr": 1e-4, "seed": 1},
        {"lr": 3e-4, "seed": 2},
        {"lr": 3e-4, "seed": 1},
    )


def test_points_are_as_they_were_written() -> None:
    """They need not have the same parameters."""
    assert sweep('points = [{ b = 1, a = "x" }, { a = true }]').all_points == ({"b": 1, "a": "x"}, {"a": True})


@given(SWEEPS)
def test_a_sweep_reads_back_as_itself(tables: dict[str, Any]) -> None:
    """With the types of all values, and in the same order; the array has a task for each point."""
    made = JobSpec.model_validate({"name": "x", "command": ["a"], "slurm": {"nodes": 1, "time": "5"}, "sweep": tables})
    again = parse_spec(made.to_toml())
    assert again.sweep is not None
    assert made.sweep is not None
    assert repr(again.sweep.all_points) == repr(made.sweep.all_points)
    assert made.array is not None
    assert arrays.parse(made.array).indices == tuple(range(len(made.sweep.all_points)))
    told = [json.loads(text) for _, kind, text in entries(made.sweep.parameters()) if kind == "point"]
    assert repr(told) == repr(list(made.sweep.all_points))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("", ["--lr=0.0001", "--name=a b"]),
        ('append_args = ["--{key}", "{value}"]', ["--lr", "0.0001", "--name", "a b"]),
        ('append_args = ["{key}={value}"]', ["lr=0.0001", "name=a b"]),
        ('append_args = ["--config", "{file}"]', ["--config", "/run/points/0.json"]),
        ('append_args = ["{file}:{key}"]', ["/run/points/0.json:lr", "/run/points/0.json:name"]),
        ('append_args = ["{file}{file}={value}"]', [f"{2 * '/run/points/0.json'}={one}" for one in ("0.0001", "a b")]),
        ('append_args = ["{}", "{1}"]', ["{}", "{1}"]),
        ("append_args = []", []),
        ('env = ["lr"]', ["--name=a b"]),
        ('env = ["lr", "name"]', []),
    ],
)
def test_words_that_follow_the_command(more: str, words: list[str]) -> None:
    """Once for each parameter where the template names one, else once."""
    found = sweep(f'points = [{{ lr = 1e-4, name = "a b" }}]\n{more}')
    assert found.arguments(0, found.all_points[0], "/run") == words


def test_a_value_is_no_template() -> None:
    """What it holds stays as it is."""
    found = sweep("points = [{ a = '{key}{value}{file}' }]")
    assert found.arguments(0, found.all_points[0], "/run") == ["--a={key}{value}{file}"]


def test_the_file_of_the_parameters() -> None:
    """Each entry is the index, the kind and the text; a variable that a point lacks is taken away."""
    found = sweep('points = [{ lr = 1e-5, SEED = 1 }, { lr = true }]\nenv = ["SEED"]')
    assert entries(found.parameters()) == [
        (0, "point", '{"lr": 1e-05, "SEED": 1}'),
        (0, "variable", "SEED=1"),
        (0, "argument", "--lr=1e-05"),
        (1, "point", '{"lr": true}'),
        (1, "unset", "SEED"),
        (1, "argument", "--lr=true"),
    ]


def test_the_path_of_the_point_is_the_tasks_to_say() -> None:
    """Only there it is known in full; a program that changes its directory finds the file."""
    found = sweep('points = [{ a = 1 }]\nappend_args = ["--config={file}:{file}.x"]')
    assert entries(found.parameters())[1:] == [(0, "file", "--config="), (0, "file", ":"), (0, "argument", ".x")]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("", "sweep.matrix: is required, or points"),
        ("matrix = {}", "sweep.matrix: expected a table of lists of values"),
        ("matrix = 3", "sweep.matrix: expected a table of lists of values, got 3"),
        ("matrix = { a = 1 }", "sweep.matrix: a: expected a list of values, got 1"),
        ("matrix = { a = [] }", "sweep.matrix: a: expected a list of values"),
        ("matrix = { a = [[1]] }", "sweep.matrix: a: item 1: expected text, a number, true or false, got a list"),
        ("matrix = { a = [nan] }", "sweep.matrix: a: item 1: nan is not a number that JSON has"),
        ("matrix = { a = [9223372036854775808] }", "sweep.matrix: a: item 1: a number beyond 64 bits"),
        ("matrix = { a = [1, 2, 1] }", "sweep.matrix: a: 1 is there twice"),
        ("matrix = { a.b = [1] }", "sweep.matrix: a is a table"),
        ("matrix = { 'a b' = [1] }", 'sweep.matrix: "a b" is not the name of a parameter'),
        ("points = []", "sweep.points: expected a list of tables of values, got an empty list"),
        ("matrix = {}", "sweep.matrix: expected a table of lists of values, got an empty table"),
        ("matrix = { lr = [] }", "sweep.matrix: lr: expected a list of values, got an empty list"),
        ("points = { a = 1 }", "sweep.points: expected a list of tables of values, got a table"),
        ("points = [1]", "sweep.points: item 1: expected a table of parameters, got 1"),
        ("points = [{ a = 1 }, {}]", "sweep.points: item 2: expected a table of parameters, got an empty table"),
        ("points = [{ a = 1 }, { a = [1] }]", "sweep.points: item 2: a: expected text, a number, true or false"),
        (
            "points = [{ a = 1, b = 'x' }, { b = 'x', a = 1 }]",
            'sweep.points: the point with a = 1, b = "x" is there twice',
        ),
        ("points = [{ a = 1 }]\nmatrix = { a = [1] }", "sweep.points: cannot stand beside matrix"),
        ("matrix = { a = [1] }\nenv = ['b']", "sweep.env: b is no parameter of the sweep"),
        ("matrix = { a = [1] }\nenv = ['RANK']", "sweep.env: item 1: reserved: "),
        ("matrix = { TS_RUN = [1] }\nenv = ['TS_RUN']", "sweep.env: item 1: reserved: trainsub's own programs"),
        ("matrix = { IFS = ['a'] }\nenv = ['IFS']", "sweep.env: item 1: reserved: the job's script"),
        ("matrix = { a = [1] }\nappend_args = ['{val}']", "sweep.append_args: item 1: {val} stands for nothing"),
        ("matrix = { a = [1, 2] }\nindices = '0,2'", "sweep.indices: 0,2 goes beyond the last point, which is 1"),
        ("matrix = { a = [1, 2] }\nindices = '0%2'", "sweep.indices: a limit after % is max_running's to say"),
        ("matrix = { a = [1, 2] }\nindices = 'x'", "sweep.indices: no indices: 'x' is neither"),
        ("matrix = { a = [1] }\nmax_running = 0", "sweep.max_running: expected an integer"),
        ("matrix = { a = [1] }\n[env]\na = 1\n[sweep.x]", "sweep.x: unknown key"),
    ],
)
def test_what_is_no_sweep(more: str, message: str) -> None:
    """Each is refused by its place, with the reason."""
    with pytest.raises(SpecError) as told:
        sweep(more)
    assert message in told.value.message


def test_too_many_points() -> None:
    """A matrix is counted before it is made."""
    side = math.isqrt(LARGEST) + 1
    numbers = str(list(range(side)))
    with pytest.raises(SpecError, match=rf"{side * side} combinations, and a sweep has at most {LARGEST} points"):
        sweep(f"matrix = {{ a = {numbers}, b = {numbers} }}")
    with pytest.raises(SpecError, match=f"{LARGEST + 1} points, and a sweep has at most {LARGEST}"):
        sweep(f"points = [{', '.join(f'{{ a = {number} }}' for number in range(LARGEST + 1))}]")


@pytest.mark.parametrize(
    ("tables", "array", "source"),
    [
        ("[sweep]\nmatrix = { a = [1, 2, 3] }", "0-2", "sweep"),
        ("[sweep]\nmatrix = { a = [1, 2, 3] }\nmax_running = 2", "0-2%2", "sweep"),
        ("[sweep]\npoints = [{ a = 1 }]", "0", "sweep"),
        ("[sweep]\nmatrix = { a = [1, 2, 3] }\nindices = '2,1'\nmax_running = 1", "1-2%1", "sweep"),
        ("[chain]\nlinks = 5", "1-5%1", "chain"),
        ("array = '0-9'", "0-9", "slurm.array"),
    ],
)
def test_the_array_of_the_job(tables: str, array: str, source: str) -> None:
    """What sbatch is told, and which key says so."""
    made = spec(tables)
    assert made.array == array
    assert options(made, {})["array"] == array
    assert sources(made, {}, "hpc")["array"] == source


@pytest.mark.parametrize(
    ("slurm", "defaults", "requeue"),
    [
        ("", {}, ("no_requeue", "chain")),
        ("requeue = true", {}, ("requeue", "slurm.requeue")),
        ("", {"requeue": True}, ("requeue", "clusters.hpc.defaults.requeue")),
        ("requeue = false", {}, ("no_requeue", "slurm.requeue")),
    ],
)
def test_a_chain_is_not_requeued(slurm: str, defaults: dict[str, Any], requeue: tuple[str, str]) -> None:
    """The next link goes on, unless somebody wants it otherwise."""
    made = spec(f"{slurm}\n[chain]\nlinks = 2")
    option, source = requeue
    assert options(made, defaults)[option] is True
    assert sources(made, defaults, "hpc")[option] == source


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ("array = '0-1'\n[sweep]\nmatrix = { a = [1] }", "slurm.array: cannot stand beside sweep"),
        ("array = '0-1'\n[chain]\nlinks = 2", "slurm.array: cannot stand beside chain"),
        ("[sweep]\nmatrix = { a = [1] }\n[chain]\nlinks = 2", "sweep: cannot stand beside chain"),
        ("[sweep]\nmatrix = { A = [1] }\nenv = ['A']\n[env]\nA = 1", "env.A: is a parameter of the sweep, too"),
        ("[chain]", "chain.links: is required"),
        ("[chain]\nlinks = 1", "chain.links: expected an integer from 2 to 1000"),
        ("[chain]\nlinks = 2\nfinished = ''", "chain.finished: expected a path"),
        ("[chain]\nlinks = 2\nmax_stalled = 0", "chain.max_stalled: expected an integer"),
    ],
)
def test_what_does_not_go_together(tables: str, message: str) -> None:
    """One job is one array."""
    with pytest.raises(SpecError) as told:
        spec(tables)
    assert message in told.value.message
