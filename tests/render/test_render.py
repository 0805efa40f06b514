import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from markupsafe import Markup

from trainsub.config import Cluster
from trainsub.errors import SpecError, TemplateError
from trainsub.render import Template, Templates, built_in, render
from trainsub.render.context import NAMES, context
from trainsub.render.directives import block
from trainsub.render.engine import quote
from trainsub.spec import OwnScript, parse_spec

TOML = 'name = "job"\ncommand = ["python", "train.py"]\nslurm = { nodes = 1, time = "5" }\n'


def mine(name: str, text: str, layer: str = "user") -> Template:
    """A template of a layer above the built-in ones."""
    return Template(name, layer, f"/{layer}/{name}.sbatch.j2", text)  # type: ignore[arg-type]


@pytest.fixture
def rendered_with() -> Callable[..., str]:
    """Render the least spec with further templates."""

    def rendering(*templates: Template, toml: str = TOML) -> str:
        spec = parse_spec(toml, origin="job.toml")
        return render(spec, Cluster.model_validate({"transport": "local"}), Templates([*built_in(), *templates]))

    return rendering


def test_the_same_spec_gives_the_same_bytes(rendered: Callable[..., str]) -> None:
    """Nothing of the machine, the time or the run is in a script."""
    assert rendered(TOML) == rendered(TOML)


def test_the_lint_knows_what_templates_get() -> None:
    """No name too many, none too few."""
    cluster = Cluster.model_validate({"transport": "local"})
    assert set(context(parse_spec(TOML, origin="x"), cluster, "torchrun")) == NAMES


def test_names_are_those_that_can_be_rendered() -> None:
    """The base is for extending, and what wraps a script of one's own is no template for a spec."""
    assert built_in().names() == ["accelerate", "command", "deepspeed", "megatron", "srun", "torchrun"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("nope", "there is no template 'nope'"), ("base", "template 'base' is for others to extend")],
)
def test_a_missing_template_is_an_error_with_the_names(name: str, message: str) -> None:
    """So that the user sees what there is."""
    spec = parse_spec(f'template = "{name}"\n' + TOML, origin="x")
    with pytest.raises(TemplateError, match=message) as caught:
        render(spec, Cluster.model_validate({"transport": "local"}))
    assert caught.value.hint == "There are: accelerate, command, deepspeed, megatron, srun, torchrun."


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("{% if %}", ":3: Expected an expression"),
        ("{{ nodez }}", ":3: unknown variable: nodez"),
        ("{{ venv }}", ":3: None cannot be written into a shell script"),
        ("{{ 1 // 0 }}", ":3: integer division or modulo by zero"),
        ("{{ name.nope }}", ":3: 'str object' has no attribute 'nope'"),
        ("{{ env[99] }}", ":3: list object has no element 99"),
        ("{{ ''.__class__.__mro__ }}", ":3: access to attribute '__class__' of 'str' object is unsafe."),
        ("{{ name.format.__globals__ }}", ":3: access to attribute '__globals__'"),
        ("#SBATCH -k\n{{ directives }}", ": in its script, #SBATCH in line"),
    ],
)
def test_a_broken_template_is_an_error(rendered_with: Callable[..., str], block: str, message: str) -> None:
    """Whatever is wrong with it: file and line; and it reaches nothing of the machine that renders it."""
    text = f'{{% extends "torchrun.sbatch.j2" %}}\n{{% block prepare %}}\n{block}\n{{% endblock %}}\n'
    with pytest.raises(TemplateError) as caught:
        rendered_with(mine("torchrun", text))
    assert caught.value.message.startswith(f"/user/torchrun.sbatch.j2{message}")


def test_a_broken_template_below_is_an_error(rendered_with: Callable[..., str]) -> None:
    """The lint looks at all that takes part."""
    site = mine("base", '{% extends "base.sbatch.j2" %}\n{% block fence %}{% endblock %}\n', "site")
    with pytest.raises(TemplateError, match=r"/site/base\.sbatch\.j2:2: block fence lets no job train twice"):
        rendered_with(site)


def test_a_header_with_a_command_is_an_error(rendered_with: Callable[..., str]) -> None:
    """It would cost all directives, and is seen only in the whole script."""
    text = '{% extends "torchrun.sbatch.j2" %}\n{% block header %}\necho hi\n{% endblock %}\n'
    with pytest.raises(TemplateError, match="in its script, #SBATCH in line 4 follows the command in line 2"):
        rendered_with(mine("torchrun", text))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('#SBATCH --{{ "array" }}=0-2', "in its script, line 6: --array would be seen neither in the plan nor in its"),
        ('#SBATCH --{{ "job-name" }}=x', "in its script, line 6: --job-name: trainsub sets it to the run id"),
        ('#{{ "PBS" }} -t 0-2', "in its script, line 6: sbatch reads such lines, too"),
    ],
)
def test_a_directive_that_trainsub_would_not_see_is_an_error(
    rendered_with: Callable[..., str], line: str, message: str
) -> None:
    """Nobody would have agreed to its costs; how the template came to it does not matter."""
    text = f'{{% extends "torchrun.sbatch.j2" %}}\n{{% block directives %}}\n\n{line}\n{{{{ super() | shell }}}}\n{{% endblock %}}\n'
    with pytest.raises(TemplateError, match=message):
        rendered_with(mine("torchrun", text))


@pytest.mark.parametrize("block", ["# none\n", "{% if nodes > 9 %}\n{{ super() | shell }}\n{% endif %}\n"])
def test_a_script_without_what_the_spec_asks_for_is_an_error(rendered_with: Callable[..., str], block: str) -> None:
    """Its time limit would be the partition's, and no plan knows that."""
    text = f'{{% extends "torchrun.sbatch.j2" %}}\n{{% block directives %}}\n{block}{{% endblock %}}\n'
    with pytest.raises(TemplateError, match="its script leaves out #SBATCH --nodes=1") as caught:
        rendered_with(mine("torchrun", text))
    assert "{{ super() | shell }}" in str(caught.value.hint)


def test_a_directive_that_trainsub_does_not_know_is_welcome(rendered_with: Callable[..., str]) -> None:
    """A site's template may have options of its own."""
    text = '{% extends "torchrun.sbatch.j2" %}\n{% block directives %}\n#SBATCH --reboot --bb=x\n#SBATCH --time=5\n{{ super() | shell }}\n{% endblock %}\n'
    with pytest.raises(TemplateError, match=":4: --time would be seen"):
        rendered_with(mine("torchrun", text))
    assert "\n#SBATCH --reboot --bb=x\n" in rendered_with(mine("torchrun", text.replace("#SBATCH --time=5\n", "")))


def test_layers_extend_each_other(rendered_with: Callable[..., str]) -> None:
    """Each adds to the one below, of the same name; a base counts for all kinds; the header names the highest."""

    def adding(name: str, layer: str) -> Template:
        text = f'{{% extends "{name}.sbatch.j2" %}}\n{{% block environment %}}\n{{{{ super() | shell }}}}\n'
        return mine(name, f"{text}echo {layer} {{{{ name }}}}\n{{% endblock %}}\n", layer)

    every = [adding("base", "site"), adding("torchrun", "user"), adding("torchrun", "project")]
    script = rendered_with(*every)
    assert [line for line in script.splitlines() if line.startswith("echo ")] == [
        "echo site job",
        "echo user job",
        "echo project job",
    ]
    assert "made by trainsub from its template project/torchrun." in script
    of_spec = adding("mine", "spec")
    known = Templates([*built_in(), *every]).with_spec(
        Template("mine", "spec", of_spec.path, of_spec.text.replace('"mine', '"torchrun'))
    )
    script = render(parse_spec('template = "mine.j2"\n' + TOML), Cluster.model_validate({"transport": "local"}), known)
    assert [line for line in script.splitlines() if line.startswith("echo ")][-1] == "echo spec job"


def test_a_template_that_was_not_read_is_an_error() -> None:
    """This room reads no file."""
    spec = parse_spec('template = "./mine.j2"\n' + TOML, origin="x")
    with pytest.raises(TemplateError, match="was not read"):
        render(spec, Cluster.model_validate({"transport": "local"}))


@pytest.mark.parametrize("expression", ["name", "[name]", "name ~ ''", "name | trim"])
def test_a_value_stays_one_word(rendered_with: Callable[..., str], expression: str) -> None:
    """Whatever is done to it on the way."""
    text = (
        f'{{% extends "torchrun.sbatch.j2" %}}\n{{% block prepare %}}\necho {{{{ {expression} }}}}\n{{% endblock %}}\n'
    )
    assert "\necho job\n" in rendered_with(mine("torchrun", text))


def test_markup_is_quoted_as_text() -> None:
    """A string that has its own idea of addition would put HTML in place of quotes."""
    assert quote(Markup("a b; c")) == "'a b; c'"
    assert quote(Markup("it's")) == "$'it\\'s'"


OWN = OwnScript("own.sbatch", "#!/usr/bin/env bash\n#SBATCH -N 2 -t 5 --gpus-per-node=8\nsrun x\n")


def test_a_script_of_ones_own_is_wrapped() -> None:
    """Its lines are the directives, its interpreter starts it, and nothing of a launch is there."""
    spec = parse_spec('name = "x"\ntemplate = "own.sbatch"\ncommand = ["--a b", ""]\n', own=OWN)
    script = render(spec, Cluster.model_validate({"transport": "local"}), own=OWN)
    assert "\n#SBATCH --nodes=2\n#SBATCH --gpus-per-node=8\n#SBATCH --time=5\n\n" in script
    assert "\nattend /usr/bin/env bash \"$run_dir/own.sbatch\" '--a b' ''\n" in script
    assert "owner=$run_dir/owner.$link" in script
    assert "trap record_exit EXIT" in script
    assert [word for word in ("srun", "MASTER_PORT", "ulimit", "OMP_NUM_THREADS") if word in script] == []


def test_variables_of_the_script_cannot_be_set(rendered: Callable[..., str]) -> None:
    """They would make it write its record elsewhere."""
    with pytest.raises(SpecError, match=r"env\.run_dir: the job script uses this name itself"):
        rendered(TOML + '[env]\nrun_dir = "/"\n')


def test_no_variable_of_the_script_can_be_set(rendered: Callable[..., str]) -> None:
    """What the script, or what stands round each rank, assigns would reach the training with another value."""
    code = re.sub(r"(?m)^ *#.*$", "", (Path(__file__).parent / "golden/srun.sbatch").read_text())
    assigned = set(re.findall(r"""(?m)(?:^|[ ;])([a-z_]+)=(?=["'$/(\d]| |$)""", code))
    assert {"child", "pipe", "begin", "waiter"} <= assigned
    for name in assigned | set(re.findall(r"\bfor ([a-z_]+) in", code)):
        with pytest.raises(SpecError, match="the job script uses this name itself"):
            rendered(TOML + f'[env]\n{name} = "x"\n')


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
