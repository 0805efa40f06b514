"""Templates and batch scripts as files on this machine."""

from pathlib import Path

from trainsub.errors import RejectedError, SpecError, TemplateError
from trainsub.places import Places
from trainsub.render import SPEC, Template, Templates, built_in
from trainsub.render.engine import SUFFIX
from trainsub.spec import JobSpec, OwnScript


def read_templates(places: Places) -> Templates:
    """Read the templates of all layers.

    Raises:
        TemplateError: One cannot be read.
    """
    return Templates(
        [
            *built_in(),
            *(
                Template(path.name.removesuffix(SUFFIX), layer, str(path), _text(path, TemplateError))
                for layer, folder in places.template_folders()
                for path in sorted(folder.glob(f"*{SUFFIX}"))
            ),
        ]
    )


def templates_for(places: Places, spec: JobSpec, folder: Path) -> Templates:
    """Read the templates of all layers, and the one that a spec names by its path.

    Args:
        places: Where the layers are.
        spec: The spec.
        folder: What its relative paths are relative to.

    Raises:
        TemplateError: One cannot be read.
    """
    templates = read_templates(places)
    if spec.template_path is None or spec.own_script:
        return templates
    return templates.with_spec(read_template(folder / Path(spec.template_path).expanduser()))


def read_template(path: Path) -> Template:
    """Read a template that no layer has.

    Raises:
        TemplateError: It cannot be read.
    """
    name = path.name.removesuffix(".j2").removesuffix(".sbatch")
    return Template(name, SPEC, str(path.resolve()), _text(path, TemplateError))


def read_script(named: str, folder: Path) -> OwnScript:
    """Read a batch script of the user's own.

    Args:
        named: Its path; ``~/`` is the home directory.
        folder: What a relative path is relative to.

    Raises:
        SpecError: It cannot be read.
    """
    path = folder / Path(named).expanduser()
    return OwnScript(str(path), _text(path, SpecError))


def _text(path: Path, kind: type[RejectedError]) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise kind(f"{path}: not UTF-8: byte {error.start}", hint="Save it in that encoding.") from None
    except OSError as error:
        raise kind(f"{path}: cannot be read: {error.strerror}") from error
