"""What a template can name of the container in which the ranks run. Pure."""

from collections.abc import Iterable

from trainsub.render.arrays import variables_of
from trainsub.render.engine import home
from trainsub.spec import JobSpec

_ALWAYS = ("PYTHONFAULTHANDLER", "PYTHONUNBUFFERED", "TRAINSUB_LINK", "TRAINSUB_RUN", "TRAINSUB_RUN_DIR")
_NO_NV = "--rocm"


def of_container(spec: JobSpec, gpus: int, variables: Iterable[str]) -> dict[str, object] | None:
    """Return what the script must know of the container; None where there is none.

    Args:
        spec: The job spec.
        gpus: GPUs on each node.
        variables: Variables that the script sets for the ranks; the image's own values are not to win over them.
    """
    container = spec.container
    if container is None:
        return None
    return {
        "image": home(container.image),
        "is_file": container.is_file,
        "mount_home": container.mount_home,
        "mounts": container.all_mounts,
        "nv": gpus > 0 and _NO_NV not in container.options,
        "options": list(container.options),
        "runtime": container.runtime,
        "variables": sorted({*_ALWAYS, *variables, *variables_of(spec)}),
    }
