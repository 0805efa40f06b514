import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.minislurm import script
from trainsub.minislurm.errors import RefusedError
from trainsub.slurm import sbatch

NO_SCRIPT = (
    "error: This does not look like a batch script.  The first",
    "error: line must start with #! followed by the path to an interpreter.",
    "error: For instance: #!/bin/sh",
)


def words(*lines: str) -> list[str]:
    """Return the words of a script with these lines."""
    return [word.decode() for word in script.words("\n".join(["#!/bin/sh", *lines, "true"]).encode(), "job")]


# Recorded from Slurm 24.11.
@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"", ("error: Batch script is empty!",)),
        (b" \n\n", ("error: Batch script contains only whitespace!",)),
        (b"true\n", NO_SCRIPT),
        (b"\n#!/bin/sh\n", NO_SCRIPT),
        (b" #!/bin/sh\n", NO_SCRIPT),
        (
            b"#!/bin/sh\necho a\0b\n",
            ("error: The Slurm controller does not allow scripts that", "error: contain a NULL character '\\0'."),
        ),
        (
            b"#!/bin/sh\necho a\r\n",
            (
                "error: Batch script contains DOS line breaks (\\r\\n)",
                "error: instead of expected UNIX line breaks (\\n).",
            ),
        ),
    ],
)
def test_no_script(body: bytes, lines: tuple[str, ...]) -> None:
    """In sbatch's own words."""
    with pytest.raises(RefusedError) as raised:
        script.check(body)
    assert (raised.value.lines, raised.value.code) == (lines, 1)


@pytest.mark.parametrize("body", [b"#!", b"#!/bin/sh", b"#! /bin/sh\ntrue\n", b"#!/bin/sh\necho \xff\n"])
def test_a_script(body: bytes) -> None:
    """An interpreter is enough, even one that is not there."""
    script.check(body)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("#SBATCH -N 2 --time=1:00 # a comment", ["-N", "2", "--time=1:00"]),
        ("#SBATCH--hold", ["--hold"]),
        ("#SBATCHX --hold", ["X", "--hold"]),
        ("#SBATCH --hold#--time=never", ["--hold"]),
        ('#SBATCH --comment=a" b"c\\ d', ["--comment=a bc d"]),
        ("#SBATCH --comment=a\\", ["--comment=a"]),
        ('#SBATCH --comment="" --time=1', ["--comment=", "--time=1"]),
        ("#SBATCH --comment='it is \"quoted\"'", ['--comment=it is "quoted"']),
        ("#SBATCH --comment=a:b", ["--comment=a:b"]),
        ("#SBATCH", []),
        ("   #SBATCH --time=4", []),
        ("##SBATCH --time=4", []),
        ("#sbatch --time=4", []),
    ],
)
def test_the_words_of_a_line(line: str, found: list[str]) -> None:
    """As sbatch splits them."""
    assert words(line) == found


def test_lines_end_with_the_first_command() -> None:
    """Blank lines and comments do not end them."""
    assert words("#SBATCH -a", "", "\t", "# more", "#SBATCH -b", ":", "#SBATCH -c") == ["-a", "-b"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('#SBATCH --comment="a', 'fatal: job: line 2: Unmatched `"` in [ --comment="a]'),
        ("#SBATCH --hold : --time=never", "fatal: job: line 2: Unexpected `:` in [ : --time=never]"),
    ],
)
def test_a_line_that_cannot_be_read(line: str, text: str) -> None:
    """The line is named."""
    with pytest.raises(RefusedError, match=re.escape(text)):
        words(line)


@given(
    st.text(alphabet=st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"]))
    | st.text(alphabet="\\\"' #\t:=a")
)
def test_what_trainsub_writes_is_read_back(value: str) -> None:
    """One word, whatever the value holds."""
    assert words(sbatch.directive("comment", value)) == [f"--comment={value}"]


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Nothing else happens."""
    with contextlib.suppress(RefusedError):
        assert isinstance(script.words(b"#!/bin/sh\n#SBATCH " + body, "job"), list)


def test_wrapped() -> None:
    """What a command becomes is a script."""
    body = script.wrapped(b"echo hello")
    script.check(body)
    assert body.endswith(b"\n\necho hello\n\n")


def test_lines_for_other_schedulers() -> None:
    """Slurm reads them, too; below the first command they are comments."""
    assert script.has_other_directives(b"#!/bin/sh\n#PBS -l x\ntrue\n")
    assert script.has_other_directives(b"#!/bin/sh\n#BSUB -W x\ntrue\n")
    assert not script.has_other_directives(b"#!/bin/sh\ntrue\n#PBS -l x\n")
