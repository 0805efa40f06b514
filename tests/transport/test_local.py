"""What is particular to running programs on this machine."""

from pathlib import Path

import pytest

from trainsub.errors import UnreachableError
from trainsub.transport.local import LocalTransport


def test_a_machine_that_starts_nothing_is_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home directory that is not there: told with its name, and with what is needed."""
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))
    transport = LocalTransport("hpc")
    with pytest.raises(UnreachableError, match=r"hpc \(this machine\).*gone") as caught:
        transport.open(["true"])
    assert "/bin/sh" in (caught.value.hint or "")
    assert transport.execs == 0
