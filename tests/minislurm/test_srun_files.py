import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.minislurm import srun_files, srun_options
from trainsub.minislurm.environment import Tasks
from trainsub.minislurm.srun_files import LONG, Files, Printed
from trainsub.minislurm.values import Job, Request, Share

PIECES = st.lists(st.binary(min_size=1, max_size=30) | st.sampled_from([b"\n", b"x" * 700, b"y" * 3000]), max_size=12)
SHARES = (Share("n1", 2, ()), Share("n2", 2, ()))
JOB = Job(12, 1000, Request("job", "gpu"), 900, state="RUNNING", shares=SHARES)


def passed_on(pieces: list[bytes], label: bytes = b"") -> list[bytes]:
    """Return what is printed after each piece, and after the end."""
    hears, tells = os.pipe()
    os.set_blocking(hears, False)
    way = Printed(tells, label)
    found = []
    for piece in [*pieces, b""]:
        os.write(tells, b".")  # so that there is something to read
        way.pass_on(piece)
        found.append(os.read(hears, 1 << 16)[1:])
    os.close(hears)
    os.close(tells)
    return found


@given(PIECES)
def test_lines_stay_whole_and_nothing_is_lost(pieces: list[bytes]) -> None:
    """What has been printed is whole lines, and of the last one so many blocks as there are; at the end it is all."""
    found = passed_on(pieces)
    for number in range(len(pieces)):
        said = b"".join(pieces[: number + 1])
        begun = len(said.rpartition(b"\n")[2])
        assert b"".join(found[: number + 1]) == said[: len(said) - begun % LONG]
    assert b"".join(found) == b"".join(pieces)


@given(PIECES)
def test_each_line_has_its_label(pieces: list[bytes]) -> None:
    """Also the last one, which is ended if the task did not."""
    *lines, last = b"".join(pieces).split(b"\n")
    assert b"".join(passed_on(pieces, b"3: ")) == b"".join(
        b"3: %b\n" % line for line in [*lines, *([last] if last else [])]
    )


def opened(line: str, folder: Path) -> Files:
    """Return the files of a step of two tasks."""
    tasks = Tasks(0, SHARES, (0, 1), os.getpid(), "block")
    return Files(srun_options.parse([*line.split(), "true"], {}), JOB, tasks, "me", str(folder))


def test_who_holds_a_pipe_and_says_nothing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a task left behind, in a place where it is not found, does not keep srun; its words are printed."""
    monkeypatch.setattr(srun_files, "SILENCE", 0.2)
    files = opened("--output=log", tmp_path)
    _, output, _ = files.of(0)
    os.write(output, b"begin\nhalf")
    files.drain()
    assert (tmp_path / "log").read_bytes() == b"begin\nhalf"
    os.close(output)


@pytest.mark.parametrize(
    ("line", "pipes"), [("--output=log", 4), ("--output=%t", 0), ("-u --output=log", 0), ("-ul", 4)]
)
def test_what_goes_through_srun(line: str, pipes: int, tmp_path: Path) -> None:
    """What several tasks share, in whole lines; files of their own, and --unbuffered, they write themselves."""
    files = opened(line, tmp_path)
    for rank in (0, 1):
        for descriptor in files.of(rank):
            os.close(descriptor)
    assert len(files.printed) == pipes
    files.drain()
    assert not files.printed
