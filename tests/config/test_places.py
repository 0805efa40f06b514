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
