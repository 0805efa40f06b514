import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.errors import OutputError
from trainsub.record import answers, exits, names, paths

RUN = names.run_id("llama", "key")

run_names = st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True)


def test_run_id() -> None:
    """The name and eight digits of the key: the same for the same key, on every machine."""
    assert names.run_id("llama", "key") == "llama-2c70e12b"
    assert names.run_id("llama", "other") != RUN


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "a" * 41, "a\n"])
def test_a_wrong_name_is_refused(name: str) -> None:
    """A name becomes a job name and a directory."""
    with pytest.raises(ValueError, match="name of a run"):
        names.run_id(name, "key")


@given(run_names, st.text(), st.integers(1, 10**6))
def test_a_comment_tells_its_run(name: str, key: str, link: int) -> None:
    """Also between what a site adds."""
    run = names.run_id(name, key)
    assert names.is_run_id(run)
    comment = names.comment(run, link)
    assert names.parse_comment(comment) == names.Mark(run=run, link=link)
    assert names.parse_comment(f"site=7 {comment}; x") == names.Mark(run=run, link=link)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "site:2001",
        "trainsub:x:1",
        "trainsub:llama-0123abcd:",
        "trainsub:llama-0123abcd:0",
        "mytrainsub:llama-0123abcd:1",
        "trainsub:llama-0123abcd:1x",
    ],
)
def test_what_is_not_our_comment(text: str) -> None:
    """Nothing is guessed."""
    assert names.parse_comment(text) is None


@given(st.text())
def test_any_comment_is_read(text: str) -> None:
    """Other people's comments hold anything."""
    names.parse_comment(text)


def test_paths() -> None:
    """The layout; a home's ~ is left to the cluster."""
    run = paths.RunPaths("~/.trainsub/", RUN)
    base = f"~/.trainsub/runs/{RUN}"
    assert run.run_dir == base
    assert run.spec == f"{base}/spec.toml"
    assert run.script == f"{base}/script.sbatch"
    assert run.answer(1) == f"{base}/answer.1"
    assert run.owner(2) == f"{base}/owner.2"
    assert run.work == f"{base}/work"
    assert run.log(17) == f"{base}/logs/17.out"
    assert run.exit(17, 0) == f"{base}/exit/17.0"
    assert paths.code("/r", "a" * 64) == f"/r/code/{'a' * 64}.tar.gz"
    assert paths.protocol("/r") == "/r/PROTOCOL"
    assert paths.PROTOCOL == 1
    assert paths.VOID == "void"


@pytest.mark.parametrize("run", ["", "..", "../../etc-0123abcd", "llama", "a/b-0123abcd"])
def test_nothing_outside_a_run_can_be_named(run: str) -> None:
    """A run id is a single, harmless file name."""
    with pytest.raises(ValueError, match="run id"):
        paths.RunPaths("/r", run)


def test_a_wrong_hash_is_refused() -> None:
    """The same for snapshots."""
    with pytest.raises(ValueError, match="SHA-256"):
        paths.code("/r", "../x")


lines = st.lists(st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]))).map(
    lambda parts: "".join(part + "\n" for part in parts)
)


@given(st.integers(0, 255), lines, lines)
def test_an_answer_survives_a_round_trip(rc: int, out: str, err: str) -> None:
    """Whatever sbatch printed."""
    answer = answers.Answer(rc=rc, out=out, err=err)
    assert answers.parse_answer(answers.format_answer(answer)) == answer


def test_an_answer_as_the_shell_writes_it() -> None:
    """Streams may be mixed, and a last line may lack its end."""
    text = "rc 1\nerr sbatch: error: no\nout 5\nerr \nerr bye"
    assert answers.parse_answer(text) == answers.Answer(rc=1, out="5\n", err="sbatch: error: no\n\nbye\n")


@pytest.mark.parametrize("text", ["", "\n", "rc\n", "rc x\n", "rc 01\n", "out 5\n", "rc 0\nfoo bar\n"])
def test_no_answer(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(OutputError):
        answers.parse_answer(text)


@given(
    st.builds(
        exits.ExitRecord,
        st.integers(0, 255),
        st.integers(0, 2**40),
        st.integers(0, 2**40),
        run_names,
        array=st.none(),
        task=st.none(),
    )
)
def test_an_exit_record_survives_a_round_trip(record: exits.ExitRecord) -> None:
    """What the trap writes is read back."""
    assert exits.parse_exit(exits.format_exit(record)) == record


def test_an_exit_record_of_a_later_version() -> None:
    """Words that are not known yet are no error."""
    record = exits.parse_exit("code=85 start=1 end=2 node=n1 saved=7 flag\n")
    assert record == exits.ExitRecord(code=85, start=1, end=2, node="n1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "code=0 start=1 end=2 node=n1",
        "code=0 start=1 node=n1\n",
        "code=x start=1 end=2 node=n1\n",
        "code=0 start=1 end=2\n",
        "code=0 start=1 end=2 node=a\nb\n",
    ],
)
def test_no_exit_record(text: str) -> None:
    """A cut or foreign file is no record."""
    with pytest.raises(OutputError):
        exits.parse_exit(text)


def test_a_task_says_of_what_array_it_is() -> None:
    """The raw id of a task is known to nobody who did not see it run; array and index are."""
    record = exits.ExitRecord(code=0, start=1, end=2, node="n1", array=7, task=12)
    assert exits.format_exit(record) == "code=0 start=1 end=2 node=n1 task=7_12\n"
    assert exits.parse_exit(exits.format_exit(record)) == record
    assert exits.parse_exit("code=0 start=1 end=2 node=n1 task=some\n").task is None


@pytest.mark.parametrize("record", [exits.ExitRecord(-1, 0, 0, "n"), exits.ExitRecord(0, 0, 0, "a b")])
def test_a_wrong_exit_record_is_not_written(record: exits.ExitRecord) -> None:
    """It could not be read."""
    with pytest.raises(ValueError, match="exit record"):
        exits.format_exit(record)


@given(st.text() | st.text(alphabet="rcouter 015=\nndsa"))
def test_any_text_is_a_value_or_an_output_error(text: str) -> None:
    """Nothing else escapes."""
    for parse in (answers.parse_answer, exits.parse_exit):
        with contextlib.suppress(OutputError):
            parse(text)


def test_a_key_goes_on_with_the_next_number() -> None:
    """Each number is another run of the same name, the same one from wherever it is made."""
    ids = [names.run_id("demo", "k", number) for number in (1, 2, 3)]
    assert ids[0] == names.run_id("demo", "k")
    assert len(set(ids)) == 3
