"""Spec and cluster in, batch script out; and the lint of templates. Pure, and the only room that knows jinja2."""

from collections.abc import Iterable
from types import TracebackType

from jinja2 import FunctionLoader
from jinja2 import TemplateError as JinjaError

from trainsub.config import Cluster
from trainsub.errors import TemplateError
from trainsub.render.builtin import built_in
from trainsub.render.context import context
from trainsub.render.directives import foreign
from trainsub.render.engine import environment
from trainsub.render.layers import BUILT_IN, HIDDEN, LAYERS, SPEC, LayerName, Template, Templates
from trainsub.render.lint import Problem, check, lint
from trainsub.slurm.batch_script import MAX_BYTES, directive_lines
from trainsub.spec import JobSpec, OwnScript

__all__ = [
    "BUILT_IN",
    "HIDDEN",
    "LAYERS",
    "SPEC",
    "LayerName",
    "Problem",
    "Template",
    "Templates",
    "built_in",
    "check",
    "lint",
    "render",
    "template_of",
]

_MISTAKES = (JinjaError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
"""What an expression in a template can raise."""


def template_of(spec: JobSpec, templates: Templates) -> Template:
    """Return the template that a spec is rendered with; for a script of the user's own, the one that wraps it.

    Args:
        spec: The job spec; ``template``, else ``launch.kind``, names the template.
        templates: All templates, with the one at the spec's path, if it names one by a path.

    Raises:
        TemplateError: There is no such template.
    """
    if spec.own_script:
        return templates.named("own")
    if spec.template_path is not None:
        return templates.meant
    name = spec.template or spec.launch.kind
    if name in HIDDEN:
        raise TemplateError(f"template {name!r} is for others to extend", hint=templates.hint())
    return templates.named(name)


def render(spec: JobSpec, cluster: Cluster, templates: Templates | None = None, own: OwnScript | None = None) -> str:
    """Return the batch script of a job: the same bytes for the same spec, cluster and templates.

    The script knows its run by its arguments, so it contains neither a run id nor a remote path.

    Args:
        spec: The job spec.
        cluster: The cluster that the script is for.
        templates: All templates; the built-in ones if None.
        own: The user's own script, where the spec names one.

    Raises:
        TemplateError: There is no such template, or it is wrong; file and line are named.
        SpecError: A value cannot be written into a script.
    """
    known = templates or built_in()
    template = template_of(spec, known)
    _refuse(template, known)
    values = context(spec, cluster, template.key, own)
    loader = FunctionLoader(lambda path: _source(known, path))
    try:
        engine = environment(loader, lambda name, path: _parent(known, name, path))
        script = _bounded(engine.get_template(template.path).generate(values), template)
    except _MISTAKES as error:
        raise TemplateError(f"{_place(error.__traceback__, known) or template.path}: {error}") from error
    _check_directives(script, str(values["directives"]), template)
    return script


def _check_directives(script: str, ours: str, template: Template) -> None:
    """Raise where sbatch would read other directives than were planned, but for options that trainsub does not know."""
    for line, _, command in directive_lines(script):
        if command:
            raise TemplateError(
                f"{template.path}: in its script, #SBATCH in line {line} follows the command in line {command}",
                hint="sbatch would not read it. Write commands into blocks that come after the block directives.",
            )
    for line, wrong in foreign(script, ours):
        raise TemplateError(f"{template.path}: in its script, line {line}: {wrong}")
    left = set(ours.split("\n")) - set(script.split("\n"))
    if left:
        raise TemplateError(
            f"{template.path}: its script leaves out {min(left)}",
            hint="Keep {{ super() | shell }} in the block directives: what it asks Slurm for is what was planned.",
        )


def _bounded(pieces: Iterable[str], template: Template) -> str:
    """Put a script together, as far as Slurm takes it: a template may go on for very long."""
    script: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece.encode(errors="surrogatepass"))
        if size > MAX_BYTES:
            raise TemplateError(
                f"{template.path}: its script is longer than {MAX_BYTES // 1024**2} MiB",
                hint="Slurm takes no longer one (max_script_size): put what is long into a file of the code.",
            )
        script.append(piece)
    return "".join(script)


def _refuse(template: Template, templates: Templates) -> None:
    """Raise what the lint says of a template and those that it extends; the built-in ones are clean."""
    found = [
        problem
        for one in (template, *templates.above(template))
        if one.layer != BUILT_IN
        for problem in check(one, templates)
    ]
    if found:
        lines = [f"{one.file}:{one.line}: {one.message}" for one in found]
        raise TemplateError("\n".join(lines), hint="Put it right; `trainsub template check` looks at it again.")


def _source(templates: Templates, path: str) -> tuple[str, str, None] | None:
    found = templates.at(path)
    return None if found is None else (found.text, path, None)


def _parent(templates: Templates, name: str, path: str) -> str:
    child = templates.at(path)
    return name if child is None else templates.parent(child, name).path


def _place(traceback: TracebackType | None, templates: Templates) -> str:
    """File and line of the template in which an error was raised, which jinja2 puts into its traceback."""
    place = ""
    while traceback is not None:
        path = traceback.tb_frame.f_code.co_filename
        if templates.at(path):
            place = f"{path}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
