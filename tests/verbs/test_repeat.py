"""The plan that trains some tasks of a run once more."""

import shlex
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from trainsub.config import Cluster
from trainsub.errors import SpecError
from trainsub.plan import repeat_plan
from trainsub.render import render
from trainsub.spec import OwnScript, parse_spec
from trainsub.tracker.values import ACCEPTED, Code, Run

HPC = Cluster.model_validate({"transport": "local", "price": {"currency": "EUR", "gpu_hour": "2"}})
HEAD = 'name = "x"\ncommand = ["a"]\n[launch]\nkind = "srun"\n[slurm]\nnodes = 1\ngpus_per_node = 1\ntime = "1:00:00"\n'
SWEEP = "[sweep]\npoints = [{ a = 0 }, { a = 1 }, { a = 2 }, { a = 3 }]\nmax_running = 3\n"
CODE = Code("a" * 64, 100, 2, "b" * 40, dirty=True, untracked=("new.py",))


def run(tables: str, *, key: str = "k", script: str | None = None) -> Run:
    """A run of an array."""
    spec = parse_spec(HEAD + tables)
    made = render(spec, HPC) if script is None else script
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Run("x-00000001", "x", key, "hpc", now, "h", ACCEPTED, made, spec.to_toml(), CODE)


@pytest.mark.parametrize(
    ("tables", "array"), [(SWEEP, "1,3%3"), ("array = '0-3%2'\n", "1,3%2"), ("array = '0-3'\n", "1,3")]
)
def test_only_the_indices_are_others(tmp_path: Path, tables: str, array: str) -> None:
    """Script, code and limit are those of the run, and the ceiling is that of the tasks."""
    before = run(tables)
    plan = repeat_plan(before, [3, 1], HPC, archives=tmp_path)
    assert plan.spec.array == array
    changed = [
        (old, new) for old, new in zip(before.script.split("\n"), plan.script.split("\n"), strict=True) if old != new
    ]
    assert [new for _, new in changed] == [f"#SBATCH --array={array}"]
    assert (plan.code, plan.cluster, plan.tasks, plan.ceiling) == (CODE, "hpc", 2, Decimal(4))
    assert plan.snapshot is not None
    assert plan.snapshot.archive == tmp_path / f"{CODE.sha256}.tar.gz"


def test_the_same_tasks_are_the_same_run(tmp_path: Path) -> None:
    """From wherever it is asked; other tasks, or those of another run, are another one."""
    first, again, fewer = (repeat_plan(run(SWEEP), some, HPC, archives=tmp_path) for some in ([1, 3], [3, 1], [1]))
    other = repeat_plan(run(SWEEP, key="other"), [1, 3], HPC, archives=tmp_path)
    assert (first.run, first.plan_hash, first.key_drawn) == (again.run, again.plan_hash, False)
    assert len({first.run, fewer.run, other.run, "x-00000001"}) == 4


@pytest.mark.parametrize(
    ("array", "indices", "again"), [("0-3", [1, 3], "1,3"), ("0-9%2", [3], "3%2"), ("0-9", [4, 2, 3], "2-4")]
)
def test_a_script_of_ones_own_is_not_kept(tmp_path: Path, array: str, indices: list[int], again: str) -> None:
    """Its text is not known here, so what to type is told, with the indices."""
    own = OwnScript("own.sbatch", f"#!/bin/sh\n#SBATCH -N 1 -t 5 --array={array}\n")
    spec = parse_spec('name = "x"\ntemplate = "own.sbatch"\n', own=own)
    made = Run("x-1", "x", "k", "hpc", datetime(2026, 1, 1, tzinfo=UTC), "h", ACCEPTED, "#!/bin/sh\n", spec.to_toml())
    with pytest.raises(SpecError, match=r"^run x-1 has a script of your own, own\.sbatch, of which no copy") as caught:
        repeat_plan(made, indices, HPC, archives=tmp_path)
    told = f"--set 'slurm.array=\"{again}\"'"
    assert caught.value.hint == f"These tasks failed; submit the spec again for them: trainsub submit SPEC {told}"
    (setting,) = shlex.split(told)[1:]
    assert parse_spec(made.spec, sets=[setting]).array == again


@pytest.mark.parametrize("script", ["", "#!/bin/sh\n#SBATCH --array=0-3%3\n\n#SBATCH --array=0-3%3\n"])
def test_a_script_of_another_kind_is_not_guessed_at(tmp_path: Path, script: str) -> None:
    """It would train all tasks."""
    with pytest.raises(SpecError, match="does not say '#SBATCH --array=0-3%3' in one place"):
        repeat_plan(run(SWEEP, script=script), [1], HPC, archives=tmp_path)
