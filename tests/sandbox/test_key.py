"""The sandbox's key and its state directory, beside a stand-in for Docker that finds nothing."""

from pathlib import Path

import pytest

from trainsub import sandbox
from trainsub.errors import SandboxError
from trainsub.sandbox import SandboxSpec


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands are found first; `docker` says yes to everything."""
    place = tmp_path / "bin"
    place.mkdir()
    (place / "docker").write_text("#!/bin/sh\nexit 0\n")
    (place / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    return place


def test_a_key_that_cannot_be_made(programs: Path, tmp_path: Path) -> None:
    """The words of ssh-keygen are told."""
    (programs / "ssh-keygen").write_text("#!/bin/sh\necho 'Saving key failed: no space' >&2\nexit 1\n")
    (programs / "ssh-keygen").chmod(0o755)
    with pytest.raises(SandboxError, match="Saving key failed: no space") as caught:
        sandbox.up(SandboxSpec("trainsub-test"), tmp_path / "state", lambda _: None)
    assert caught.value.hint


def test_a_key_program_that_cannot_be_started(programs: Path, tmp_path: Path) -> None:
    """What the system says is told."""
    (programs / "ssh-keygen").write_text("#!/no/such/interpreter\n")
    (programs / "ssh-keygen").chmod(0o755)
    with pytest.raises(SandboxError) as caught:
        sandbox.up(SandboxSpec("trainsub-test"), tmp_path / "state", lambda _: None)
    assert caught.value.hint


def test_a_state_directory_that_cannot_be_written(tmp_path: Path) -> None:
    """Its name is told."""
    (tmp_path / "file").touch()
    with pytest.raises(SandboxError, match="file/state") as caught:
        sandbox.up(SandboxSpec("trainsub-test"), tmp_path / "file" / "state", lambda _: None)
    assert "directory" in (caught.value.hint or "")
    with pytest.raises(SandboxError, match="file/state"):
        sandbox.down(tmp_path / "file" / "state", lambda _: None)
