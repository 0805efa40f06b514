import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.minislurm import options as getopt
from trainsub.minislurm import sbatch_options, script
from trainsub.slurm.batch_script import (
    OPTIONS,
    Directive,
    DirectiveError,
    directive_lines,
    interpreter,
    read_line,
)
from trainsub.slurm.sbatch import directive


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#!/bin/bash\nx", ["/bin/bash"]),
        ("#! /bin/bash -l \nx", ["/bin/bash", "-l"]),
        ("#!/usr/bin/env -S bash -e\n", ["/usr/bin/env", "-S bash -e"]),
    ],
)
def test_the_interpreter(text: str, words: list[str]) -> None:
    """A program and at most one argument, as the kernel has it."""
    assert interpreter(text) == words


@pytest.mark.parametrize("text", ["", "echo\n", "#!\nx", "#!  \n", " #!/bin/sh\n"])
def test_no_interpreter(text: str) -> None:
    """Such a script is refused by sbatch."""
    with pytest.raises(ValueError, match="names no interpreter"):
        interpreter(text)


def test_lines_after_a_command_are_told() -> None:
    """sbatch does not read them; comments and blank lines are no commands."""
    text = "#!/bin/sh\n#SBATCH -N 1\n\n # x\n#SBATCH--hold\necho\n#SBATCH -n 2\n  #SBATCH no\n"
    assert list(directive_lines(text)) == [(2, " -N 1", 0), (5, "--hold", 0), (7, " -n 2", 6)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" --nodes=4", [("nodes", "4")]),
        (" --nodes 4 --exclusive", [("nodes", "4"), ("exclusive", None)]),
        (" -N4 -t 1:00 -p gpu # a comment", [("nodes", "4"), ("time", "1:00"), ("partition", "gpu")]),
        (" -HN 4", [("hold", None), ("nodes", "4")]),
        (" -k -n2", [("no-kill", None), ("ntasks", "2")]),
        (" --tasks-per-node=8", [("ntasks-per-node", "8")]),
        (" --part=gpu --cpus-per-t 4", [("partition", "gpu"), ("cpus-per-task", "4")]),
        (" -o \"a b.out\" -J 'x#y' -C a\\ b", [("output", "a b.out"), ("job-name", "x#y"), ("constraint", "a b")]),
        (" --newer-option=1", [("newer-option", "1")]),
        (" --comment=", [("comment", "")]),
        ("", []),
        (" # only a comment", []),
    ],
)
def test_a_line(text: str, found: list[tuple[str, str | None]]) -> None:
    """In every way in which options are written."""
    assert [(one.option, one.value) for one in read_line(7, text)] == found
    assert all(one.line == 7 for one in read_line(7, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" hetjob", "'hetjob' is no option"),
        (" -", "'-' is no option"),
        (" --", "'--' is no option"),
        (" --nodes", "--nodes lacks its value"),
        (" -N", "-N lacks its value"),
        (" -Z 1", "-Z is no option of sbatch"),
        (" --hold=1", "--hold takes no value"),
        (" --newer-option 1", "--newer-option is not known"),
        (" --gpus-per=1", "--gpus-per may be --gpus-per-node or --gpus-per-socket or --gpus-per-task"),
        (" --nodes='4", "the quote ' is not closed"),
    ],
)
def test_a_line_that_cannot_be_read(text: str, message: str) -> None:
    """It says why."""
    with pytest.raises(DirectiveError, match=message.replace("'", "'")):
        read_line(1, text)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r")))
def test_what_trainsub_writes_reads_back(value: str) -> None:
    """Writer and reader agree on sbatch's quotes."""
    text = directive("mail_user", value).removeprefix("#SBATCH")
    assert read_line(1, text) == [Directive(1, "mail-user", value)]


LINE = st.lists(
    st.one_of(
        st.sampled_from(["--nodes=2", "--time 5", "-N 3", "-Hk", "--excl", "-o 'a b'", "--gpus-per", "hetjob", "# x"]),
        st.text("-=N'\"\\# abx", max_size=8),
    ),
    max_size=5,
).map(" ".join)


@given(LINE)
def test_another_reader_agrees(line: str) -> None:
    """minislurm's, which was written apart and compared with real Slurm; it knows no option that is newer."""
    try:
        words = [word.decode() for word in script.words(f"#SBATCH {line}\n".encode(), "x")]
        parsed = getopt.parse(words, sbatch_options.TABLE)
    except Exception:  # noqa: BLE001 -- of either kind: it refuses the line
        return
    if parsed.operands or "--" in words:
        return
    theirs = [(sbatch_options.ALIASES.get(name, name), value) for name, value in parsed.given]
    assert [(one.option, one.value) for one in read_line(1, f" {line}")] == theirs


def test_the_options_are_those_of_sbatch() -> None:
    """Both tables were made from the same manual."""
    assert {option.name for option in sbatch_options.TABLE} == OPTIONS
