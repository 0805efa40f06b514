from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from trainsub.config import Cluster
from trainsub.errors import SpecError, TemplateError
from trainsub.render import engine, names, render
from trainsub.render.context import NAMES, context
from trainsub.render.directives import block
from trainsub.spec import parse_spec

TOML = 'name = "job"\ncommand = ["python", "train.py"]\nslurm = { nodes = 1, time = "5" }\n'


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another directory of templates."""
    monkeypatch.setattr(engine, "directory", lambda: tmp_path)
    return tmp_path


def test_the_same_spec_gives_the_same_bytes(rendered: Callable[..., str]) -> None:
    """Nothing of the machine, the time or the run is in a script."""
    assert rendered(TOML) == rendered(TOML)


def test_the_lint_knows_what_templates_get() -> None:
    """No name too many, none too few."""
    cluster = Cluster.model_validate({"transport": "local"})
    assert set(context(parse_spec(TOML, origin="x"), cluster, "torchrun")) == NAMES


def test_names_are_those_that_can_be_rendered() -> None:
    """The base is for extending."""
    assert names() == ["srun", "torchrun"]


def test_a_missing_template_is_an_error_with_the_names() -> None:
    """So that the user sees what there is."""
    spec = parse_spec('template = "nope"\n' + TOML, origin="x")
    with pytest.raises(TemplateError, match="there is no template 'nope'") as caught:
        render(spec, Cluster.model_validate({"transport": "local"}))
    assert caught.value.hint == "There are: srun, torchrun."


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a\n{% if %}", "template torchrun: line 2: Expected an expression"),
        ("{{ nodez }}", "template torchrun: 'nodez' is undefined"),
        ("{{ venv }}", "template torchrun: None cannot be written into a shell script"),
        ('{% extends "none.sbatch.j2" %}', "there is no template 'none'"),
    ],
)
def test_a_broken_template_is_an_error(
    templates: Path, rendered: Callable[..., str], source: str, message: str
) -> None:
    """Whatever is wrong with it."""
    (templates / "torchrun.sbatch.j2").write_text(source)
    with pytest.raises(TemplateError) as caught:
        rendered(TOML)
    assert caught.value.message.startswith(message)


def test_blocks_can_be_extended(templates: Path, rendered: Callable[..., str]) -> None:
    """A template adds to a block without quoting it again."""
    (templates / "base.sbatch.j2").write_text("{% block a %}\necho 'x y'\n{% endblock %}\n")
    (templates / "torchrun.sbatch.j2").write_text(
        '{% extends "base.sbatch.j2" %}\n{% block a %}\n{{ super() | shell }}\necho {{ name }}\n{% endblock %}\n'
    )
    assert rendered(TOML) == "echo 'x y'\n\necho job\n"


def test_variables_of_the_script_cannot_be_set(rendered: Callable[..., str]) -> None:
    """They would make it write its record elsewhere."""
    with pytest.raises(SpecError, match=r"env\.run_dir: the job script uses this name itself"):
        rendered(TOML + '[env]\nrun_dir = "/"\n')


def test_directives_are_sorted_as_one_reads_them() -> None:
    """Size, time, place, then the rest by name; flags and lists as sbatch wants them."""
    options: dict[str, bool | int | str | Sequence[int | str] | None] = {
        "signal": "B:USR1@60",
        "partition": "gpu",
        "nodes": 2,
        "exclusive": True,
        "time": "5",
        "bb": ("a", "b"),
    }
    assert block(options).splitlines() == [
        "#SBATCH --nodes=2",
        "#SBATCH --exclusive",
        "#SBATCH --time=5",
        "#SBATCH --partition=gpu",
        "#SBATCH --bb=a",
        "#SBATCH --bb=b",
        "#SBATCH --signal=B:USR1@60",
    ]


def test_a_directive_that_cannot_be_written_is_an_error() -> None:
    """Sbatch's lines cannot hold newlines."""
    with pytest.raises(SpecError, match="slurm: "):
        block({"mail_user": "a\n#SBATCH --x"})
