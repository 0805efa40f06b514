"""Templates and batch scripts as files on this machine."""

import os
import stat
from pathlib import Path

from trainsub.errors import SpecError, TemplateError
from trainsub.places import Places
from trainsub.render import SPEC, LayerName, Template, Templates, built_in
from trainsub.render.engine import SUFFIX
from trainsub.spec import JobSpec, OwnScript
from trainsub.spec.model import TEMPLATE_NAME


def read_templates(places: Places) -> Templates:
    """Read the templates of all layers; one that cannot be read says so when it is used.

    Raises:
        TemplateError: A folder of templates cannot be read.
    """
    of_layers = (
        _in_layer(name, layer, folder / f"{name}{SUFFIX}")
        for layer, folder in places.template_folders()
        for name in _names(folder)
    )
    return Templates([*built_in(), *of_layers])


def _names(folder: Path) -> list[str]:
    """The names of the templates in a folder. What else lies there, such as an editor's lock, has no such name."""
    try:
        files = [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise TemplateError(f"{folder}: cannot be read: {error.strerror}") from error
    names = (file.removesuffix(SUFFIX) for file in files if file.endswith(SUFFIX))
    return sorted(name for name in names if TEMPLATE_NAME.fullmatch(name))


def _in_layer(name: str, layer: LayerName, path: Path) -> Template:
    try:
        return Template(name, layer, str(path), _text(path))
    except _UnreadableError as error:
        return Template(name, layer, str(path), "", error.why, error.line)


def templates_for(places: Places, spec: JobSpec, folder: Path) -> Templates:
    """Read the templates of all layers, and the one that a spec names by its path.

    Args:
        places: Where the layers are.
        spec: The spec.
        folder: What its relative paths are relative to.

    Raises:
        TemplateError: That one cannot be read, or a folder of templates; or a name is a file's and no template's.
    """
    templates = read_templates(places)
    if spec.template_path is None or spec.own_script:
        refuse_file(spec.template or "", templates, folder)
        return templates
    return templates.with_spec(read_template(folder / Path(spec.template_path).expanduser()))


def refuse_file(name: str, templates: Templates, folder: Path) -> None:
    """Refuse the name of a file where a template's is wanted, and say how to write it as a path.

    Args:
        name: What may be a template's name.
        templates: All templates.
        folder: Where the file may lie.

    Raises:
        TemplateError: There is no such template, but there is such a file.
    """
    if "/" not in name and "." not in name and not templates.stack(name) and (folder / name).is_file():
        raise TemplateError(
            f"there is no template {name!r}", hint=f'For the file {name}, write "./{name}". {templates.hint()}'
        )


def read_template(path: Path) -> Template:
    """Read a template that no layer has.

    Raises:
        TemplateError: It cannot be read.
    """
    name = path.name.removesuffix(".j2").removesuffix(".sbatch")
    try:
        return Template(name, SPEC, os.path.realpath(path), _text(path))
    except _UnreadableError as error:
        raise TemplateError(f"{path}: {error.why}") from error


def read_script(named: str, folder: Path) -> OwnScript:
    """Read a batch script of the user's own.

    Args:
        named: Its path; ``~/`` is the home directory.
        folder: What a relative path is relative to.

    Raises:
        SpecError: It cannot be read.
    """
    path = folder / Path(named).expanduser()
    try:
        return OwnScript(str(path), _text(path))
    except _UnreadableError as error:
        raise SpecError(f"{path}: {error.why}") from error


class _UnreadableError(Exception):
    """A file has no text to read: why, and in which line that shows."""

    def __init__(self, why: str, line: int = 1) -> None:
        super().__init__(why)
        self.why = why
        self.line = line


def _text(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a FIFO would be waited for
            raise _UnreadableError("is no regular file")
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _UnreadableError(f"not UTF-8: byte {error.start}", line) from None
    except OSError as error:
        raise _UnreadableError(f"cannot be read: {error.strerror}") from error
