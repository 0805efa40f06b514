from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.errors import SpecError
from trainsub.slurm.sbatch import directives
from trainsub.spec import JobSpec, OwnScript, SlurmOptions, adopt, options, own_script, parse_spec, shape
from trainsub.spec.own import problems
from trainsub.spec.sources import sources

LEAST = 'name = "x"\ntemplate = "own.sbatch"\n'


def script(*lines: str) -> OwnScript:
    """A script with these #SBATCH lines, the first in line 2."""
    return OwnScript("own.sbatch", "".join(f"{line}\n" for line in ("#!/bin/sh", *(f"#SBATCH {one}" for one in lines))))


def adopted(*lines: str, toml: str = "") -> dict[str, Any]:
    """What [slurm] is, with these lines in the script."""
    return parse_spec(LEAST + toml, origin="job.toml", own=script(*lines)).slurm.given()


def test_a_script_says_it_all() -> None:
    """Then the spec needs no [slurm], and no command."""
    spec = parse_spec(LEAST, own=script("-N 4 -t 12:00:00", "--gpus-per-node=h100:8 --exclusive", "--no-requeue"))
    assert spec.command == ()
    assert spec.slurm.given() == {
        "nodes": 4,
        "time": "12:00:00",
        "gpus_per_node": "h100:8",
        "exclusive": True,
        "requeue": False,
    }
    assert shape(spec, options(spec, {})).gpus_per_node == 8
    assert parse_spec(spec.to_toml()) == parse_spec(spec.to_toml(), own=script("-N 4 -t 12:00:00"))


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["--nice", "--propagate"], {"nice": 100, "propagate": "ALL"}),
        (["-p 2", "--mem=0", "-c 8"], {"partition": "2", "mem": "0", "cpus_per_task": 8}),
        (
            ["--gres-flags=x", "--switches 1@5", "--reboot"],
            {"extra": {"gres_flags": "x", "switches": "1@5", "reboot": True}},
        ),
        (["-o x -e y --open-mode=append -J z", "--parsable -Q -v -W", "--export=ALL"], {}),
        (["--ntasks=8"], {"ntasks": 8}),
        (["--partition=a", "--partition=b"], {"partition": "b"}),
        (["--array=0-9%2"], {"array": "0-9%2"}),
        (["--arra=0-2"], {"array": "0-2"}),
        (["--ar 0-2"], {"array": "0-2"}),
        (["-a 0-2"], {"array": "0-2"}),
        (["-Ha0-2"], {"hold": True, "array": "0-2"}),
        (["--job-nam=x --outpu y"], {}),
        (["--tasks=4"], {"ntasks_per_node": 4}),
    ],
)
def test_what_is_taken_over(lines: list[str], found: dict[str, Any]) -> None:
    """Numbers as numbers, what trainsub does not know as it is, and what trainsub sets not at all."""
    assert adopted("-N 1 -t 5", *lines) == {"nodes": 1, "time": "5", **found}


@pytest.mark.parametrize(
    ("line", "toml", "found"),
    [
        ("--mem=5", 'mem_per_gpu = "1G"', {"mem_per_gpu": "1G"}),
        ("--gres=gpu:4,nvme:1", "gpus_per_node = 8", {"gpus_per_node": 8, "gres": "nvme:1"}),
        ("--gpus=8", "gpus_per_node = 8", {"gpus_per_node": 8}),
        ("--partition='a b'", 'partition = "c"', {"partition": "c"}),
        ("--exclusive", "exclusive = false", {"exclusive": False}),
        ("--switches=1 --reboot", 'extra = { switches = "2" }', {"extra": {"switches": "2", "reboot": True}}),
    ],
)
def test_the_spec_wins(line: str, toml: str, found: dict[str, Any]) -> None:
    """Option by option, as over a cluster's defaults; a line that it makes void may say what it likes."""
    assert adopted("-N 1 -t 5", line, toml=f"[slurm]\n{toml}\n") == {"nodes": 1, "time": "5", **found}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--gpus=8", "--gpus: trainsub counts GPUs per node"),
        ("--nodes=2-4", '--nodes: expected an integer ≥ 1, got "2-4"'),
        ("--chdir=/x", "--chdir: trainsub sets it: the job runs in its own copy of the code"),
        ("--export=NONE", "--export: trainsub sets it"),
        ("--dependency=singleton", "--dependency: "),
        ("--dependenc=singleton", "--dependency: "),
        ("--cluster=x", "--clusters: "),
        ("--cluster-c=x --clust=x", "--clust may be --cluster or --cluster-constraint or --clusters"),
        ("hetjob", "'hetjob' is no option"),
    ],
)
def test_what_cannot_be_taken_over(line: str, message: str) -> None:
    """Each line is named, with its file."""
    with pytest.raises(SpecError) as caught:
        adopted("-N 1 -t 5", "--exclusive", line)
    assert caught.value.message.startswith(f"own.sbatch:4: {message}")
    assert "what [slurm] in the spec says wins" in str(caught.value.hint)


def test_all_that_is_wrong_is_told() -> None:
    """Also what sbatch would not read, or refuse."""
    own = OwnScript("own.sbatch", "echo\n#SBATCH -N 1\nx\r\n#SBATCH --chdir=/\n")
    assert problems(own) == [
        (1, "the first line names no interpreter; sbatch wants one, such as #!/bin/bash"),
        (2, "sbatch reads no #SBATCH line after the first command (line 1)"),
        (3, "the line ends as in DOS, which sbatch refuses"),
        (4, "sbatch reads no #SBATCH line after the first command (line 1)"),
    ]
    with pytest.raises(SpecError, match=r"^own\.sbatch:1: the first line names no interpreter"):
        _ = own.interpreter


def test_a_contradiction_names_the_line() -> None:
    """It came from there, and not from the spec."""
    with pytest.raises(SpecError, match=r"^own\.sbatch:2: slurm\.mem_per_cpu: excludes mem"):
        adopted("-N 1 -t 5 --mem=1 --mem-per-cpu=2")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('container = { runtime = "pyxis", image = "x" }', "container: a script of your own does not know it"),
        ("sweep = { matrix = { lr = [1, 2] } }", "sweep: a script of your own does not know it"),
        ("chain = { links = 2 }", "chain: a script of your own does not know it"),
        ("launch = { nproc_per_node = 2 }", "launch: a script of your own starts its ranks itself"),
    ],
)
def test_what_a_script_does_itself(toml: str, message: str) -> None:
    """Said in the spec it would do nothing, so it is an error."""
    with pytest.raises(SpecError, match=message):
        adopted("-N 1 -t 5", toml=f"{toml}\n")


@pytest.mark.parametrize("toml", ["slurm = 3", "[slurm]\nextra = 3"])
def test_a_wrong_table_is_told_as_ever(toml: str) -> None:
    """There is nothing to take over into."""
    with pytest.raises(SpecError, match=r"job\.toml: slurm(\.extra)?: expected a table"):
        adopted("-N 1 -t 5", toml=f"{toml}\n")


@pytest.mark.parametrize(
    ("toml", "path"),
    [
        ('template = "own.sbatch"', "own.sbatch"),
        ('template = "./own"', "./own"),
        ('template = "mine.sbatch.j2"', None),
        ('template = "torchrun"', None),
        ("template = 3", None),
        ("", None),
    ],
)
def test_which_script(toml: str, path: str | None) -> None:
    """A path that does not end in .j2; --set counts."""
    assert own_script(toml) == path
    assert own_script(toml, sets=["template=./other"]) == "./other"


def test_lines_that_count_for_nothing() -> None:
    """They are told, so that nobody looks for the log where the script says."""
    assert script("-N 1 -J x", "--output=y --export=ALL").replaced == ((2, "job-name"), (3, "output"), (3, "export"))


def test_a_spec_adopts_a_script() -> None:
    """For those who make a spec by a program; what it said itself stays, and a second time changes nothing."""
    own = script("-N 2 -t 5 --gpus-per-node=4", "-p gpu")
    data = {"name": "x", "template": "own.sbatch", "code": False, "slurm": {"nodes": 1, "time": "9"}}
    spec = adopt(JobSpec.model_validate(data), own)
    assert spec.slurm.given() == {"nodes": 1, "time": "9", "gpus_per_node": 4, "partition": "gpu"}
    assert spec.code is None
    assert adopt(spec, own) == spec
    with_code = adopt(JobSpec.model_validate({**data, "code": {"path": "x"}}), own)
    assert with_code.code is not None
    assert with_code.code.path == "x"
    with pytest.raises(SpecError, match=r"own\.sbatch: slurm\.mem_per_cpu: excludes mem"):
        adopt(spec, script("--mem=1 --mem-per-cpu=2"))


def test_where_options_come_from() -> None:
    """A refusal can name the line of the script."""
    own = script("-N 2 -t 5", "-p gpu --ntasks-per-node=4 --switches=1")
    spec = parse_spec(LEAST + '[slurm]\npartition = "other"\n', own=own)
    lines = {
        "nodes": "own.sbatch:2",
        "time": "own.sbatch:2",
        "ntasks_per_node": "own.sbatch:3",
        "switches": "own.sbatch:3",
    }
    assert own.origins(spec.slurm.given()) == lines
    assert sources(spec, {}, "hpc")["ntasks_per_node"] == "slurm.ntasks_per_node"


def test_tasks_are_what_the_script_says() -> None:
    """There is no launch kind that would own them."""
    spec = parse_spec(LEAST, own=script("-N 2 -t 5 --ntasks=7"))
    assert options(spec, {}) == {"nodes": 2, "time": "5", "ntasks": 7}


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "nodes": st.integers(1, 500),
    "time": st.sampled_from(["5", "1:00:00", "2-0", "UNLIMITED"]),
    "partition": st.text("abc,1 '\"\\#", min_size=1).filter(str.strip),
    "gpus_per_node": st.one_of(st.integers(1, 8), st.just("h100:8")),
    "cpus_per_task": st.integers(1, 96),
    "mem": st.sampled_from(["0", "64G"]),
    "exclusive": st.sampled_from([True, "user"]),
    "nice": st.integers(0, 9),
    "hold": st.just(True),
    "requeue": st.just(True),
    "ntasks": st.integers(1, 99),
    "signal": st.just("B:USR1@60"),
}


SIZE = {name: VALUES.pop(name) for name in ("nodes", "time")}


@given(st.fixed_dictionaries(SIZE, optional=VALUES))
def test_what_a_spec_would_write_is_what_it_reads(given: dict[str, Any]) -> None:
    """The directives of a spec, in a script, give the same options."""
    wanted = SlurmOptions.model_validate(given).given()
    assert adopted(*(line.removeprefix("#SBATCH ") for line in directives(given))) == wanted


def test_a_null_character_is_named_with_its_line() -> None:
    """Only the first: a file that is no text has many."""
    own = OwnScript("own.sbatch", "#!/bin/sh\n\n#SBATCH -N 1\n# a\0b\0\n# \0\n")
    assert problems(own) == [(4, "a NUL character, which sbatch refuses")]
