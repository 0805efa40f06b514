import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainsub.remote import SubmitRequest, program, submission
from trainsub.slurm import environment

SHELLCHECK = Path(sys.executable).with_name("shellcheck")

SOURCES = Path(program.__file__).parent
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


def boot(shell: tuple[str, ...], data: bytes) -> subprocess.CompletedProcess[bytes]:
    """Feed the boot line."""
    return subprocess.run([*shell, *program.BOOT[1:]], input=data, capture_output=True, check=False)


@pytest.mark.parametrize("name", sorted(program.PARTS))
def test_shellcheck_passes(name: str, tmp_path: Path) -> None:
    """Every program is clean POSIX sh, as it stands and as it is sent."""
    whole = tmp_path / f"{name}.sh"
    whole.write_text("".join((SOURCES / part).read_text() for part in program.PARTS[name]))
    done = subprocess.run(
        [SHELLCHECK, "--severity=warning", "--shell=sh", whole], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    assert done.returncode == 0
    sent = program.program_text(name)
    assert subprocess.run(["sh", "-n"], input=sent, capture_output=True, text=True, check=True).stderr == ""
    assert " # " not in sent


def test_every_script_is_part_of_a_program() -> None:
    """No script escapes shellcheck."""
    assert {path.name for path in SOURCES.glob("*.sh")} == {part for parts in program.PARTS.values() for part in parts}


def test_the_prelude_scrubs_what_the_slurm_room_says() -> None:
    """The lists in the prelude are those of slurm/environment.py."""
    prelude = (SOURCES / "prelude.sh").read_text()
    assert " | ".join(f"{prefix}*" for prefix in environment.SCRUB_PREFIXES) in prelude
    assert " | ".join(environment.KEEP) in prelude
    for name, value in environment.SET:
        assert f"{name}={value}" in prelude


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4), data=st.binary(max_size=50))
def test_values_and_the_rest_of_the_input_arrive_unharmed(texts: list[str], data: bytes) -> None:
    """Any text as a value and as a word of a list comes through, and the boot line reads no byte too much."""
    text = 'printf "%s\\0" "$TS_ONE"; eval "set -- $TS_LIST"; printf "%s\\0" "$@"; cat'
    head = program.compose(text, {"TS_ONE": texts[0], "TS_LIST": texts})
    done = boot(("dash",), head + data)
    assert done.stdout == b"".join(word.encode() + b"\0" for word in [texts[0], *texts]) + data
    assert done.stderr == b""


def test_values_of_all_kinds(shell: tuple[str, ...]) -> None:
    """Numbers and truth values too, in every shell, and the input behind the head stays whole."""
    head = program.compose(
        'printf "%s|" "$TS_N" "$TS_YES" "$TS_NO" "$TS_Q"; cat',
        {"TS_N": 5, "TS_YES": True, "TS_NO": False, "TS_Q": "-n 'é\n$(x)`y`\\"},
    )
    assert boot(shell, head + b"\0rest\n").stdout == "5|1||-n 'é\n$(x)`y`\\|".encode() + b"\0rest\n"


def test_half_a_head_runs_nothing(shell: tuple[str, ...]) -> None:
    """A connection cut anywhere within the head executes no part of it."""
    head = program.compose("echo one\necho two\nif true; then echo three; fi", {"TS_A": "x"})
    for cut in range(len(head) - 2):
        assert boot(shell, head[:cut]).stdout == b""
    assert boot(shell, head).stdout == b"one\ntwo\nthree\n"


def test_half_a_real_head_runs_nothing(shell: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with the program that submits: at a sample of places, with FAULTS=all at each."""
    monkeypatch.setenv("HOME", str(tmp_path))
    values = {"TS_NONCE": "x", "TS_SLURM_BIN": "", "TS_ROOT": "~/root", "TS_RUN": "r", "TS_FILES": ""}
    head = program.compose(program.program_text("submit"), values)
    for cut in range(0, len(head) - 2, 1 if os.environ.get("FAULTS") == "all" else 197):
        assert boot(shell, head[:cut]).stdout == b""
        assert list(tmp_path.iterdir()) == []


def test_what_no_shell_can_carry_is_refused() -> None:
    """NUL and foreign names are errors before anything is sent."""
    with pytest.raises(ValueError, match="NUL"):
        program.compose("", {"TS_A": "a\0b"})
    with pytest.raises(ValueError, match="NUL"):
        program.compose("", {"TS_A": ["a", "\0"]})
    with pytest.raises(ValueError, match="name"):
        program.compose("", {"PATH": "x"})


def test_programs_are_small() -> None:
    """The head of a submit fits into the first window of a connection."""
    assert len(program.program_text("submit")) < 11_500


@pytest.mark.parametrize("name", ["TS_ROOT", "PATH", "A=b", "1a", ""])
def test_a_secret_is_none_of_the_programs_own_variables(name: str) -> None:
    """They are taken out of its environment before it begins."""
    with pytest.raises(ValueError, match="not a name for a variable"):
        submission.values(SubmitRequest("~/r", "job-1a2b3c4d", 1, {}, secrets={name: "x"}))
