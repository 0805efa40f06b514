"""`make demo` shows the main job, from nothing to the bill."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from docs.pages import ROOT


def _demo(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    command = programs / "trainsub"
    command.write_text(f'#!/bin/sh\nPYTHONSAFEPATH=1 exec {sys.executable} -m trainsub "$@"\n')
    command.chmod(0o755)
    return subprocess.run(
        [ROOT / "examples" / "demo", programs],
        env={**os.environ, "DEMO_DIR": str(folder / "demo"), **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )


def test_without_docker_it_says_what_to_do(tmp_path: Path) -> None:
    """And ends with the exit code for that, before it has made anything."""
    done = _demo(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/nobody.sock")
    assert done.returncode == 4, done.stdout
    assert "The demo needs Docker" in done.stdout
    assert not (tmp_path / "demo").exists()


@pytest.mark.cluster
def test_the_demo_ends_with_state_gpu_seconds_and_cost(tmp_path: Path) -> None:
    """The second time it finds its cluster, and leaves it running."""
    try:
        for already_up in (False, True):
            done = _demo(tmp_path)
            assert done.returncode == 0, done.stdout
            for words in ("step 5 loss", "COMPLETED", "GPU-SECONDS", "EUR", "What you may try next", "sandbox down"):
                assert words in done.stdout, done.stdout
            assert ("$ trainsub sandbox up" not in done.stdout) == already_up
    finally:
        subprocess.run([tmp_path / "demo" / "trainsub", "sandbox", "down"], check=True)
