"""The templates that come with trainsub. Pure, but for reading its own package."""

from importlib.resources import files
from pathlib import Path

from trainsub.render.engine import SUFFIX
from trainsub.render.layers import BUILT_IN, Template, Templates


def directory() -> Path:
    """Return where the built-in templates are: in the installed package, else in the checkout."""
    packaged = Path(str(files("trainsub"))) / "_templates"
    return packaged if packaged.is_dir() else packaged.parent.parent / "templates"


def built_in() -> Templates:
    """Return the built-in templates."""
    return Templates(
        Template(path.name.removesuffix(SUFFIX), BUILT_IN, str(path), path.read_text(encoding="utf-8"))
        for path in directory().glob(f"*{SUFFIX}")
    )
