"""``[container]``: the image in which the ranks run. Pure."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trainsub.spec.expect import ARGUMENT, FLAG, listed, matching, one_of
from trainsub.spec.table import Table, conflict

RUNTIMES = ("pyxis", "apptainer")

# pyxis writes mounts into a table whose columns are separated by blanks, and its own list is separated by commas.
_PATH = r"/[^\s,:]*"
_MOUNT = matching(
    '"/source", "/source:/target" or "/source:/target:ro", without blanks and commas',
    rf"{_PATH}(?::{_PATH}(?::r[ow])?)?",
)


class Container(Table):
    """The image in which the ranks run. The batch script itself runs outside."""

    runtime: Annotated[Literal["pyxis", "apptainer"], one_of(*RUNTIMES)] = Field(
        description="`pyxis`: NVIDIA's plugin of Slurm for enroot. `apptainer`: on the PATH of each node, if need be "
        "by `setup.modules`."
    )
    image: Annotated[str, matching("an image without blanks", r"[^\s-]\S*")] = Field(
        description="The image. A file on the shared file system (`/path/image.sqsh`, `/path/image.sif`) starts "
        "fastest; pyxis also takes `registry#name:tag`, which each node pulls for itself."
    )
    mounts: Annotated[tuple[str, ...], listed("a list of mounts", _MOUNT)] = Field(
        (), description="Directories of the nodes to be seen inside. The run's own directory always is."
    )
    mount_home: Annotated[bool, FLAG] = Field(
        False, description="Whether the home directory is seen inside, with what `pip install --user` left there."
    )
    options: Annotated[tuple[str, ...], listed("a list of words", ARGUMENT)] = Field(
        (), description="More options, word by word: of `apptainer exec`, or those that pyxis adds to srun."
    )

    @model_validator(mode="after")
    def _image_fits(self) -> Self:
        if self.runtime == "apptainer" and not self.image.startswith(("/", "~/")):
            hint = "Pull it once, on a login node: apptainer pull image.sif docker://…; then give the file's path."
            raise conflict("image", "expected the path of a .sif file, which all nodes share", hint)
        return self

    @property
    def is_file(self) -> bool:
        """Whether the image is a file that can be looked for."""
        return self.image.startswith(("/", "~/"))

    @property
    def all_mounts(self) -> list[str]:
        """The mounts, each with its target."""
        return [one if ":" in one else f"{one}:{one}" for one in self.mounts]
