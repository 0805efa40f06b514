import string
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trainsub.spec import JobSpec, options, parse_spec, shape
from trainsub.spec.kinds import KINDS

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
LINE = TEXT.filter(lambda text: text.strip() and not any(one < " " or one == "\x7f" for one in text))
NAME = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,39}", fullmatch=True)
SIZE = st.from_regex(r"[1-9][0-9]{0,3}[KMGT]?", fullmatch=True)
TIME = st.sampled_from(["90", "12:00:00", "1-2", "2-12:30:15", "UNLIMITED"])
INTEGER = st.integers(-(2**63), 2**63 - 1)
VARIABLES = st.dictionaries(
    st.text(string.ascii_letters, min_size=1).map(lambda text: f"MY_{text}_VALUE"),
    st.one_of(TEXT, INTEGER, st.floats(allow_nan=False, allow_infinity=False)),
)
EXTRA = st.dictionaries(
    st.sampled_from(["switches", "bb", "core_spec", "spread_job"]),
    st.one_of(st.booleans(), LINE, INTEGER, st.lists(st.one_of(LINE, INTEGER), min_size=1)),
)
SLURM = st.fixed_dictionaries(
    {"nodes": st.integers(1, 2000), "time": TIME},
    optional={
        "partition": LINE,
        "account": LINE,
        "constraint": LINE,
        "gpus_per_node": st.one_of(st.integers(0, 16), st.sampled_from(["8", "h100:8"])),
        "cpus_per_task": st.integers(1, 512),
        "exclusive": st.sampled_from([True, False, "user"]),
        "mem": SIZE,
        "requeue": st.booleans(),
        "wait_all_nodes": st.sampled_from([True, False, 0, 1]),
        "extra": EXTRA,
    },
)
SPECS = st.fixed_dictionaries(
    {
        "name": NAME,
        "command": st.lists(TEXT).map(lambda rest: ["python", *rest]),
        "slurm": SLURM,
    },
    optional={
        "template": st.sampled_from(["torchrun", "mine"]),
        "launch": st.one_of(
            st.just({"kind": "command"}),
            st.fixed_dictionaries(
                {"kind": st.sampled_from(sorted({*KINDS} - {"command"}))},
                optional={"nproc_per_node": st.integers(1, 16), "wait": st.integers(0, 600)},
            ),
        ),
        "setup": st.fixed_dictionaries({}, optional={"modules": st.just(["cuda/12.4"])}),
        "container": st.sampled_from(
            [{"runtime": "pyxis", "image": "a#b:c", "options": ["--x y"]}, {"runtime": "apptainer", "image": "~/x.sif"}]
        ),
        "env": VARIABLES,
        "code": st.one_of(st.just(False), st.fixed_dictionaries({"path": LINE, "include": st.lists(LINE)})),
    },
).map(JobSpec.model_validate)


@given(SPECS)
def test_a_spec_reads_back_as_itself(spec: JobSpec) -> None:
    """The text that is stored with a run is the same spec, whatever its strings hold."""
    text = spec.to_toml()
    again = parse_spec(text.encode(), origin="stored")
    assert again == spec
    assert again.to_toml() == text


@given(SPECS, st.fixed_dictionaries({}, optional={"gres": st.just("gpu:4"), "requeue": st.booleans()}))
def test_every_spec_has_options_and_a_shape(spec: JobSpec, defaults: dict[str, Any]) -> None:
    """Options are what Slurm can be given, and the ranks add up."""
    chosen = options(spec, defaults)
    assert False not in [value for value in chosen.values() if isinstance(value, bool)]
    assert None not in chosen.values()
    size = shape(spec, chosen)
    assert size.world_size == size.nodes * size.nproc_per_node
    assert size.nproc_per_node % size.ntasks_per_node == 0
