"""`make demo` that is stopped, often: with a stand-in for trainsub, so that only the script and make are tried."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from docs.demo import stopped_in_the_middle
from docs.pages import ROOT

SETUP = """#!/bin/sh
mkdir -p "$1/venv/bin"
: >"$1/training-venv"
cp stand-in "$1/venv/bin/trainsub"
"""
STAND_IN = """#!/usr/bin/env python3
import pathlib, signal, sys, time
def stop(*_):
    time.sleep(0.15)
    sys.exit("trainsub: terminated")
signal.signal(signal.SIGTERM, stop)
submitted = pathlib.Path(__file__).with_name("submitted")
if sys.argv[1] == "submit":
    submitted.touch()
    print("step 1 loss", flush=True)
    time.sleep(20)
elif sys.argv[1] == "cancel":
    submitted.unlink()
elif submitted.exists():
    print('"run": "ddp-new",')
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `make demo` needs, and nothing else."""
    (tmp_path / "examples" / "ddp").mkdir(parents=True)
    for name in ("Makefile", "examples/demo", "examples/ddp/job.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name, text in (("examples/demo-setup", SETUP), ("stand-in", STAND_IN)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_leaves_no_job_however_its_signals_meet(folder: Path, number: signal.Signals) -> None:
    """All of them get the signal; make passes SIGTERM on, which then comes while bash is busy with the first."""
    for _ in range(40):
        process = subprocess.Popen(
            ["make", "demo"],
            cwd=folder,
            env={**os.environ, "DEMO_DIR": str(folder / "demo")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        rest = stopped_in_the_middle(process, number)
        assert "Stopped: cancelling ddp-new" in rest, rest
        assert not (folder / "demo" / "venv" / "bin" / "submitted").exists()
