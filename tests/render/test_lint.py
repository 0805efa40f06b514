from pathlib import Path

import pytest

from trainsub.render import lint
from trainsub.render.builtin import directory


@pytest.mark.parametrize("path", sorted(directory().glob("*.j2")), ids=lambda path: path.name)
def test_the_built_in_templates_are_clean(path: Path) -> None:
    """What is shipped passes its own lint, and begins with its description."""
    source = path.read_text()
    assert lint(source, path.name) == []
    for word in ("Purpose:", "Variables:", "Blocks:", "Tried on:"):
        assert word in source.partition("-#}")[0]


def messages(source: str) -> list[tuple[int, str]]:
    """The lines and the beginnings of what the lint says."""
    problems = lint(source, "x.j2")
    assert all(problem.file == "x.j2" for problem in problems)
    return [(problem.line, problem.message) for problem in problems]


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("#!/bin/bash\necho {{ nodez }}\n", 2, "unknown variable: nodez"),
        ("{% if nodez %}x{% endif %}\n", 1, "unknown variable: nodez"),
        ("a\n{{ nodes | nofilter }}\n", 2, "No filter named 'nofilter'."),
        ("a\n{% for %}\n", 2, "Expected an expression, got 'end of statement block'"),
        ("a\n{{ nodes", 2, "unexpected end of template"),
        ('echo "{{ name }}"\n', 1, "{{ name }} is inside quotes"),
        ("x=1\necho 'it {{ name }}'\n", 2, "{{ name }} is inside quotes"),
        ('echo "$(echo "{{ name }}")"\n', 1, "{{ name }} is inside quotes"),
        ('echo "a\\"{{ name }}"\n', 1, "{{ name }} is inside quotes"),
        ("echo $'it\\'s {{ name }}'\n", 1, "{{ name }} is inside quotes"),
        ("x=`echo {{ name }}`\n", 1, "{{ name }} is inside quotes"),
        ("cat <<EOF\n{{ name }}\nEOF\n", 2, "{{ name }} is inside quotes or a here document"),
        ("cat <<-'E F' >x\n\tx\n{{ name }}\n\tE F\n", 3, "{{ name }} is inside quotes or a here document"),
        ('cat <<A <<"B"\n1\nA\n{{ name }}\nB\n', 4, "{{ name }} is inside quotes or a here document"),
        ("x=$(cat <<\\EOF\n{{ name }}\nEOF\n)\n", 2, "{{ name }} is inside quotes or a here document"),
        ("{% extends name %}\n", 1, "extends takes a file's name in quotes"),
        ('{% extends "a" if venv else name %}\n', 1, "extends takes a file's name in quotes"),
        ('{% include "x" %}\n', 1, "templates are put together by extends and blocks only"),
        ('{% import "x" as y %}\n', 1, "templates are put together by extends and blocks only"),
        ("{% macro m() %}x{% endmacro %}\n", 1, "templates are put together by extends and blocks only"),
        ("{% autoescape true %}{{ name }}{% endautoescape %}\n", 1, "autoescape, filter and set blocks"),
        ("{% filter upper %}x{% endfilter %}\n", 1, "autoescape, filter and set blocks"),
        ("{% set x %}y{% endset %}\n", 1, "autoescape, filter and set blocks"),
        ("{{ name | safe }}\n", 1, "No filter named 'safe'."),
        ("bash -c '\n{% if venv %}\n{{ venv }}{% endif %}'\n", 3, "{{ venv }} is inside quotes"),
        ("echo \\{{ name }}\n", 1, "{{ name }} stands right behind a backslash or $"),
        ("echo ${{ name }}\n", 1, "{{ name }} stands right behind a backslash or $"),
        ("x=$((1 + {{ name }}))\n", 1, "{{ name }} is text within (( ))"),
        ("(((1) + {{ name }}))\n", 1, "{{ name }} is text within (( ))"),
        ('echo "$(( ${x} + {{ name }} ))"\n', 1, "{{ name }} is text within (( ))"),
        ("{{ name | shell }}\n", 1, "| shell leaves a value unquoted"),
        ("{{ lipsum() | shell }}\n", 1, "| shell leaves a value unquoted"),
        ("{{ (name ~ nodes) | shell }}\n", 1, "| shell leaves a value unquoted"),
        ("srun x\n# not {{ command|lines }}\n", 2, "{{ command|lines }} is in a comment, which ends with the first"),
        ("{% block a %}x{% endblock %}\n{{ super() }}\n", 2, "the result of a call is quoted once more"),
        ("{% macro m() %}x{% endmacro %}\n{{ m() }}\n", 2, "the result of a call is quoted once more"),
        ("set -u\n#SBATCH --nodes=1\n", 2, "sbatch reads no directive after the first command (line 1)"),
        ("#!/bin/sh\n#SBATCH --array=0-2\n", 2, "--array would be seen neither in the plan nor in its price: "),
        ("#SBATCH -a0-2\n", 1, "--array would be seen neither"),
        ("#SBATCH --bb=x --arra 0-2\n", 1, "--array would be seen neither"),
        ("#SBATCH --tasks-per-node=2\n", 1, "--ntasks-per-node would be seen neither"),
        ("{{ directives }} --time=5\n", 1, "--time would be seen neither"),
        ("#SBATCH --mem={{ nodes }}\n", 1, "--mem would be seen neither"),
        ("#SBATCH --outpu=x\n", 1, "--output: trainsub keeps one log per job"),
        ("#SBATCH hetjob\n", 1, "'hetjob' is no option"),
        ("#PBS -t 0-2\n", 1, "sbatch reads such lines, too: "),
        ("#BSUB -q x\n", 1, "sbatch reads such lines, too: "),
        (
            '{% extends "base" %}\n{% block directives %}\n{{ super() | shell }}\n#SBATCH -t 9\n{% endblock %}\n',
            4,
            "--time would be seen neither",
        ),
        ("a\r\nb\n# \0\n", 3, "a NUL character, which sbatch refuses"),
        ("{{ '\0' }}\n", 1, "a NUL character, which sbatch refuses"),
        ("a\r\n# b\rrm x\n", 2, "a carriage return within the line, which ends it: "),
        ("a\n\r\r\nb\n", 2, "a carriage return within the line, which ends it: "),
        ("# c\n\nset -u\n{{ directives }}\n", 4, "sbatch reads no directive after the first command (line 3)"),
        (
            '{% extends "base" %}\n{% block directives %}\nexport A=1\n{{ super() | shell }}\n{% endblock %}\n',
            4,
            "sbatch reads no directive after the first command (line 3)",
        ),
    ],
)
def test_what_is_wrong_is_found(source: str, line: int, message: str) -> None:
    """Each kind of mistake, with its line."""
    found = messages(source)
    assert any(at == line and text.startswith(message) for at, text in found), found


@pytest.mark.parametrize(
    "source",
    [
        "#!/bin/bash\r\n{% if venv %}\r\nx\t{{ '\\r' }}\r\n{% endif %}\r\n",
        "#!/bin/bash\n# it's {{ name }}, isn't it\n{{ directives }}\n\nset -u\necho {{ command }}\n",
        "#SBATCH --reboot\n{% if venv %}\n#SBATCH --extra={{ name }} -O\n{% endif %}\nset -u\n",
        '{% extends "base" %}\n{% block launch %}\nsrun x\n{% endblock %}\n{% block directives %}\n#SBATCH -k\n{% endblock %}\n',
        "{% block setup %}\n{{ super() | shell }}\nmodule load x\n{% endblock %}\n",
        "{% block setup %}\n{{ self.attend() | shell }}\n{% endblock %}\n",
        'echo "$x" {{ name }} "$(date)" {{ venv }} \'a\' {{ nodes }}\n',
        'echo "it\'s" {{ name }}\necho \\" {{ name }}\n',
        "{% for key, value in env %}\nexport {{ key }}={{ value }}\n{% endfor %}\n",
        '{# "{{ name }}" #}\nx=$((1 + (2 * 3))) y=$# z={{ nodes }}\n',
        "case $x in a) echo 'b' ;; esac\necho {{ name }}\n",
        "# {{ command }}\nsrun {{ command | lines }} &\n",
        "cat <<EOF\n'\nEOF\necho {{ name }}\n",
        'cat <<<x {{ name }}\nx=$((1 << nodes)) # <<EOF\necho "<<EOF" {{ name }}\n',
        "x=$((2 * (1 + {{ nodes }}))) y=({{ command }}); (cd {{ name }}; f() { echo {{ name }}; })\n",
        "echo $'it\\'s' {{ name }} `date` {{ name }}\n",
        "",
    ],
)
def test_what_is_right_passes(source: str) -> None:
    """No false alarms."""
    assert messages(source) == []
