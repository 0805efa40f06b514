import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from trainsub import embedded
from trainsub.config import MiniSlurm
from trainsub.errors import UnreachableError


class Maker:
    """Makes one directory, and counts how often minislurm's program was started for it."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.told: list[str] = []
        self.started = 0
        real = subprocess.run

        def counted(*words: Any, **given: Any) -> Any:
            self.started += 1
            return real(*words, **given)

        monkeypatch.setattr(subprocess, "run", counted)

    def make(self, **wanted: int) -> None:
        """See that it is there."""
        embedded.make_ready(self.home, MiniSlurm(**wanted), self.told.append)


@pytest.fixture
def maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    """A directory that is not there yet; nor is the state directory around it."""
    return Maker(tmp_path / "state dir" / "minislurm", monkeypatch)


def nodes(home: Path) -> int:
    """How many nodes it pretends to have."""
    return (home / "minislurm.toml").read_text().count("[[nodes]]")


def test_it_is_made_once(maker: Maker) -> None:
    """The person is told the first time; the second time no process is started."""
    maker.make()
    assert maker.told == [f"making the embedded cluster minislurm in {maker.home}"]
    assert {"sbatch", "srun", "sacct"} <= {path.name for path in (maker.home / "bin").iterdir()}
    assert nodes(maker.home) == 4
    maker.make()
    assert (maker.started, len(maker.told)) == (1, 1)
    assert not list(maker.home.glob(".made-by*"))


def test_it_is_made_anew_when_something_has_changed(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings, the interpreter, the program, or what somebody has removed."""
    maker.make()
    maker.make(nodes=2, gpus_per_node=1)
    assert nodes(maker.home) == 2
    (maker.home / "bin" / "sbatch").unlink()
    maker.make(nodes=2, gpus_per_node=1)
    other = maker.home.parent / "python"
    other.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(other))
    maker.make(nodes=2, gpus_per_node=1)
    assert str(other) in (maker.home / "bin" / "sbatch").read_text()
    assert maker.started == 4


def test_many_at_once(maker: Maker) -> None:
    """Each of them finds it whole afterwards."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: maker.make(), range(4)))
    started = maker.started
    maker.make()
    assert maker.started == started


@pytest.mark.parametrize(
    ("name", "words"), [("a:b", "no colon"), ("file/below", "a file is in the way|Not a directory")]
)
def test_where_it_cannot_be_made(tmp_path: Path, maker: Maker, name: str, words: str) -> None:
    """The words say where and why, and what to do; exit code 4."""
    (tmp_path / "file").touch()
    maker.home = tmp_path / name / "minislurm"
    with pytest.raises(UnreachableError, match=words) as caught:
        maker.make()
    assert caught.value.message.startswith(f"the embedded cluster minislurm cannot be made in {maker.home}: ")
    assert "TRAINSUB_STATE_DIR" in str(caught.value.hint)
    assert caught.value.exit_code == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_a_full_disk(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is not taken for made."""
    maker.make()
    (maker.home / "made-by").unlink()
    monkeypatch.setattr(os, "urandom", bytes)
    (maker.home / f".made-by.{bytes(8).hex()}").symlink_to("/dev/full")
    with pytest.raises(UnreachableError, match="No space left"):
        maker.make()
