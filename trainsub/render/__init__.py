"""Spec and cluster in, batch script out; and the lint of templates. Pure, and the only room that knows jinja2."""

from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError

from trainsub.config import Cluster
from trainsub.errors import TemplateError
from trainsub.render.context import context
from trainsub.render.engine import SUFFIX, environment, names
from trainsub.render.lint import Problem, lint
from trainsub.spec import JobSpec

__all__ = ["Problem", "lint", "names", "render"]


def render(spec: JobSpec, cluster: Cluster) -> str:
    """Return the batch script of a job: the same bytes for the same spec and cluster.

    The script knows its run by its arguments, so it contains neither a run id nor a remote path.

    Args:
        spec: The job spec; ``template``, else ``launch.kind``, names the template.
        cluster: The cluster that the script is for.

    Raises:
        TemplateError: There is no such template, or it is wrong.
        SpecError: A value cannot be written into a script.
    """
    name = spec.template or spec.launch.kind
    try:
        return environment().get_template(name + SUFFIX).render(context(spec, cluster, name))
    except TemplateNotFound as error:
        raise TemplateError(
            f"there is no template {str(error).removesuffix(SUFFIX)!r}", hint=f"There are: {', '.join(names())}."
        ) from error
    except TemplateSyntaxError as error:
        raise TemplateError(f"template {name}: line {error.lineno}: {error.message}") from error
    except (UndefinedError, TypeError) as error:
        raise TemplateError(f"template {name}: {error}") from error
