"""What is particular to running programs on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trainsub.errors import UnreachableError
from trainsub.transport import whoami
from trainsub.transport.local import LocalTransport


def test_a_machine_that_starts_nothing_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told with its name, and with what is needed."""
    monkeypatch.setattr("trainsub.transport.local._EXEC", ("/bin/nothing",))
    transport = LocalTransport("hpc")
    with pytest.raises(UnreachableError, match=r"hpc \(this machine\).*nothing") as caught:
        transport.open(["true"])
    assert "/bin/sh" in (caught.value.hint or "")
    assert transport.execs == 0


def test_without_a_home_programs_start_at_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As sshd does it."""
    for home, where in ((str(tmp_path), str(tmp_path)), (str(tmp_path / "gone"), "/")):
        monkeypatch.setenv("HOME", home)
        channel = LocalTransport("hpc").open(["/bin/pwd"])
        assert channel.read(5).decode().strip() == where
        channel.close()


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was started for a number: that is the name, and there is no home."""

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert whoami.home() is not None
    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert (whoami.home(), whoami.user(), whoami.folder()) == (None, str(os.getuid()), Path("/"))
    monkeypatch.setenv("USER", "me")
    assert whoami.user() == "me"


LATE = """
import sys
from trainsub.transport.local import LocalTransport

class Late:
    def __init__(self):
        self.channel = LocalTransport("here").open(["cat"])
    def __del__(self):
        self.channel.close()

sys.last_value = Late()
"""


def test_what_is_closed_while_python_ends_holds_nobody_up() -> None:
    """As by a generator that the traceback of an error still holds: no thread begins any more then."""
    subprocess.run([sys.executable, "-c", LATE], check=True, timeout=20)
