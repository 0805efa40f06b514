"""Any text, and any damage to what Slurm really answered: each parser gives a value or its documented error, nothing else."""

import contextlib
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded.answers import VERSIONS, Recorded, load
from recorded.stage import run_of

from trainsub.errors import OutputError
from trainsub.record import about, answers, exits, names
from trainsub.remote import named, outcome, strays
from trainsub.remote.frames import FrameParser
from trainsub.slurm import (
    arrays,
    hostlist,
    jobids,
    limits,
    reasons,
    refusals,
    sacct,
    sbatch,
    scancel,
    scontrol,
    sinfo,
    squeue,
    states,
    tres,
    units,
    values,
)

Parser = Callable[[str], Any]

US = "\x1f"
NONCE = "0123456789abcdef"

PARSERS: dict[str, tuple[Parser, type[Exception]]] = {
    "squeue": (squeue.parse, OutputError),
    "sacct": (sacct.parse, OutputError),
    "sinfo": (sinfo.parse, OutputError),
    "scontrol-ping": (scontrol.parse_ping, OutputError),
    "scontrol-config": (scontrol.parse_config, OutputError),
    "version": (scontrol.version, OutputError),
    "squeue-named": (lambda text: named.parse_queue(text, "n"), OutputError),
    "sacct-named": (lambda text: named.parse_accounts(text, "n"), OutputError),
    "squeue-strays": (strays.parse_queue, OutputError),
    "sacct-strays": (strays.parse_accounts, OutputError),
    "indices": (arrays.parse, ValueError),
    "run.json": (about.parse_about, OutputError),
    "jobids": (jobids.parse, OutputError),
    "tres": (tres.parse, OutputError),
    "gpus": (tres.gpus, OutputError),
    "exit code": (values.parse_exit_code, OutputError),
    "hostlist": (hostlist.expand, ValueError),
    "time": (units.parse_time, ValueError),
    "memory": (units.parse_memory, ValueError),
    "answer": (answers.parse_answer, OutputError),
    "exit record": (exits.parse_exit, OutputError),
    "judge": (lambda text: outcome.judge(text, b""), OutputError),
    "begun": (outcome.read_begun, OutputError),
}
"""Each with the only exception that it may raise."""

TOTAL: tuple[Parser, ...] = (
    names.parse_comment,
    names.is_run_id,
    limits.says_too_often,
    reasons.explain,
    reasons.is_held,
    refusals.explain,
    scancel.says_ended,
    states.base_word,
    states.phase,
    states.exit_code,
    lambda text: scontrol.parse_order(1, text),
    lambda text: sbatch.parse_answer(0, text, ""),
    lambda text: sbatch.parse_answer(1, "", text),
    lambda text: outcome.read_answer(text.encode("utf-8", "surrogatepass")),
)
"""These raise nothing at all."""

# What the parsers look for, so that a random text comes far into them.
WORDS = "7 1795389910 N/A Unknown (null) RUNNING 0:0 99999999999 n[1-3] gres/gpu 0/1/0/1 rc out err code= SLURM_VERSION"
PIECES = st.sampled_from([US, US + "\n", "Slurmctld(primary) at c is UP", " = 24.11", "\ud800", *WORDS.split()])
PIECES |= st.sampled_from("\n\r\x00 _[]-,%=:K٣²")
TEXTS = st.text() | st.lists(PIECES, max_size=60).map("".join)


@pytest.mark.parametrize("name", PARSERS)
@given(text=TEXTS)
def test_any_text_is_a_value_or_the_documented_error(name: str, text: str) -> None:
    """Nothing else escapes."""
    parse, error = PARSERS[name]
    with contextlib.suppress(error):
        parse(text)


@given(text=TEXTS)
def test_any_text_has_a_meaning_or_none(text: str) -> None:
    """These never fail."""
    for parse in TOTAL:
        parse(text)


@given(data=st.binary(), rc=st.integers(-1, 300), err=TEXTS)
def test_any_bytes_as_sbatchs_answer(data: bytes, rc: int, err: str) -> None:
    """Accepted only where there is one job id and no error; what timed out is never refused."""
    out = data.decode("utf-8", "replace")
    answer = sbatch.parse_answer(rc, out, err)
    if isinstance(answer, sbatch.Accepted):
        assert rc == 0
        assert str(answer.job_id) in {line.split(";")[0].strip().lstrip("0") for line in out.split("\n")}
    assert rc not in {0, 124, 137} or not isinstance(answer, sbatch.Refused) or rc == 0
    outcome.read_answer(data)


@given(
    data=st.lists(st.binary(max_size=40) | st.sampled_from([b"\n" + NONCE.encode(), b" out\n", b".bye\n"]), max_size=20)
)
def test_any_bytes_are_frames_or_an_output_error(data: list[bytes]) -> None:
    """However they come, and nothing is lost: each byte is in a frame, in the noise or in the rest."""
    parser = FrameParser(NONCE)
    with contextlib.suppress(OutputError):
        for piece in data:
            parser.feed(piece)
        parser.rest()


# -- damage to what was recorded --------------------------------------------------------------------------------------

ROWS: dict[str, Parser] = {
    "squeue": squeue.parse,
    "sacct": sacct.parse,
    "sinfo": sinfo.parse,
    "squeue-named": lambda text: named.parse_queue(text, run_of("named")),
    "sacct-named": lambda text: named.parse_accounts(text, run_of("named")),
    "squeue-strays": strays.parse_queue,
    "sacct-strays": strays.parse_accounts,
}


HOSTILE = ("hostile", "all", "named.squeue-strays", "named.sacct-strays")
"""Files in which user texts hold the separator."""


@cache
def recorded(command: str) -> tuple[Recorded, ...]:
    """All answers of a command that hold something."""
    return tuple(
        one
        for version in VERSIONS
        for name, one in load(version).items()
        if name.endswith(f".{command}") and one.rc == 0 and one.out
    )


@pytest.mark.parametrize("command", ROWS)
def test_an_answer_that_is_cut_anywhere_is_never_taken_for_another_one(command: str) -> None:
    """At every byte: it is an error, or rows that are whole; that none is missing, the command's exit code tells."""
    parse = ROWS[command]
    for one in recorded(command):
        if one.file.startswith(HOSTILE) or command == "sinfo":
            continue
        data = one.out.encode()
        whole = parse(one.out)
        for place in range(len(data)):
            try:
                got = parse(data[:place].decode("utf-8", "replace"))
            except OutputError:
                continue
            assert len(got) <= len(whole)
            assert all(row in whole for row in got), (one.file, place)
            assert got == whole[: len(got)] or command not in {"squeue", "sacct"}


def test_of_hostile_rows_that_are_cut_only_the_last_one_can_suffer() -> None:
    """Where a user's text is cut behind its own separator, it is shorter; state, times and all other rows are right."""
    for one in recorded("squeue"):
        data = one.out.encode()
        whole = squeue.parse(one.out)
        for place in range(len(data) if one.file.startswith(HOSTILE) else 0):
            try:
                got = squeue.parse(data[:place].decode("utf-8", "replace"))
            except OutputError:
                continue
            assert got[:-1] == whole[: len(got)][:-1]
            assert [row.state for row in got] == [row.state for row in whole[: len(got)]]


@pytest.mark.parametrize("command", ["squeue", "sacct"])
def test_a_row_that_lost_a_field_is_an_error(command: str) -> None:
    """Each field of each row, dropped."""
    parse = ROWS[command]
    for one in recorded(command):
        if one.file.startswith(HOSTILE):
            continue
        lines = one.out.removesuffix("\n").split("\n")
        for number, line in enumerate(lines):
            fields = line.split(US)
            for field in range(len(fields) - 1):
                short = US.join(fields[:field] + fields[field + 1 :])
                damaged = "\n".join([*lines[:number], short, *lines[number + 1 :]]) + "\n"
                with pytest.raises(OutputError):
                    parse(damaged)


@pytest.mark.parametrize("command", ROWS)
def test_a_doubled_line_makes_nothing_up(command: str) -> None:
    """The row is there twice, or, of a partition, its nodes are added up."""
    parse = ROWS[command]
    for one in recorded(command):
        whole, twice = parse(one.out), parse(one.out + one.out)
        if command == "sinfo":
            assert [row.name for row in twice] == [row.name for row in whole]
        elif command in {"squeue", "sacct"}:
            assert twice == whole + whole
        else:
            assert twice == whole


@pytest.mark.parametrize("command", [*ROWS, "scontrol-config", "scontrol-ping"])
@given(data=st.data())
def test_any_damage_is_a_value_or_an_output_error(command: str, data: st.DataObject) -> None:
    """Bytes changed, put in, taken out."""
    text = data.draw(st.sampled_from(recorded(command))).out.encode()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 40)))
        text = text[:start] + data.draw(st.binary(max_size=8)) + text[end:]
    parse, error = PARSERS[command]
    with contextlib.suppress(error):
        parse(text.decode("utf-8", "replace"))
