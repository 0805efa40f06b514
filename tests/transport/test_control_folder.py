"""One folder of control sockets for all of a user's processes, whatever their environment."""

import os
from pathlib import Path

import pytest

from trainsub.errors import TransportError
from trainsub.transport import control_folder as room
from trainsub.transport.control_folder import control_folder


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of /run/user, and an environment that names none."""
    monkeypatch.delenv("TRAINSUB_RUNTIME_DIR")
    monkeypatch.setattr(room, "_USERS", tmp_path)
    return tmp_path


@pytest.mark.parametrize("mode", [0o700, None, 0o755])
def test_the_environment_decides_nothing(users: Path, monkeypatch: pytest.MonkeyPatch, mode: int | None) -> None:
    """A terminal has XDG_RUNTIME_DIR, cron and su have not: both come to one folder."""
    own = users / str(os.getuid())
    if mode is not None:
        own.mkdir()
        own.chmod(mode)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    at_cron = control_folder()
    elsewhere = users / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(elsewhere))
    assert control_folder() == at_cron
    assert at_cron == (own / "trainsub" if mode == 0o700 else Path(f"/tmp/trainsub-{os.getuid()}"))
    assert at_cron.stat().st_mode & 0o777 == 0o700


def test_a_link_in_place_of_the_users_folder_is_passed_over(users: Path, tmp_path: Path) -> None:
    """Whoever could put it there could change where it leads."""
    (tmp_path / "real").mkdir(mode=0o700)
    (users / str(os.getuid())).symlink_to(tmp_path / "real")
    assert control_folder() == Path(f"/tmp/trainsub-{os.getuid()}")


def test_a_relative_folder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be another one in each working directory."""
    monkeypatch.setenv("TRAINSUB_RUNTIME_DIR", "run")
    with pytest.raises(TransportError, match="must be an absolute path"):
        control_folder()
