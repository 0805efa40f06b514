"""The scripts that people start themselves."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
SCRIPTS = ["examples/demo", "examples/demo-setup", "tests/setup", "tests/docker", ".ci/run"]
NOT_IN_BASH_3 = ("mapfile", "readarray", "declare -A", "local -A", ",,}", "^^}", "coproc", "&>>", "|&", "${!")


@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_has_nothing_to_say(script: str) -> None:
    """Each of them is clean, and can be started."""
    done = subprocess.run([SHELLCHECK, REPOSITORY / script], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert (REPOSITORY / script).stat().st_mode & 0o111


@pytest.mark.parametrize("script", ["examples/demo", "examples/demo-setup"])
def test_the_demo_keeps_to_the_bash_of_macos(script: str) -> None:
    """Which is 3.2; an empty array counts as not set there."""
    text = (REPOSITORY / script).read_text()
    assert [word for word in NOT_IN_BASH_3 if word in text] == []
    assert "=()" not in text
