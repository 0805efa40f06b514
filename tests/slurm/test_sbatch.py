import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.slurm import sbatch


def failed(text: str) -> str:
    """Return a refusal as sbatch prints it."""
    return f"sbatch: error: Batch job submission failed: {text}"


# How sbatch reads a directive: an argument is a row of quoted texts, escaped characters and plain ones; blanks and an
# unquoted # end it. Inside quotes of both kinds a backslash escapes too, whatever follows.
BLANK = " \t\n\v\f\r"
PIECE = re.compile(
    rf"""  "(?P<double>(?:[^"\\]|\\.)*)"  |  '(?P<single>(?:[^'\\]|\\.)*)'  |  \\(?P<escaped>[^{BLANK}])
        |  (?P<plain>[^{BLANK}"'\\\#]+)  """,
    re.DOTALL | re.VERBOSE,
)


def arguments(line: str) -> list[str]:
    """Return the arguments that sbatch finds in a directive; the cluster suite checks the same on real Slurm."""
    found: list[str] = []
    rest = line.removeprefix("#SBATCH").lstrip(BLANK)
    while rest and not rest.startswith("#"):
        assert not rest.startswith(":"), "sbatch stops here"
        assert not re.match(r"(?i)(het|pack)job", rest), "another component of the job begins here"
        value = ""
        while (piece := PIECE.match(rest)) is not None:
            kind = piece.lastgroup or ""
            value += (
                re.sub(r"\\(.)", r"\1", piece[kind], flags=re.DOTALL) if kind in {"double", "single"} else piece[kind]
            )
            rest = rest[piece.end() :]
        assert not rest or rest[0] in BLANK + "#", f"sbatch stops at an open quote or a last backslash: {rest}"
        found.append(value)
        rest = rest.lstrip(BLANK)
    return found


values = st.text(alphabet=st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"])) | st.text(
    alphabet="\\\"' #\t:=a"
)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("#SBATCH -N 2 --time=1:00 # a comment", ["-N", "2", "--time=1:00"]),
        ("#SBATCH --comment='a b'\\\"c", ['--comment=a b"c']),
        ('#SBATCH --comment="a#b"#c', ["--comment=a#b"]),
        ("#SBATCH", []),
    ],
)
def test_the_model_of_the_parser(line: str, found: list[str]) -> None:
    """The model itself reads what the manual shows."""
    assert arguments(line) == found


@given(values)
def test_sbatch_reads_back_exactly_the_value(value: str) -> None:
    """One argument, whatever the value holds."""
    line = sbatch.directive("comment", value)
    assert "\n" not in line
    assert list(arguments(line)) == [f"--comment={value}"]


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("nodes", 4, "#SBATCH --nodes=4"),
        ("gpus_per_node", "h100:8", "#SBATCH --gpus-per-node=h100:8"),
        ("time", "1-00:00:00", "#SBATCH --time=1-00:00:00"),
        ("requeue", True, "#SBATCH --requeue"),
        ("signal", "B:USR1@120", "#SBATCH --signal=B:USR1@120"),
        ("constraint", "a&b", '#SBATCH --constraint="a&b"'),
        ("nodelist", "n[1-4]", '#SBATCH --nodelist="n[1-4]"'),
        ("comment", "", '#SBATCH --comment=""'),
        ("comment", 'say "\\o/" #1', '#SBATCH --comment="say \\"\\\\o/\\" #1"'),
        ("nice", -5, "#SBATCH --nice=-5"),
    ],
)
def test_directives_look_as_one_would_write_them(option: str, value: bool | int | str, line: str) -> None:  # noqa: FBT001
    """Quotes only where they are needed."""
    assert sbatch.directive(option, value) == line


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "\n"])
def test_a_line_break_is_refused(value: str) -> None:
    """No way to write it exists, and what follows would be another line of the script."""
    with pytest.raises(ValueError, match="line break"):
        sbatch.directive("comment", value)


@pytest.mark.parametrize("option", ["", "Nodes", "-nodes", "no des", "nodes=3 --wrap", "nodes\n", "a--b", "a-"])
def test_what_is_no_option_is_refused(option: str) -> None:
    """An option's name cannot smuggle in another one."""
    with pytest.raises(ValueError, match="long option"):
        sbatch.directive(option, "x")


def test_false_is_no_value() -> None:
    """--requeue=False would be an error on the cluster."""
    with pytest.raises(ValueError, match="false"):
        sbatch.directive("requeue", False)


def test_directives_in_order() -> None:
    """Lists repeat, True is a flag, False and None are not there."""
    options = {"nodes": 2, "requeue": True, "exclusive": False, "qos": None, "signal": ["B:USR1", "TERM@5"]}
    assert sbatch.directives(options) == [
        "#SBATCH --nodes=2",
        "#SBATCH --requeue",
        "#SBATCH --signal=B:USR1",
        "#SBATCH --signal=TERM@5",
    ]


@pytest.mark.parametrize(
    ("stdout", "answer"),
    [
        ("17\n", sbatch.Accepted(job_id=17)),
        ("17;hpc\n", sbatch.Accepted(job_id=17, cluster="hpc")),
        ("Welcome to the cluster 2!\n17\r\n", sbatch.Accepted(job_id=17)),
        ("17\n17\n", sbatch.Accepted(job_id=17)),
    ],
)
def test_accepted(stdout: str, answer: sbatch.Answer) -> None:
    """An id on a line of its own, among whatever a plugin prints."""
    assert sbatch.parse_answer(0, stdout, "sbatch: be nice\n") == answer


@pytest.mark.parametrize(
    ("rc", "stdout", "stderr"),
    [
        (0, "", ""),
        (0, "0\n", ""),
        (0, "4294967296\n", ""),
        (0, "99999999999999999999999\n", ""),
        (0, f"{'9' * 5000}\n", ""),
        (0, "17\n18\n", ""),
        (1, "17\n", "sbatch: error: something broke after the fact"),
        (124, "", ""),
        (137, "", ""),
        (143, "", ""),
        (-9, "", ""),
        (1, "", "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"),
        (1, "", "sbatch: error: Batch job submission failed: Unable to contact slurm controller (receive failure)"),
        (1, "", "sbatch: error: Unable to confirm allocation for job 5: Socket timed out"),
        (1, "", "sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received"),
        (1, "", "sbatch: error: Batch job submission failed: Unexpected message received"),
        (1, "", "sbatch: error: Batch job submission failed: Connection reset by peer"),
    ],
)
def test_unclear(rc: int, stdout: str, stderr: str) -> None:
    """The request may have arrived, so nobody says that there is no job."""
    assert isinstance(sbatch.parse_answer(rc, stdout, stderr), sbatch.Unclear)


@pytest.mark.parametrize(
    ("rc", "stderr", "reason"),
    [
        (
            1,
            "sbatch: error: invalid partition specified: nope\n" + failed("Invalid partition name specified"),
            "invalid partition specified: nope; Invalid partition name specified",
        ),
        (255, "sbatch: error: Invalid --time specification\n", "Invalid --time specification"),
        (
            255,
            "sbatch: unrecognized option '--bogus'\nTry \"sbatch --help\" for more information\n",
            "unrecognized option '--bogus'",
        ),
        (127, "sh: 1: sbatch: not found\n", "sh: 1: sbatch: not found"),
        (
            1,
            "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)\n",
            "Unable to contact slurm controller (connect failure)",
        ),
        (1, "", "sbatch ended with exit code 1 and said nothing"),
    ],
)
def test_refused(rc: int, stderr: str, reason: str) -> None:
    """The reason is what sbatch said, without its prefixes."""
    answer = sbatch.parse_answer(rc, "", stderr)
    assert answer == sbatch.Refused(reason=reason, text=stderr.strip())


def test_a_wrapper_that_refuses_on_stdout_is_heard() -> None:
    """Some sites wrap sbatch."""
    answer = sbatch.parse_answer(3, "Quota exceeded\n", "")
    assert answer == sbatch.Refused(reason="Quota exceeded", text="Quota exceeded")


@given(st.integers(-300, 300), st.text(), st.text())
def test_any_answer_has_a_meaning_and_only_an_id_is_acceptance(rc: int, stdout: str, stderr: str) -> None:
    """Nothing raises, and no noise is taken for a job."""
    answer = sbatch.parse_answer(rc, stdout, stderr)
    if isinstance(answer, sbatch.Accepted):
        assert rc == 0
        assert str(answer.job_id) in re.sub(r"\b0+(?=[0-9])", "", stdout)
