import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.toml"))
FABRICS: dict[str, object] = {
    "srun-apptainer": "infiniband",
    "torchrun-slingshot": "slingshot",
    "srun-roce": {
        "kind": "roce",
        "interface": "bond0",
        "hca": "=mlx5_0,mlx5_1",
        "gid_index": 3,
        "check": "stop",
        "env": {"NCCL_IB_QPS_PER_CONNECTION": 4},
    },
}
SHELLCHECK = Path(sys.executable).with_name("shellcheck")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """The name of a golden script and of its spec."""
    return str(request.param)


@pytest.fixture
def script(name: str, rendered: Callable[..., str]) -> str:
    """The script, for a cluster with a few defaults."""
    return rendered(
        (GOLDEN / f"{name}.toml").read_text(), fabric=FABRICS.get(name), partition="gpu", account="research"
    )


def test_the_script_is_the_golden_one(name: str, script: str) -> None:
    """Somebody has read every byte. To write them anew: GOLDEN=write pytest tests/render; then read the difference."""
    golden = GOLDEN / f"{name}.sbatch"
    if os.environ.get("GOLDEN") == "write":
        golden.write_text(script)
    assert script == golden.read_text()


def test_bash_and_shellcheck_have_nothing_to_say(script: str) -> None:
    """The script is valid, and clean in shellcheck's eyes."""
    subprocess.run(["bash", "-n"], input=script, check=True, text=True)
    checked = subprocess.run([SHELLCHECK, "-"], input=script, capture_output=True, text=True, check=False)
    assert checked.stdout == ""


def test_no_line_is_too_long(script: str) -> None:
    """A script is read in terminals."""
    assert max(map(len, script.splitlines())) <= 125


def test_every_golden_script_has_its_spec() -> None:
    """Nothing is left of specs that are gone."""
    assert sorted(path.stem for path in GOLDEN.glob("*.sbatch")) == NAMES
