"""What a script of one's own gets, its words and its signals, through a real bash."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from render.world import World, cases, make_world

from trainsub.config import Cluster
from trainsub.render import render
from trainsub.spec import OwnScript, parse_spec
from trainsub.spec.toml import write

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
HOSTILE = st.sampled_from(
    ["$(touch pwned)", "`touch pwned`", "'; touch pwned #", '"', "\\", "-e", "", "\n", "\r", "*", "~"]
)
PRINTF = "#!/usr/bin/printf %s\\0\n#SBATCH -N 1 -t 5\n"


@given(st.lists(TEXT | HOSTILE, max_size=6))
@settings(max_examples=cases(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.skipif(not Path("/usr/bin/printf").exists(), reason="coreutils are elsewhere")
def test_words_arrive_as_they_are(tmp_path: Path, words: list[str]) -> None:
    """Its interpreter here is one that prints its arguments."""
    own = OwnScript("own.sbatch", PRINTF)
    spec = parse_spec(write({"name": "x", "template": "own.sbatch", "command": words}), own=own)
    script = render(spec, Cluster.model_validate({"transport": "local"}), own=own)
    (launch,) = [line for line in script.split("\n") if "own.sbatch" in line]
    run_dir = "/a b/$x"
    bash = ["bash", "-c", f"run_dir='{run_dir}'\nattend() {{ \"$@\"; }}\n{launch}"]
    said = subprocess.run(bash, cwd=tmp_path, capture_output=True, check=True).stdout
    assert said.decode().split("\0")[:-1] == [f"{run_dir}/own.sbatch", *words]
    assert list(tmp_path.iterdir()) == []


def test_its_code_is_known_whatever_signal_comes_with_its_end(tmp_path: Path) -> None:
    """`scancel --full` signals the whole batch step: a script that ends at once does so while ours hears it, too."""
    own = OwnScript("own.sbatch", f"#!{sys.executable}\n#SBATCH -N 1 -t 5\n")
    spec = parse_spec('name = "x"\ntemplate = "own.sbatch"\n', own=own)
    script = render(spec, Cluster.model_validate({"transport": "local"}), own=own)
    program = "import os, signal, time\nsignal.signal(signal.SIGUSR1, lambda *_: os._exit(5))\nopen({!r}, 'w')\ntime.sleep(20)"
    for number in range(12):
        root = tmp_path / str(number)
        root.mkdir()
        world = make_world(root)
        ready = world.root / "ready"
        (world.run_dir / "own.sbatch").write_text(program.format(str(ready)))
        code = _signalled(world, script, ready)
        assert (code, world.record()["code"]) == (5, "5"), number


def _signalled(world: World, script: str, ready: Path) -> int:
    """Start the script, signal all of its processes once its program is ready, and return how it ended."""
    (world.root / "script").write_text(script)
    process = subprocess.Popen(
        ["bash", world.root / "script", world.run_dir, "1"],
        cwd=world.root / "work",
        env=world.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    while not ready.exists():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGUSR1)
    return process.wait(20)
