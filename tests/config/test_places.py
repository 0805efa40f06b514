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


def test_a_user_without_a_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that was started for a number."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 54321)
    monkeypatch.setattr("pwd.getpwuid", _unknown)
    with pytest.raises(ConfigError, match="no home directory") as caught:
        Places({})
    assert caught.value.hint == "Set HOME to a folder of yours."


def _unknown(uid: int) -> None:
    raise KeyError(uid)
