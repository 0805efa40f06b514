"""Look at templates and begin new ones; asks no cluster."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from trainsub.errors import TemplateError
from trainsub.places import Places
from trainsub.render import Problem, Template, Templates, check
from trainsub.render.engine import SUFFIX
from trainsub.spec.model import TEMPLATE_NAME
from trainsub.spec.own import problems
from trainsub.template_files import read_script, read_template, read_templates, refuse_file

OwnLayer = Literal["project", "user"]
"""Layers into which trainsub writes."""
_DEFAULT = "torchrun"
_NEW = """\
{{#-
Purpose:   What is special here, in one line: for whom, and why.
Variables: those of {extends}.
Blocks:    those of {extends}; `trainsub template show {extends} --blocks` lists them.
Tried on:  the clusters on which it has run.

What is not written here stays as in {extends}. A block begins with what it had: {{{{ super() | shell }}}}. Without that
line, what follows takes its place. A variable quotes itself for bash, so it never stands inside quotes.
Look at the result with `trainsub render SPEC`, and for mistakes with `trainsub template check {name}`.
-#}}
{{% extends "{extends}.sbatch.j2" %}}
{{% block environment %}}
{{{{ super() | shell }}}}
# Before modules and the virtual environment. For instance:
# export NCCL_DEBUG_SUBSYS=INIT,NET
{{% endblock %}}
"""


def check_templates(places: Places, which: Sequence[str] = ()) -> list[Problem]:
    """Return what is wrong with templates, or with batch scripts that stand in place of one.

    Args:
        places: Where templates are.
        which: Names, which mean all templates of that name, and paths; none means all templates.

    Raises:
        TemplateError: There is no such template, or it cannot be read.
        SpecError: A script cannot be read.
    """
    templates = read_templates(places)
    if not which:
        which = [one.name for one in templates]
    return [problem for one in which for problem in _check(templates, one)]


def _check(templates: Templates, which: str) -> Iterator[Problem]:
    if "/" not in which and "." not in which:
        refuse_file(which, templates, Path())
        templates.named(which)
        for template in templates.stack(which):
            yield from check(template, templates)
    elif which.endswith(".j2"):
        with_it = templates.with_spec(read_template(Path(which)))
        yield from check(with_it.meant, with_it)
    else:
        script = read_script(which, Path())
        yield from (Problem(script.path, line, message) for line, message in problems(script))


def new_template(places: Places, name: str, *, extends: str | None = None, layer: OwnLayer | None = None) -> Template:
    """Write a template that extends another; it replaces no file.

    Args:
        places: Where templates are.
        name: Its name.
        extends: The name of the template that it extends; by default that of the same name, else torchrun.
        layer: ``project`` or ``user``; the project's if None and there is one.

    Raises:
        TemplateError: There is such a file, or none can be written.
    """
    if TEMPLATE_NAME.fullmatch(name) is None:
        raise TemplateError(
            f"{name!r} is no name for a template", hint="Letters, digits, _ and -; no dot, no slash, at most 40."
        )
    templates = read_templates(places)
    parent = templates.named(extends or (name if templates.stack(name) else _DEFAULT))
    folders = dict(places.template_folders())
    chosen: OwnLayer = layer or ("project" if "project" in folders else "user")
    if chosen not in folders:
        raise TemplateError(f"there is no folder for templates of the {chosen}", hint=_no_folder(chosen))
    folder = folders[chosen]
    path = folder / f"{name}{SUFFIX}"
    text = _NEW.format(extends=parent.name, name=name)
    if folder.exists() and not folder.is_dir():
        raise TemplateError(
            f"{folder} is no folder", hint="Templates lie in a folder of this name: move the file away."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise TemplateError(f"{path} is there already", hint="Edit it, or choose another name.") from None
    except OSError as error:
        raise TemplateError(f"{path} cannot be written: {error.strerror}") from error
    return Template(name, chosen, str(path), text)


def _no_folder(layer: str) -> str:
    if layer == "project":
        return "A project begins with a file trainsub.toml, which may be empty; its templates lie beside it."
    return "There is no home directory; name a configuration file with TRAINSUB_CONFIG."
