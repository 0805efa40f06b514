"""The words that a script of one's own gets, through a real bash."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from render.world import cases

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
    bash = ["bash", "-c", f"run_dir='{run_dir}'\n{launch}\nwait"]
    said = subprocess.run(bash, cwd=tmp_path, capture_output=True, check=True).stdout
    assert said.decode().split("\0")[:-1] == [f"{run_dir}/own.sbatch", *words]
    assert list(tmp_path.iterdir()) == []
