"""The block of a script that takes a task's point: bash hands on exactly the values, and nothing of them runs."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render import world
from render.world import cases

from trainsub.config import Cluster
from trainsub.errors import SpecError
from trainsub.render import render
from trainsub.spec import JobSpec
from trainsub.spec.sweep import FILE

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
NASTY = world.NASTY | st.sampled_from(["{a,b}", "", "\x7f", "\t "])
VALUE = st.one_of(TEXT, st.lists(NASTY, max_size=6).map("".join), st.booleans(), st.integers(-9, 9), st.just(1e-5))
POINTS = st.lists(
    st.dictionaries(st.sampled_from(["lr", "MODE", "a.b", "x-y"]), VALUE, min_size=1),
    min_size=1,
    max_size=12,
    unique_by=lambda point: frozenset((key, type(value), value) for key, value in point.items()),
)
TEMPLATES = st.sampled_from(
    [["--{key}={value}"], ["{key}", "{value}"], ["-c", "{file}"], ["{key}={file}:{file}{value}"], []]
)
SHOW = 'printf "%s\\0" "$#" "$@"; exec env -0'


def made(points: list[dict[str, Any]], templates: list[str], names: list[str]) -> JobSpec:
    """A sweep of one-task jobs."""
    return JobSpec.model_validate(
        {
            "name": "x",
            "command": ["program"],
            "launch": {"kind": "srun"},
            "slurm": {"nodes": 1, "time": "5"},
            "sweep": {"points": points, "append_args": templates, "env": names},
        }
    )


@cache
def block() -> str:
    """The block of a rendered script, between its comment and what it says in the end: no point is in it."""
    script = render(made([{"a": 1}], ["{value}"], []), Cluster.model_validate({"transport": "local"}))
    found = re.search(r"# This task's point.*?\nsay [^\n]*\n", script, re.DOTALL)
    assert found is not None
    assert script.rstrip().count('"$@" &') == 1
    return found[0]


def taken(folder: Path, spec: JobSpec, index: int, locale: str = "C") -> tuple[list[str], dict[str, str]]:
    """The words and the variables that the task of an index starts its program with."""
    assert spec.sweep is not None
    (folder / FILE).write_bytes(spec.sweep.parameters())
    text = f'set -u -o pipefail\nsay() {{ :; }}\nfail() {{ exit "$1"; }}\nrun_dir=$1\n{block()}\n{SHOW}\n'
    environ = {"PATH": os.environ["PATH"], "LC_ALL": locale, "SLURM_ARRAY_TASK_ID": str(index), "MODE": "before"}
    script = folder / "script"
    script.write_text(text)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    done = subprocess.run(["bash", script, folder], cwd=work, env=environ, capture_output=True, check=True)
    assert done.stderr == b""
    assert not list(work.iterdir())
    count, *rest = done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    return rest[: int(count)], dict(one.split("=", 1) for one in rest[int(count) :])


@settings(max_examples=cases(150), deadline=None)
@given(POINTS, TEMPLATES, st.booleans(), st.sampled_from(["C", "C.UTF-8"]), st.data())
def test_bash_hands_on_exactly_the_point(
    points: list[dict[str, Any]],
    templates: list[str],
    variable: bool,  # noqa: FBT001 -- drawn
    locale: str,
    data: st.DataObject,
) -> None:
    """Arguments, a variable and the JSON file, whatever is in them."""
    names = ["MODE"] if variable and any("MODE" in point for point in points) else []
    spec = made(points, templates, names)
    assert spec.sweep is not None
    index = data.draw(st.integers(0, len(points) - 1))
    point = points[index]
    with tempfile.TemporaryDirectory() as folder:
        words, variables = taken(Path(folder), spec, index, locale)
        assert words == spec.sweep.arguments(index, point, folder)
        mode = point.get("MODE") if names else "before"  # the submitter's own is not for a sweep's variable
        assert variables.get("MODE") == (mode if isinstance(mode, str | None) else json.dumps(mode))
        assert variables["TRAINSUB_POINT"] == f"{folder}/points/{index}.json"
        assert repr(json.loads(Path(variables["TRAINSUB_POINT"]).read_text())) == repr(point)


@pytest.mark.parametrize(
    ("index", "cut", "code"), [(2, 0, 64), (1, 40, 64), (0, 0, 0)], ids=["no such point", "a file cut short", "fine"]
)
def test_a_task_without_a_point_ends(tmp_path: Path, index: int, cut: int, code: int) -> None:
    """It never trains with the parameters of another one, or with none."""
    spec = made([{"lr": 1}, {"lr": 2}], ["--{key}={value}"], [])
    assert spec.sweep is not None
    (tmp_path / FILE).write_bytes(spec.sweep.parameters()[: -cut or None])
    text = f'set -u\nsay() {{ :; }}\nfail() {{ exit "$1"; }}\nrun_dir=$1\n{block()}'
    environ = {"PATH": os.environ["PATH"], "SLURM_ARRAY_TASK_ID": str(index)}
    done = subprocess.run(["bash", "-c", text, "script", tmp_path], env=environ, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.parametrize("kind", ["torchrun", "srun"])
def test_only_a_sweep_has_points(rendered: Callable[..., str], kind: str) -> None:
    """Any other script has no words of that kind."""
    script = rendered(f'name="x"\ncommand=["python","a.py"]\n[slurm]\nnodes=1\ntime="5"\n[launch]\nkind="{kind}"\n')
    assert FILE not in script
    assert not re.search(r'\$@" *&$', script, re.MULTILINE)


@pytest.mark.parametrize("name", ["point", "before", "word", "kind", "index", "chain", "stalled"])
def test_the_scripts_own_variables_are_refused(rendered: Callable[..., str], name: str) -> None:
    """The training would be given another value."""
    with pytest.raises(SpecError, match=f"env.{name}: "):
        rendered(f'name="x"\ncommand=["a"]\nenv={{ {name} = 1 }}\n[slurm]\nnodes=1\ntime="5"\n')
    with pytest.raises(SpecError, match=f"sweep.env: {name}: "):
        render(made([{name: 1}], [], [name]), Cluster.model_validate({"transport": "local"}))


@pytest.mark.parametrize(
    ("tables", "names"),
    [
        ('[sweep]\npoints=[{ a = 1, SEED = 1 }]\nenv=["SEED"]', {"TRAINSUB_POINT", "SEED"}),
        ("[chain]\nlinks=2", {"TRAINSUB_CHAIN_LINK"}),
        ("", set()),
    ],
)
def test_a_container_is_given_their_variables(rendered: Callable[..., str], tables: str, names: set[str]) -> None:
    """The values that an image has of its own do not win over those of the point."""
    script = rendered(
        'name="x"\ncommand=["a"]\n[slurm]\nnodes=1\ntime="5"\n[launch]\nkind="srun"\n'
        f'[container]\nruntime="pyxis"\nimage="/x.sqsh"\n{tables}\n'
    )
    passed = re.search(r"^variables=\((.*?)^\)", script, re.MULTILINE | re.DOTALL)
    assert passed is not None
    assert {"TRAINSUB_POINT", "TRAINSUB_CHAIN_LINK", "SEED"} & set(passed[1].split()) == names
