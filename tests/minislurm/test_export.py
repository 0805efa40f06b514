import os
import socket
from pathlib import Path

import pytest

from trainsub.minislurm import export
from trainsub.minislurm.errors import RefusedError
from trainsub.minislurm.option_values import Gpus
from trainsub.minislurm.values import Request

MINE = {b"FOO": b"foo", b"BAR": b"bar", b"EMPTY": b"", b"ODD": b"\xff\n", b"SLURM_MINE": b"mine", b"PATH": b"/mine"}
ADDED = {"SLURM_SUBMIT_DIR", "SLURM_SUBMIT_HOST", "SLURM_PRIO_PROCESS", "SLURM_MEM_PER_CPU"}
LOGIN = {"HOME", "LOGNAME", "PATH", "SHELL", "USER"}


def made(given: dict[str, object], mine: dict[bytes, bytes] = MINE) -> dict[str, bytes]:
    """Return a job's variables."""
    word = given.get("export")
    request = Request("job", "gpu", export=str(word) if word else None, dependency=str(given.get("dependency", "")))
    found = export.environment(mine, given, request, "/here", 4000)
    return {os.fsdecode(name): value for name, value in found.items()}


def taken(word: str) -> dict[str, bytes]:
    """Return what of the submitter's own variables and of its login a job gets."""
    return {name: value for name, value in made({"export": word}).items() if name not in {*ADDED, "SLURM_EXPORT_ENV"}}


def test_everything_if_nothing_is_said() -> None:
    """To the byte, and what sbatch adds."""
    found = made({})
    assert {name: value for name, value in found.items() if name not in ADDED} == {
        os.fsdecode(name): value for name, value in MINE.items()
    }
    assert found["SLURM_SUBMIT_DIR"] == b"/here"
    assert found["SLURM_SUBMIT_HOST"] == socket.gethostname().encode()
    assert found["SLURM_MEM_PER_CPU"] == b"4000"
    assert found["SLURM_PRIO_PROCESS"] == str(os.getpriority(os.PRIO_PROCESS, 0)).encode()


@pytest.mark.parametrize("word", ["ALL", "all"])
def test_all(word: str) -> None:
    """As if nothing was said."""
    assert set(taken(word)) == set(map(os.fsdecode, MINE))


@pytest.mark.parametrize("word", ["NIL", "nil"])
def test_nil(word: str) -> None:
    """Only what Slurm sets; the word is there for the steps."""
    assert taken(word) == {"SLURM_MINE": b"mine"}
    assert made({"export": word})["SLURM_EXPORT_ENV"] == word.encode()


def test_none() -> None:
    """What a login begins with."""
    assert set(taken("NONE")) == {*LOGIN, "SLURM_MINE"}
    assert taken("NONE")["PATH"] != b"/mine"


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("FOO", {"FOO": b"foo"}),
        ("FOO,BAR", {"FOO": b"foo", "BAR": b"bar"}),
        ("FOO=new", {"FOO": b"new"}),
        ("FOO=", {"FOO": b""}),
        ("FOO=a=b", {"FOO": b"a=b"}),
        ("FOO='a,b',BAR", {"FOO": b"a,b", "BAR": b"bar"}),
        ('FOO="a b",BAR', {"FOO": b"a b", "BAR": b"bar"}),
        ("NOPE", {}),
        (",FOO,", {"FOO": b"foo"}),
        ("ODD", {"ODD": b"\xff\n"}),
    ],
)
def test_some(word: str, found: dict[str, bytes]) -> None:
    """The names that were given, and a login."""
    got = taken(word)
    assert {name: value for name, value in got.items() if name not in {*LOGIN, "SLURM_MINE"}} == found
    assert set(got) >= LOGIN


def test_all_and_more() -> None:
    """In their order."""
    assert taken("ALL,FOO=new")["FOO"] == b"new"
    assert taken("FOO=new,ALL")["FOO"] == b"foo"
    assert taken("ALL,FOO=new")["BAR"] == b"bar"


def test_a_file(tmp_path: Path) -> None:
    """Only what is in it, each ended by NUL."""
    path = tmp_path / "file"
    path.write_bytes(b"A=1\0B=two words\0C=x\ny\0odd\0")
    found = made({"export-file": str(path)})
    assert {name: value for name, value in found.items() if name not in ADDED} == {
        "A": b"1",
        "B": b"two words",
        "C": b"x\ny",
    }
    with path.open("rb") as file:
        assert made({"export-file": str(file.fileno())})["A"] == b"1"


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    """Slurm's words."""
    with pytest.raises(RefusedError, match="error: Could not open user environment file"):
        made({"export-file": str(tmp_path / "file")})


def test_what_options_add() -> None:
    """Steps read them."""
    given = {
        "hint": "nomultithread",
        "open-mode": "a",
        "gpus-per-node": Gpus("h100", 2, "h100:2"),
        "cpus-per-gpu": 3,
        "dependency": "singleton",
        "mem": 1024,
    }
    inherited = {**MINE, b"SLURM_MEM_PER_CPU": b"1", b"SLURM_MEM_PER_GPU": b"1"}
    found = made(given, inherited)
    added = {name: value for name, value in found.items() if name.startswith("SLURM_") and name not in ADDED}
    assert added == {
        "SLURM_CPUS_PER_GPU": b"3",
        "SLURM_GPUS_PER_NODE": b"h100:2",
        "SLURM_HINT": b"nomultithread",
        "SLURM_JOB_DEPENDENCY": b"singleton",
        "SLURM_MEM_PER_NODE": b"1024",
        "SLURM_MINE": b"mine",
        "SLURM_OPEN_MODE": b"a",
        "SLURM_THREADS_PER_CORE": b"1",
    }
    assert "SLURM_MEM_PER_CPU" not in found
    assert made({"mem-per-gpu": 7})["SLURM_MEM_PER_GPU"] == b"7"
