import pytest

from trainsub.errors import TemplateError
from trainsub.render import LayerName, Template, Templates, check
from trainsub.render.layers import extended


def made(name: str, layer: LayerName, text: str = "") -> Template:
    """A template; without a text, an empty one."""
    return Template(name, layer, f"/{layer}/{name}.sbatch.j2", text)


def extending(*names: str) -> str:
    """The text of a template that extends others."""
    return "".join(f'{{% extends "{name}.sbatch.j2" %}}\n' for name in names)


BASE = made("base", "built-in", "{% block a %}{% endblock %}{% block fence %}{% endblock %}")
KIND = made("kind", "built-in", extending("base"))


def test_a_name_means_the_highest() -> None:
    """In whatever order they were found; those below are listed."""
    user, project = made("kind", "user"), made("kind", "project")
    templates = Templates([user, KIND, project, BASE])
    assert templates.named("kind") == project
    assert templates.stack("kind") == [project, user, KIND]
    assert [one.path for one in templates] == [BASE.path, project.path]
    assert templates.names() == ["kind"]


def test_its_own_name_means_the_one_below() -> None:
    """And another name the highest, also from below: a base counts for all."""
    site = made("base", "site", extending("base"))
    user, project = made("kind", "user", extending("kind")), made("kind", "project", extending("kind"))
    templates = Templates([BASE, KIND, site, user, project])
    assert templates.above(project) == [user, KIND, site, BASE]


def test_a_choice_between_two() -> None:
    """All that it may become is above it, once."""
    other = made("other", "built-in", extending("base"))
    both = made("both", "user", '{% extends "kind.sbatch.j2" if nodes > 1 else "other.sbatch.j2" %}')
    assert Templates([BASE, KIND, other, both]).above(both) == [KIND, BASE, other]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (extending("mine"), "extends mine.sbatch.j2, and no layer below has one of that name"),
        (extending("nope"), "extends 'nope.sbatch.j2', and there is no such template"),
        ('{% extends "kind" %}', "extends 'kind', and there is no such template"),
        (extending("other"), "extends itself in a circle: user/other extends user/mine extends user/other"),
    ],
)
def test_what_cannot_be_extended(text: str, message: str) -> None:
    """The error is a problem of the line that says extends."""
    mine = made("mine", "user", f"{{# x #}}\n{text}")
    other = made("other", "user", extending("mine"))
    templates = Templates([BASE, KIND, mine, other])
    with pytest.raises(TemplateError):
        templates.above(mine)
    (problem,) = check(mine, templates)
    assert problem.line == 2
    assert message in problem.message or "circle: user/mine extends user/other extends user/mine" in problem.message


def test_the_specs_own_is_above_all_or_what_it_was() -> None:
    """A path that leads into a layer means that layer's template, so that nothing is added twice."""
    project = made("kind", "project", extending("kind"))
    templates = Templates([BASE, KIND, project])
    own = Template("kind", "spec", "/elsewhere/kind.j2", extending("kind"))
    assert templates.with_spec(own).meant == own
    assert templates.with_spec(own).above(own) == [project, KIND, BASE]
    assert templates.with_spec(Template("kind", "spec", project.path, "")).meant == project
    assert project.key == "project/kind"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\n{% block a %}x{% endblock %}\n", 1, "extends no template"),
        (extending("kind") + "\n\n  echo x\n", 4, "stands outside of all blocks"),
        (extending("kind") + "\n{{ nodes }}\n", 3, "stands outside of all blocks"),
        (extending("kind") + "{% block b %}x{% endblock %}\n", 2, "no template that this one extends has a block b"),
        (extending("kind") + "{% block fenec %}x{% endblock %}\n", 2, "a block fenec; did you mean fence?"),
        (extending("kind") + "{% block fence %}x{% endblock %}\n", 2, "block fence lets no job train twice"),
    ],
)
def test_what_would_not_be_shown(text: str, line: int, message: str) -> None:
    """jinja2 says nothing of it."""
    mine = made("mine", "user", text)
    problems = check(mine, Templates([BASE, KIND, mine]))
    assert any(one.line == line and message in one.message for one in problems), problems


def test_what_is_shown() -> None:
    """A block within one's own block is new, and a kept block may be added to."""
    text = extending("kind") + (
        "{% block a %}{% block new %}x{% endblock %}{% endblock %}\n"
        "{% block fence %}\n{{ super() | shell }}\necho x\n{% endblock %}\n"
    )
    mine = made("mine", "user", text)
    assert check(mine, Templates([BASE, KIND, mine])) == []


def test_a_template_that_cannot_be_read() -> None:
    """It is told once, and extends nothing."""
    mine = made("mine", "user", "{% extends %}")
    assert extended(mine) == []
    assert len(check(mine, Templates([BASE, mine]))) == 1


def test_one_without_a_text() -> None:
    """What extends it cannot be told of either, and says so at its extends; the others do not mind."""
    bad = Template("bad", "user", "/user/bad.sbatch.j2", "", "not UTF-8: byte 7", 2)
    child = made("child", "user", f"{{# x #}}\n{extending('bad')}")
    templates = Templates([BASE, KIND, bad, child])
    with pytest.raises(TemplateError, match=r"^/user/bad\.sbatch\.j2: not UTF-8: byte 7"):
        templates.above(bad)
    assert [(one.file, one.line, one.message) for one in check(bad, templates)] == [(bad.path, 2, "not UTF-8: byte 7")]
    (problem,) = check(child, templates)
    assert (problem.line, problem.message) == (2, f"extends bad.sbatch.j2, and {bad.path}: not UTF-8: byte 7")
    assert check(KIND, templates) == []
