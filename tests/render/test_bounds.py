"""What a template makes of little: it is refused before it fills the memory of the machine that renders it."""

import re
import tracemalloc

import pytest
from render.test_render import TOML, mine

from trainsub.config import Cluster
from trainsub.errors import TemplateError
from trainsub.render import Templates, built_in, render
from trainsub.spec import parse_spec

MUCH = 3_000_000_000


def script(block: str) -> str:
    """The script of a template of which line 3 is given."""
    text = f'{{% extends "torchrun.sbatch.j2" %}}\n{{% block prepare %}}\n{block}\n{{% endblock %}}\n'
    templates = Templates([*built_in(), mine("torchrun", text)])
    return render(parse_spec(TOML, origin="job.toml"), Cluster.model_validate({"transport": "local"}), templates)


@pytest.mark.parametrize(
    "expression",
    [
        f'"a" * {MUCH}',
        f'{MUCH} * "a"',
        f"[1] * {MUCH}",
        f'("a" * 999_999) * {MUCH} * 2',
        f"2 ** {MUCH}",
        "(2 ** 499_999) * (2 ** 499_999) * 2 ** 9_999",
        f'"%{MUCH}d" % 1',
        f'"%(a)-{MUCH}s" % {{"a": 1}}',
        f'"%.{MUCH}f" % 1',
        f'"%*d" % ({MUCH}, 1)',
        f'"%{MUCH}d" | format(1)',
        f'"a" | center({MUCH})',
        f'"a" | center(width={MUCH})',
        f'"a\nb" | indent({MUCH})',
        f'"a".center({MUCH})',
        f'"a".ljust({MUCH})',
        f'"a".rjust({MUCH})',
        f'"a".zfill({MUCH})',
        f'"\t".expandtabs(tabsize={MUCH})',
        f'"{{:{MUCH}}}".format(1)',
        f'"{{:>{MUCH}d}}".format(1)',
    ],
)
def test_an_expression_that_makes_much(expression: str) -> None:
    """File and line, and no memory taken for it first."""
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError) as caught:
            script(f"{{% set made = {expression} %}}{{{{ made }}}}".replace("\n", "\\n"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert re.fullmatch(r"/user/torchrun\.sbatch\.j2:3: .* makes more than 1000000 characters", caught.value.message), (
        caught.value.message
    )
    assert peak < 100_000_000


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ('"a" * 3', "aaa"),
        ('3 * "a"', "aaa"),
        ("[1, 2] * 2", "1 2 1 2"),
        ("nodes * 1.5", "1.5"),
        ("2 ** 10", "1024"),
        ("2 ** -1", "0.5"),
        ("2.0 ** 2", "4.0"),
        ("7 % 4", "3"),
        ('"%05d" % nodes', "00001"),
        ('"100%%*%d" % 12345678', "'100%*12345678'"),
        ('"%03d" | format(nodes)', "001"),
        ('"%s-%d" | format(name, 12345678)', "job-12345678"),
        ('name | center(7) | replace(" ", ".")', "..job.."),
        ('"{:*>5}-{}".format(name, 12345678)', "'**job-12345678'"),
        ('"7".zfill(3)', "007"),
        ('name.count("o", 0, 12345678)', "1"),
    ],
)
def test_an_expression_that_makes_little(expression: str, word: str) -> None:
    """It means what it means in jinja2."""
    assert f"\necho {word}\n" in script(f"{{% set made = {expression} %}}\necho {{{{ made }}}}")


def test_a_script_that_is_too_long() -> None:
    """Slurm refuses it; and a template that goes on for long is not waited for."""
    row = "x" * 1024
    fits = script(f"{{% for _ in 'a' * 4000 %}}\n# {row}\n{{% endfor %}}")
    assert len(fits) > 4_000_000
    for times in ("'a' * 4200", "'a' * 999_999"):
        long = f"{{% for _ in {times} %}}\n# {row}\n{{% endfor %}}"
        with pytest.raises(
            TemplateError, match=r"^/user/torchrun\.sbatch\.j2: its script is longer than 4 MiB"
        ) as caught:
            script(long)
        assert "max_script_size" in str(caught.value.hint)
