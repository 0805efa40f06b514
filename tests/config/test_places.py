import os
from pathlib import Path

import pytest

from trainsub.errors import ConfigError
from trainsub.places import Places


@pytest.mark.parametrize("variable", ["TRAINSUB_STATE_DIR", "TRAINSUB_CACHE_DIR"])
@pytest.mark.parametrize("value", ["state", "./state", "~/state"])
def test_a_relative_folder_is_refused(tmp_path: Path, variable: str, value: str) -> None:
    """It would be another store in each directory, and runs would seem to be lost."""
    with pytest.raises(ConfigError, match=rf"^{variable}: {value} is not absolute") as caught:
        Places({variable: value}, working_directory=tmp_path)
    where = Path.home() if value.startswith("~") else tmp_path
    assert caught.value.hint == f"Write it whole, such as {where}/state"


def test_folders_move(tmp_path: Path) -> None:
    """An absolute folder counts, an empty variable does not."""
    places = Places({"TRAINSUB_STATE_DIR": str(tmp_path), "TRAINSUB_CACHE_DIR": ""})
    assert (places.store, places.cache) == (tmp_path / "store.sqlite", Places({}).cache)


def test_the_embedded_cluster_lies_in_the_state_directory(tmp_path: Path) -> None:
    """Under one name, whatever way leads there: it stands on a PATH."""
    (tmp_path / "state").mkdir()
    (tmp_path / "link").symlink_to("state")
    for way in ("state", "link", "x/../state"):
        places = Places({"TRAINSUB_STATE_DIR": f"{tmp_path}/{way}"}, working_directory=tmp_path)
        assert places.minislurm == tmp_path.resolve() / "state" / "minislurm"
        assert places.settings().config.clusters["minislurm"].slurm_bin == f"{places.minislurm}/bin"


def test_whether_there_is_a_slurm_here(tmp_path: Path) -> None:
    """An sbatch on the PATH; but an embedded cluster's own, which its jobs find there, is none."""
    for folder in ("real/bin", "other/bin", "plain"):
        (tmp_path / folder).mkdir(parents=True)
    for folder in ("real/bin", "other/bin"):
        (tmp_path / folder / "sbatch").touch(0o755)
    (tmp_path / "plain" / "sbatch").touch(0o644)
    (tmp_path / "other" / "minislurm.toml").touch()

    def found(*folders: str) -> str | None:
        path = ":".join(["", *(f"{tmp_path}/{folder}" for folder in folders)])
        return Places({"PATH": path, "TRAINSUB_STATE_DIR": str(tmp_path)}, working_directory=tmp_path).settings().sbatch

    assert found("other/bin", "plain") is None
    assert found("other/bin", "real/bin") == f"{tmp_path}/real/bin/sbatch"


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user without a home and a name, as in a container that was started for a number; the temporary files."""
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", _unknown)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_user_without_a_home_has_a_passing_place(nobody: Path) -> None:
    """A private one, the same for each command; and no configuration of its own."""
    for _ in range(2):
        places = Places({})
        mine = nobody / f"trainsub-{os.getuid()}"
        assert (places.passing, places.state, places.cache) == (True, mine / "state", mine / "cache")
        assert mine.stat().st_mode & 0o777 == 0o700
    places = Places({})
    assert (places.home, places.config_file) == (None, None)
    assert "user" not in [name for name, _ in places.files()]
    assert "minislurm" in places.settings().config.clusters


def test_a_home_that_cannot_be_written_to_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A read-only file system, or a home that is not there and cannot be made."""
    monkeypatch.setenv("HOME", "/dev/null/me")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert Places({}).passing
    named = Places({"TRAINSUB_STATE_DIR": str(tmp_path / "state")})
    assert (named.passing, named.state) == (False, tmp_path / "state")


@pytest.mark.parametrize("home", ["", "here", "~"])
def test_a_home_that_is_no_path_is_none(nobody: Path, monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    """Nothing is ever written below the working directory by accident."""
    monkeypatch.setenv("HOME", home)
    assert Places({}).state.is_relative_to(nobody)


def test_a_store_that_can_only_be_read_is_the_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty one elsewhere would hide what is known."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("os.access", lambda *_: False)
    usual = Places({}).state
    assert Places({}).passing
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    (tmp_path / "xdg" / "trainsub").mkdir(parents=True)
    (tmp_path / "xdg" / "trainsub" / "store.sqlite").touch()
    monkeypatch.setattr("os.access", lambda *_: False)
    places = Places({})
    assert (places.passing, places.state) == (False, tmp_path / "xdg" / "trainsub")
    assert usual != places.state


def test_somebody_elses_folder_is_not_taken(nobody: Path) -> None:
    """Whoever makes the folder first could read what is in it, or put something there."""
    folder = nobody / f"trainsub-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(ConfigError, match="not a folder of this user alone") as caught:
        Places({})
    assert "TRAINSUB_STATE_DIR" in (caught.value.hint or "")
    folder.rmdir()
    folder.symlink_to(nobody)
    with pytest.raises(ConfigError, match="not a folder of this user alone"):
        Places({})


@pytest.mark.usefixtures("nobody")
def test_without_any_place_the_store_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even temporary files: nothing is made up, and the error of the store says what to do."""
    monkeypatch.setattr("tempfile.tempdir", "/dev/null/tmp")
    places = Places({})
    assert (places.passing, places.state) == (False, Path("/nonexistent/trainsub"))


def test_a_tilde_without_a_home_is_refused(nobody: Path) -> None:
    """In the configuration of a user without a home."""
    (nobody / "config.toml").write_text('[clusters.hpc]\nhost = "h"\nidentity_file = "~/.ssh/key"\n')
    with pytest.raises(ConfigError, match="no home directory"):
        Places({}, config_file=nobody / "config.toml").settings()


def _unknown(uid: int) -> None:
    raise KeyError(uid)
