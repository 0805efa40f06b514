"""What a link of a chain makes of its checkpoint and of its end, through a real bash."""

from collections.abc import Callable
from pathlib import Path

import pytest
from render.world import World, make_world

SPEC = (
    'name = "job"\ncommand = ["task"]\n[slurm]\nnodes = 4\ntime = "5"\n[launch]\nkind = "command"\n'
    '[chain]\nlinks = 9\ncheckpoint = "ck"\nfinished = "FINISHED"\nmax_stalled = 2\n'
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A run's directory; what scancel is told is of no interest."""
    world = make_world(tmp_path)
    (world.root / "bin" / "scancel").write_text("#!/bin/sh\n")
    (world.root / "bin" / "scancel").chmod(0o755)
    return world


def link(world: World, script: str, number: int, task: str) -> tuple[int, str]:
    """Run a link of the chain."""
    array = {"SLURM_ARRAY_JOB_ID": "40", "SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_MAX": "9"}
    return world.run(script, TASK=task, SLURM_JOB_ID=str(40 + number), **array)


def test_a_checkpoint_behind_a_symbolic_link_is_progress(world: World, rendered: Callable[..., str]) -> None:
    """Checkpoints lie on another file system, and a link leads there; so does one to the newest."""
    (world.root / "scratch").mkdir()
    (world.root / "work" / "ck").symlink_to(world.root / "scratch")
    script = rendered(SPEC)
    for number in range(1, 6):
        code, output = link(world, script, number, f"sleep 0.02; echo x >ck/step-{number}; exit 85")
        assert code == 85, output
        assert (world.run_dir / "chain" / "stalled").read_text() == "0\n"


def test_without_a_checkpoint_a_chain_is_stopped(world: World, rendered: Callable[..., str]) -> None:
    """And the log is not told what find thinks of it."""
    script = rendered(SPEC)
    codes = []
    for number in range(1, 4):
        code, output = link(world, script, number, "exit 85")
        codes.append(code)
        assert "find:" not in output
    assert codes == [85, 85, 93]
    assert (world.run_dir / "chain" / "stopped").read_text() == "2 links in a row have made no progress\n"


@pytest.mark.parametrize("end", ["exit 0", "exit 85", "exit 1", "kill -9 $$"])
def test_what_has_finished_has_ended_well(world: World, rendered: Callable[..., str], end: str) -> None:
    """The file says so, whatever happens behind it; that is told."""
    code, output = link(world, rendered(SPEC), 1, f"touch FINISHED; {end}")
    assert code == 0, output
    assert "the chain ends here: ./FINISHED is there" in output
    assert ("ended with exit code 1 all the same" in output) == (end in {"exit 1", "kill -9 $$"})


def test_paths_of_a_chain_may_lie_in_the_home_directory(world: World, rendered: Callable[..., str]) -> None:
    """As other paths on the cluster do."""
    script = rendered(SPEC.replace('"ck"', '"~/a b"').replace('"FINISHED"', '"~/run/FINISHED"'))
    (world.root / "a b").mkdir()
    (world.root / "run").mkdir()
    code, output = link(world, script, 1, "exit 85")
    assert code == 85, output
    link(world, script, 2, "sleep 0.02; touch ~/'a b'/step; exit 85")
    code, output = link(world, script, 3, "touch ~/run/FINISHED; exit 85")
    assert (world.run_dir / "chain" / "stalled").read_text() == "0\n"
    assert (code, f"the chain ends here: {world.root}/run/FINISHED is there" in output) == (0, True), output
